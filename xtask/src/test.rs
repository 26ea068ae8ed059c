//! Everything that must hold, cheapest first.

use std::process::Command;

use crate::browser;
use crate::check;
use crate::error::Error;
use crate::fuzz;
use crate::page;
use crate::setup;
use crate::shell::Shell;

/// Seconds for each reader of files: a minute for all of them.
const FUZZ_SECS: &str = "8";
/// Seconds for all in-browser tests; the runner's own limit of 20 is for tests that do not train.
const IN_BROWSER_LIMIT_SECS: &str = "1800";

/// `cargo xtask test`.
///
/// # Errors
/// The first step that fails.
pub fn test(shell: &mut Shell) -> Result<(), Error> {
    setup::set_up(shell)?;
    let driver = browser::set_up(shell)?;
    let firefox = browser::firefox(shell)?;
    browser::webkit(shell)?;
    browser::python(shell)?;
    browser::npm(shell)?;
    check::check(shell)?;
    let mut native = workspace_tests(shell);
    native.args(["--lib", "--bins"]);
    native.args(
        ["checkpoint", "it", "kiln", "life", "log", "scikit_learn"]
            .map(|test| format!("--test={test}")),
    );
    shell.step("Native tests", native)?;
    fuzz::fuzz(shell, &[FUZZ_SECS.to_owned()])?;
    page::build_with_tools(shell, &[])?;
    page::weigh(shell)?;

    let in_browser = browser::run_inside(shell, &driver, "browser", IN_BROWSER_LIMIT_SECS);
    shell.step("In-browser tests", in_browser)?;

    let mut end_to_end = workspace_tests(shell);
    // One of them takes a run to the command line.
    end_to_end
        .args(["--bin=kiln"])
        .args(
            [
                "e2e", "engines", "offline", "arrivals", "kept", "recovery", "presses", "keys",
                "access", "places", "runs", "charts", "evaluate", "data", "draw", "pixels",
                "travel", "drill", "interop",
            ]
            .map(|test| format!("--test={test}")),
        )
        .args(["--", "--test-threads=1"])
        .env("CHROMEDRIVER", &driver)
        .env("FIREFOX", &firefox);
    shell.step("End-to-end tests", end_to_end)?;
    eprintln!("\nAll checks and tests passed.");
    Ok(())
}

/// `cargo xtask interop`: the files of a run in every program, PyTorch among them.
///
/// # Errors
/// A tool that cannot be had, or a file that a program does not open as it should.
pub fn interop(shell: &mut Shell) -> Result<(), Error> {
    setup::set_up(shell)?;
    let driver = browser::set_up(shell)?;
    browser::python(shell)?;
    page::build_with_tools(shell, &[])?;
    let mut interop = workspace_tests(shell);
    interop
        .args(["--test=interop"])
        .env("CHROMEDRIVER", &driver)
        .env("KILN_INTEROP", "torch");
    shell.step("Files in every program", interop)
}

/// Native tests of the workspace; always the same selection, so that burn is compiled once.
fn workspace_tests(shell: &Shell) -> Command {
    shell.command(
        "cargo",
        [
            "test",
            "--release",
            "--workspace",
            "--features",
            "kiln-model/train",
        ],
    )
}
