//! Everything that must hold, cheapest first.

use crate::browser;
use crate::check;
use crate::error::Error;
use crate::page;
use crate::setup;
use crate::shell::Shell;

/// Seconds for all in-browser tests; the runner's own limit of 20 is for tests that do not train.
const IN_BROWSER_LIMIT_SECS: &str = "600";

/// `cargo xtask test`.
///
/// # Errors
/// The first step that fails.
pub fn test(shell: &mut Shell) -> Result<(), Error> {
    setup::set_up(shell)?;
    let driver = browser::set_up(shell)?;
    check::check(shell)?;
    shell.step(
        "Native tests",
        shell.command(
            "cargo",
            [
                "test",
                "--release",
                "--workspace",
                "--features",
                "kiln-model/train",
                "--exclude",
                "kiln-tests",
            ],
        ),
    )?;
    page::build_with_tools(shell, &[])?;

    let mut in_browser = shell.command(
        "cargo",
        [
            "test",
            "--release",
            "--target",
            "wasm32-unknown-unknown",
            "-p",
            "kiln-app",
            "--features",
            "gpu-worker",
            "--test",
            "browser",
        ],
    );
    in_browser
        .env("CHROMEDRIVER", &driver)
        .env("WASM_BINDGEN_TEST_TIMEOUT", IN_BROWSER_LIMIT_SECS);
    shell.step("In-browser tests", in_browser)?;

    let mut end_to_end = shell.command(
        "cargo",
        [
            "test",
            "--release",
            "-p",
            "kiln-tests",
            "--",
            "--test-threads=1",
        ],
    );
    end_to_end.env("CHROMEDRIVER", &driver);
    shell.step("End-to-end tests", end_to_end)?;
    eprintln!("\nAll checks and tests passed.");
    Ok(())
}
