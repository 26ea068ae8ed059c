//! Figures to report: how well the network learns, how fast, and what is lost when things break.

use std::path::Path;
use std::process::Command;

use crate::browser;
use crate::error::Error;
use crate::page;
use crate::setup;
use crate::shell::Shell;

/// Seconds for 10,000 steps on the CPU and 500 on a software GPU, on a slow machine.
const COSTS_LIMIT_SECS: &str = "3600";

/// `cargo xtask reproduce`.
///
/// # Errors
/// A figure outside its range, or code that does not compile.
pub fn reproduce(shell: &Shell) -> Result<(), Error> {
    shell.step(
        "The course's two runs, on the CPU, with three seeds each",
        shell.command(
            "cargo",
            [
                "run",
                "--release",
                "-p",
                "kiln-model",
                "--features",
                "train",
                "--example",
                "reproduce",
            ],
        ),
    )
}

/// A program of `tests/` that drives Chromium.
fn by_chromium(shell: &Shell, name: &str, options: &[String], driver: &Path) -> Command {
    let run = ["run", "--release", "-p", "kiln-tests", "--bin", name, "--"];
    let mut program = shell.command("cargo", run);
    program.args(options).env("CHROMEDRIVER", driver);
    program
}

/// `cargo xtask drill`.
///
/// # Errors
/// A tool that cannot be had, or something that is lost.
pub fn drill(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    let options = options.strip_prefix(&["--".to_owned()]).unwrap_or(options);
    setup::set_up(shell)?;
    let driver = browser::set_up(shell)?;
    page::build_with_tools(shell, &[])?;
    let drill = by_chromium(shell, "drill", options, &driver);
    shell.step("A browser that is killed again and again", drill)
}

/// `cargo xtask bench`.
///
/// # Errors
/// A tool that cannot be had, or a benchmark that does not end.
pub fn bench(shell: &mut Shell, options: &[String]) -> Result<(), Error> {
    // `cargo xtask bench -- peers` may be written without the dashes too.
    let options = options.strip_prefix(&["--".to_owned()]).unwrap_or(options);
    if options == ["native"] {
        browser::python(shell)?;
        let built = [
            "build",
            "--release",
            "--workspace",
            "--features",
            "kiln-model/train",
        ];
        let mut build = shell.command("cargo", built);
        build.args(["--bin=kiln", "--bin=bench"]);
        shell.step("kiln", build)?;
        // `cargo run` would build it with other features, and so all of burn once more.
        let program = std::env::current_exe().unwrap_or_default();
        let target = program.ancestors().nth(2).unwrap_or(Path::new("target"));
        let bench = target.join("release").join("bench");
        let bench = shell.command(&bench.to_string_lossy(), ["native"]);
        return shell.step("kiln train beside Keras", bench);
    }
    setup::set_up(shell)?;
    let driver = browser::set_up(shell)?;
    page::build_with_tools(shell, &[])?;
    let bench = by_chromium(shell, "bench", options, &driver);
    match options.first().map(String::as_str) {
        None => {}
        Some("long") => return shell.step("A run of two million steps", bench),
        Some(_) => return shell.step("Kiln beside other programs", bench),
    }
    page::weigh(shell)?;
    shell.step("Speed of the built page", bench)?;

    let mut costs = browser::run_inside(shell, &driver, "costs", COSTS_LIMIT_SECS);
    costs.args(["--", "--nocapture"]);
    shell.step("Cost of keeping runs safe, and long runs", costs)
}
