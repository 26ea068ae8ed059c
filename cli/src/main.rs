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
mod serve;
mod show;
mod sweep;
mod terminal;
mod train;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use error::CliError;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::tell(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Train(wanted) => train::train(&wanted),
        Command::Sweep(wanted) => sweep::sweep(&wanted),
        Command::Export(wanted) => export::export(&wanted),
        Command::Serve(wanted) => serve::serve(&wanted),
        Command::Devices => print(Ok(device::list())),
        Command::Show(wanted) => print(show::show(&wanted)),
        Command::Compare(wanted) => print(compare::compare(&wanted)),
    }
}

fn print(result: Result<String, CliError>) -> Result<(), CliError> {
    terminal::print(result?);
    Ok(())
}
