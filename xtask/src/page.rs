//! Builds the page and serves it.

use std::env;
use std::process::Command;

use crate::error::Error;
use crate::setup;
use crate::shell::Shell;

/// `cargo xtask serve`.
///
/// # Errors
/// A tool that cannot be had, or trunk's own failure.
pub fn serve(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
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
    setup::set_up(shell)?;
    build_with_tools(shell, options)
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
