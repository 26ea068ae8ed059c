//! Builds the page.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::setup;
use crate::shell::Shell;

/// The option that names a page as one file.
const RELEASE_ARCHIVE: &str = "--release-archive";

/// `cargo xtask build`.
///
/// # Errors
/// A tool that cannot be had, or code that does not compile.
pub fn build(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    let (archive, options) = release_archive(options)?;
    setup::set_up(shell)?;
    build_with_tools(shell, &options)?;
    match archive {
        Some(archive) => {
            let mut pack = shell.command("tar", ["-czf"]);
            pack.arg(absolute(&archive)?).args(["-C", "dist", "."]);
            shell.step("Release archive", pack)
        }
        None => Ok(()),
    }
}

/// What follows `--release-archive`, and all other options.
///
/// # Errors
/// An option without a file.
pub fn release_archive(options: &[String]) -> Result<(Option<PathBuf>, Vec<String>), Error> {
    let mut others = options.to_vec();
    let Some(place) = others.iter().position(|option| option == RELEASE_ARCHIVE) else {
        return Ok((None, others));
    };
    let mut taken = others.splice(place..(place + 2).min(options.len()), []);
    let file = taken.nth(1);
    drop(taken);
    let file = file.ok_or_else(|| Error::Usage(format!("{RELEASE_ARCHIVE} needs a file.")))?;
    Ok((Some(file.into()), others))
}

/// Where a file is for programs that run elsewhere.
///
/// # Errors
/// A working folder that is gone.
pub fn absolute(file: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(file).map_err(|error| Error::File {
        path: file.to_owned(),
        reason: error.to_string(),
    })
}

/// Builds the page once the tools are there.
///
/// # Errors
/// Code that does not compile.
pub fn build_with_tools(shell: &Shell, options: &[String]) -> Result<(), Error> {
    let mut build = trunk(shell, "build", options);
    build.env("KILN_PUBLISH", "1");
    shell.step("Page and workers", build)
}

/// Weighs the modules of the page that was built.
///
/// # Errors
/// One that weighs more than it may.
pub fn weigh(shell: &Shell) -> Result<(), Error> {
    shell.step(
        "Sizes of the modules",
        bundle(shell, "release", &["weigh", "dist"]),
    )
}

/// What is done to the built page, as a program that cargo compiles in a profile.
pub fn bundle(shell: &Shell, profile: &str, arguments: &[&str]) -> Command {
    let run = [
        "run",
        "--quiet",
        "--profile",
        profile,
        "--package",
        "kiln-bundle",
        "--",
    ];
    shell.command("cargo", run.iter().chain(arguments))
}

/// Trunk with a command of its own.
pub fn trunk(shell: &Shell, command: &str, options: &[String]) -> Command {
    let mut trunk = shell.command("trunk", [command]);
    trunk.args(options).env("TRUNK_SKIP_VERSION_CHECK", "true");
    // Trunk takes nothing but "true" and "false" for what others set to 1.
    match env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => trunk.env("NO_COLOR", "true"),
        _ => trunk.env_remove("NO_COLOR"),
    };
    trunk
}
