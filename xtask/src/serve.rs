//! Serves the page.

use std::path::Path;

use crate::error::Error;
use crate::first;
use crate::page;
use crate::setup;
use crate::shell::Shell;

/// `cargo xtask serve`.
///
/// # Errors
/// A tool that cannot be had, or trunk's own failure.
pub fn serve(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    if let (Some(archive), options) = page::release_archive(options)? {
        return serve_archive(shell, &archive, &options);
    }
    if options.is_empty() && first::is_first() {
        return first::serve(shell);
    }
    setup::set_up(shell)?;
    eprintln!(
        "What is not compiled yet is compiled. Then open http://127.0.0.1:8080 unless the options say otherwise; \
         Ctrl+C ends it."
    );
    shell.become_program("Serve", page::trunk(shell, "serve", options))
}

/// Serves what `build` packed, here or on another machine; nothing of the page is compiled.
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
    unpack.arg(page::absolute(archive)?).arg("-C").arg(&folder);
    shell.step("Release archive", unpack)?;
    let mut host = page::bundle(shell, "release", &["host", "target/release-archive"]);
    host.args(options);
    shell.become_program("Host", host)
}

/// `cargo xtask host`.
///
/// # Errors
/// A tool that cannot be had, code that does not compile, or an address that is taken.
pub fn host(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    page::build(shell, &[])?;
    let mut host = page::bundle(shell, "release", &["host", "dist"]);
    host.args(options);
    shell.become_program("Host", host)
}
