//! What can be said of the code without running it.

use std::fs;

use crate::error::Error;
use crate::layers;
use crate::setup;
use crate::shell::Shell;

/// `cargo xtask check`.
///
/// # Errors
/// The first check that fails.
pub fn check(shell: &Shell) -> Result<(), Error> {
    setup::wasm_target(shell)?;
    tools_match(shell)?;
    shell.step(
        "Format",
        shell.command("cargo", ["fmt", "--all", "--check"]),
    )?;
    shell.step(
        "Lints, native",
        shell.command(
            "cargo",
            [
                "clippy",
                "--workspace",
                "--all-targets",
                "--features",
                "kiln-model/train",
            ],
        ),
    )?;
    lint_module(shell, "page", &[])?;
    lint_module(shell, "file-worker", &[])?;
    lint_module(shell, "cpu-worker", &[])?;
    // The in-browser tests run with the GPU worker's features, the larger set.
    lint_module(shell, "gpu-worker", &["--all-targets"])?;
    layers::check(shell)
}

/// Each module has features of its own, so each is compiled by itself.
fn lint_module(shell: &Shell, feature: &str, options: &[&str]) -> Result<(), Error> {
    let mut clippy = shell.command(
        "cargo",
        [
            "clippy",
            "--release",
            "--target",
            "wasm32-unknown-unknown",
            "-p",
            "kiln-app",
            "--features",
            feature,
        ],
    );
    clippy.args(options);
    shell.step(&format!("Lints, wasm32, {feature}"), clippy)
}

/// Trunk and `bundle` have their own places for a version that `Cargo.lock` decides.
fn tools_match(shell: &Shell) -> Result<(), Error> {
    let version = setup::wasm_bindgen_version(shell.root())?;
    let of_bundle = setup::version_of(shell.root(), "wasm-bindgen-cli-support")?;
    if of_bundle != version {
        return Err(Error::File {
            path: shell.root().join("bundle/Cargo.toml"),
            reason: format!(
                "Cargo.lock has wasm-bindgen {version} and wasm-bindgen-cli-support {of_bundle}; \
                 give both the same version."
            ),
        });
    }
    let line = format!("wasm_bindgen = \"{version}\"");
    let path = shell.root().join("Trunk.toml");
    let text = fs::read_to_string(&path).map_err(|error| Error::File {
        path: path.clone(),
        reason: error.to_string(),
    })?;
    if text.lines().any(|found| found.trim() == line) {
        return Ok(());
    }
    Err(Error::File {
        path,
        reason: format!("Cargo.lock has wasm-bindgen {version}; write here: {line}"),
    })
}
