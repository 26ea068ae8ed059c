//! `cargo xtask`: sets up what Kiln needs, runs it, checks it.
//!
//! One file per job: [`setup`] and [`browser`] bring what is missing, [`page`], [`serve`], [`check`],
//! [`test`], [`fuzz`] and [`figures`] are the commands, [`first`] is what the first `serve` does,
//! [`shell`] runs programs.

mod browser;
mod check;
mod circles;
mod error;
mod figures;
mod first;
mod fuzz;
mod layers;
mod page;
mod serve;
mod setup;
mod shell;
mod stages;
mod test;

use std::io::Write as _;
use std::process::ExitCode;

use error::Error;
use shell::Shell;

const USAGE: &str = "\
cargo xtask COMMAND

  serve [OPTIONS]      sets up what is missing, builds the page, serves it at http://127.0.0.1:8080
                       and builds it again after a change; OPTIONS go to `trunk serve`; the first time,
                       without OPTIONS, the page is there before its GPU worker is compiled;
                       with `--release-archive FILE`, serves a page that was built elsewhere
  build [OPTIONS]      sets up what is missing and builds the page into dist/;
                       OPTIONS go to `trunk build`; with `--release-archive FILE`, packs it too
  host [ADDRESS]       builds the page and serves it as a web server would, compressed, at
                       http://127.0.0.1:8080 unless ADDRESS says otherwise
  check                format, lints for every target, and the rule that the page never links burn
  test                 sets up what is missing, then check and all tests, in Chromium too
  interop              opens the files of a run in every program they are for, PyTorch too (6 GB), which
                       test leaves out
  gpu                  tests the GPU's kernels, and kiln on a GPU of this machine, against the CPU
  drill [-- N [SEED]]  kills the browser N times while it trains, imports and deletes, 200 unless it is
                       said, takes storage, workers and files away, and looks whether anything is lost
  fuzz [SECONDS]       feeds each reader of files with anything, for a minute or so many seconds
  reproduce            trains the course's two runs and prints their figures beside the reference
  bench [-- OPTIONS]   measures speed and sizes in Chromium; with `long`, what a run of two million
                       steps costs the page; with `native`, `kiln train` beside Keras; with `peers`, the speed of other programs that train
                       the same network, in 3 rounds or `--rounds N`";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let options: Vec<String> = arguments.collect();
    match run(&command, &options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, options: &[String]) -> Result<(), Error> {
    match command {
        "serve" => serve::serve(&mut Shell::new()?, options),
        "build" => page::build(&mut Shell::new()?, options),
        "host" => serve::host(&mut Shell::new()?, options),
        "fuzz" => fuzz::fuzz(&mut Shell::new()?, options),
        "drill" => figures::drill(&mut Shell::new()?, options),
        "bench" => figures::bench(&mut Shell::new()?, options),
        "check" | "test" | "gpu" | "interop" | "reproduce" if !options.is_empty() => Err(
            Error::Usage(format!("`cargo xtask {command}` takes no options.")),
        ),
        "check" => check::check(&Shell::new()?),
        "test" => test::test(&mut Shell::new()?),
        "gpu" => test::gpu(&Shell::new()?),
        "interop" => test::interop(&mut Shell::new()?),
        "reproduce" => figures::reproduce(&Shell::new()?),
        "help" | "--help" | "-h" => {
            // Whoever closes the pipe early has read enough.
            drop(writeln!(std::io::stdout(), "{USAGE}"));
            Ok(())
        }
        "" => Err(Error::Usage("A command is missing.".to_owned())),
        unknown => Err(Error::Usage(format!("There is no command `{unknown}`."))),
    }
}
