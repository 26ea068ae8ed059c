//! `kiln`: what the page does with runs, without a browser.

mod arguments;
mod attempt;
mod compare;
mod data;
mod device;
mod error;
mod export;
mod input;
mod output;
mod report;
mod set;
mod show;
mod train;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use error::CliError;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Train(wanted) => train::train(&wanted),
        Command::Devices => say(&device::list()),
        Command::Export(wanted) => export::export(&wanted),
        Command::Show(wanted) => say(&show::show(&wanted)?),
        Command::Compare(wanted) => say(&compare::compare(&wanted)?),
    }
}

/// Prints a result. Whoever closes the pipe early has read enough.
fn say(text: &str) -> Result<(), CliError> {
    drop(writeln!(std::io::stdout(), "{text}"));
    Ok(())
}
