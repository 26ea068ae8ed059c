//! What can be said of the code without running it.

use std::fs;

use crate::error::Error;
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
    lint_module(shell, "cpu-worker", &[])?;
    // The in-browser tests run with the GPU worker's features, the larger set.
    lint_module(shell, "gpu-worker", &["--all-targets"])?;
    page_never_links_burn(shell)
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

/// Trunk has its own place for a version that `Cargo.lock` decides.
fn tools_match(shell: &Shell) -> Result<(), Error> {
    let version = setup::wasm_bindgen_version(shell.root())?;
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

fn page_never_links_burn(shell: &Shell) -> Result<(), Error> {
    eprintln!("\n== The page never links burn");
    // The whole tree, and not `-i burn` with an empty answer: cargo also answers nothing when it fails.
    let arguments = [
        "tree",
        "-p",
        "kiln-app",
        "--features",
        "page",
        "-e",
        "normal",
        "--target",
        "wasm32-unknown-unknown",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let tree = shell
        .output_of("cargo", &arguments)
        .ok_or_else(|| Error::Step {
            name: "The page never links burn".to_owned(),
            status: "cargo tree gave no answer".to_owned(),
            command: format!("cargo {}", arguments.join(" ")),
        })?;
    let burn = burn_packages(&tree);
    if burn.is_empty() {
        Ok(())
    } else {
        Err(Error::PageLinksBurn(burn))
    }
}

/// The packages of burn in a tree with one package a line.
fn burn_packages(tree: &str) -> Vec<String> {
    let names = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let mut burn: Vec<String> = names
        .filter(|name| *name == "burn" || name.starts_with("burn-"))
        .map(str::to_owned)
        .collect();
    burn.sort_unstable();
    burn.dedup();
    burn
}

#[cfg(test)]
mod tests {
    use super::burn_packages;

    #[test]
    fn burn_is_found_by_name() {
        let tree = "kiln-app v0.1.0 (/burn/app)\nburn-flex v0.22.1\nburn v0.22.1\nburn v0.22.1 (*)\nburning v1.0.0\n";
        assert_eq!(burn_packages(tree), ["burn", "burn-flex"]);
        assert!(burn_packages("leptos v0.8.23\n").is_empty());
    }
}
