//! Builds the page and serves it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::setup;
use crate::shell::Shell;

/// The option that names a page as one file.
const RELEASE_ARCHIVE: &str = "--release-archive";

/// `cargo xtask serve`.
///
/// # Errors
/// A tool that cannot be had, or trunk's own failure.
pub fn serve(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    if let (Some(archive), options) = release_archive(options)? {
        return serve_archive(shell, &archive, &options);
    }
    setup::set_up(shell)?;
    eprintln!(
        "The first build compiles everything and takes minutes, a later one what changed. \
         Then open http://127.0.0.1:8080 unless the options say otherwise; Ctrl+C ends it."
    );
    shell.become_program("Serve", trunk(shell, "serve", options))
}

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
fn release_archive(options: &[String]) -> Result<(Option<PathBuf>, Vec<String>), Error> {
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
fn absolute(file: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(file).map_err(|error| Error::File {
        path: file.to_owned(),
        reason: error.to_string(),
    })
}

/// Serves what [`build`] packed, here or on another machine; nothing of the page is compiled.
fn serve_archive(shell: &Shell, archive: &Path, options: &[String]) -> Result<(), Error> {
    let folder = shell.root().join("target/release-archive");
    let unpackable = |error: std::io::Error| Error::File {
        path: folder.clone(),
        reason: error.to_string(),
    };
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(unpackable)?;
    }
    std::fs::create_dir_all(&folder).map_err(unpackable)?;
    let mut unpack = shell.command("tar", ["-xzf"]);
    unpack.arg(absolute(archive)?).arg("-C").arg(&folder);
    shell.step("Release archive", unpack)?;
    let mut host = bundle(shell, &["host", "target/release-archive"]);
    host.args(options);
    shell.become_program("Host", host)
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
    shell.step("Sizes of the modules", bundle(shell, &["weigh", "dist"]))
}

/// `cargo xtask host`.
///
/// # Errors
/// A tool that cannot be had, code that does not compile, or an address that is taken.
pub fn host(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    build(shell, &[])?;
    let mut host = bundle(shell, &["host", "dist"]);
    host.args(options);
    shell.become_program("Host", host)
}

fn bundle(shell: &Shell, arguments: &[&str]) -> Command {
    let run = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "kiln-bundle",
        "--",
    ];
    shell.command("cargo", run.iter().chain(arguments))
}

fn trunk(shell: &Shell, command: &str, options: &[String]) -> Command {
    let mut trunk = shell.command("trunk", [command]);
    trunk.args(options).env("TRUNK_SKIP_VERSION_CHECK", "true");
    // Trunk takes nothing but "true" and "false" for what others set to 1.
    match env::var_os("NO_COLOR") {
        Some(value) if !value.is_empty() => trunk.env("NO_COLOR", "true"),
        _ => trunk.env_remove("NO_COLOR"),
    };
    trunk
}
