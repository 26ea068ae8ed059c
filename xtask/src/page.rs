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
    shell.step("Page and workers", trunk(shell, "build", options))
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
