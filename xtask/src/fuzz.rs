//! Feeds the readers of files with anything, each for a while.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::setup;
use crate::shell::Shell;

/// Packages with targets, each of its own so that the workspace builds without libFuzzer.
const PACKAGES: [&str; 2] = ["model", "run"];
/// Seconds for each target unless something else is said.
const SECS: u32 = 60;
/// A reader that takes longer for one input hangs.
const INPUT_SECS: u32 = 20;
/// Memory that no input may cost.
const LIMIT_MB: u32 = 2_048;

/// `cargo xtask fuzz`.
///
/// # Errors
/// A tool that cannot be had, options that say no number, or a reader that fails: cargo-fuzz names the
/// input.
pub fn fuzz(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    let secs = match options {
        [] => SECS,
        [secs] => secs.parse().map_err(|_| {
            Error::Usage(format!("`cargo xtask fuzz` takes seconds, not `{secs}`."))
        })?,
        _ => {
            return Err(Error::Usage(
                "`cargo xtask fuzz` takes seconds alone.".to_owned(),
            ));
        }
    };
    setup::cargo_fuzz(shell)?;
    for package in PACKAGES {
        let folder = shell.root().join(package).join("fuzz");
        for target in targets(&folder)? {
            // What it finds new and interesting goes where it is not committed.
            let (corpus, seeds) = (
                folder.join("corpus").join(&target),
                folder.join("seeds").join(&target),
            );
            std::fs::create_dir_all(&corpus).map_err(|error| Error::File {
                path: corpus.clone(),
                reason: error.to_string(),
            })?;
            let mut run = shell.command("cargo", ["fuzz", "run", &target]);
            run.current_dir(shell.root().join(package)).arg(corpus);
            if seeds.is_dir() {
                run.arg(seeds);
            }
            run.arg("--")
                .arg(format!("-max_total_time={secs}"))
                .arg(format!("-timeout={INPUT_SECS}"))
                .arg(format!("-rss_limit_mb={LIMIT_MB}"))
                // The sanitizers are behind a flag of the compiler.
                .env("RUSTC_BOOTSTRAP", "1");
            shell.step(&format!("Anything for the reader of {target}"), run)?;
        }
    }
    Ok(())
}

/// The targets of a package, by name.
fn targets(folder: &Path) -> Result<Vec<String>, Error> {
    let folder: PathBuf = folder.join("fuzz_targets");
    let files = std::fs::read_dir(&folder).map_err(|error| Error::File {
        path: folder.clone(),
        reason: error.to_string(),
    })?;
    let name = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.ok()?.path();
        Some(path.file_stem()?.to_string_lossy().into_owned())
    };
    let mut names: Vec<String> = files.filter_map(name).collect();
    names.sort();
    Ok(names)
}
