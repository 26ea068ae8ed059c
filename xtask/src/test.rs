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

/// End-to-end tests that for the most part wait for a page.
const TOGETHER: [&str; 12] = [
    "access", "arrivals", "beside", "data", "e2e", "evaluate", "keys", "kept", "offline", "places",
    "runs", "sweep",
];
/// Those that break the browser, compare pixels, or have other programs beside it.
const ALONE: [&str; 9] = [
    "charts", "draw", "drill", "engines", "interop", "pixels", "presses", "recovery", "travel",
];

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

    for (name, tests, threads) in [
        ("End-to-end tests, two at a time", &TOGETHER[..], "2"),
        ("End-to-end tests, one at a time", &ALONE[..], "1"),
    ] {
        let mut end_to_end = workspace_tests(shell);
        // One of them takes a run to the command line.
        end_to_end
            .args(["--bin=kiln"])
            .args(tests.iter().map(|test| format!("--test={test}")))
            .args(["--", "--test-threads", threads])
            .env("CHROMEDRIVER", &driver)
            .env("FIREFOX", &firefox);
        shell.step(name, end_to_end)?;
    }
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

/// `cargo xtask gpu`: the GPU's kernels and `kiln` on a GPU of this machine against the CPU.
///
/// # Errors
/// The first step that fails. Where there is no GPU that is said, and nothing is tested.
pub fn gpu(shell: &Shell) -> Result<(), Error> {
    let quick = ["--profile=first", "--package=kiln-cli", "--features=gpu"];
    let mut build = shell.command("cargo", ["build", "--bin=kiln"]);
    build.args(quick);
    shell.step("kiln with GPUs", build)?;
    let mut devices = vec!["run", "--quiet", "--bin=kiln"];
    devices.extend(quick);
    devices.extend(["--", "devices"]);
    let listed = shell
        .output_of("cargo", &devices)
        .ok_or_else(|| Error::Step {
            name: "Devices".to_owned(),
            status: "kiln could not list them".to_owned(),
            command: format!("cargo {}", devices.join(" ")),
        })?;
    eprintln!("{}", listed.trim_end());
    if listed.trim_end().lines().count() < 2 {
        eprintln!("\nThere is no GPU here, so the tests on one are SKIPPED.");
        return Ok(());
    }
    let mut kernels = shell.command("cargo", ["test", "--test=gpu", "--package=kiln-model"]);
    kernels.args(["--profile=first", "--features=webgpu"]);
    shell.step("Kernels on a GPU", kernels)?;
    let mut kiln = shell.command("cargo", ["test", "--test=kiln"]);
    kiln.args(quick).arg("gpu::");
    shell.step("kiln on a GPU", kiln)
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
