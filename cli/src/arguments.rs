//! What the command line says.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kiln_run::run::Weights;

use crate::device::Device;

/// Trains, shows, compares and exports runs of Kiln.
#[derive(Debug, Parser)]
#[command(name = "kiln", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Begins runs, or goes on with them, and leaves a .kiln.zip of each that the page imports
    Train(Train),
    /// Trains runs that differ in some settings, a unit of work at a time
    Sweep(Sweep),
    /// Serves the page, with a trainer of this machine for it
    Serve(Serve),
    /// Lists what there is to train on
    Devices,
    /// Makes files of runs for other programs
    Export(Export),
    /// Shows runs as a table
    Show(Show),
    /// Puts runs side by side
    Compare(Compare),
}

/// `kiln train`.
#[derive(Args, Debug)]
pub struct Train {
    /// Runs (.kiln.zip), to go on with, or settings (.config.json), to begin with
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What to train on; `kiln devices` lists what there is
    #[arg(long, default_value = "cpu")]
    pub device: Device,
    /// Threads of the CPU; as many as there are cores unless it is said, 8 at most. The result is the
    /// same whatever their number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// The folder that takes what comes of it. A run that is there already, and not over, goes on
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub out: PathBuf,
    /// A setting, such as learning_rate=0.01; of a run that goes on, epochs, learning_rate or patience
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Images and labels (idx files, archives of them) in place of MNIST
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Says what happens as lines of JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// `kiln sweep`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["grid", "next"]))]
pub struct Sweep {
    /// What differs, and how it is searched (TOML); its runs are put into --out
    #[arg(value_name = "GRID.toml", requires = "out")]
    pub grid: Option<PathBuf>,
    /// The folder of the sweep
    #[arg(long, value_name = "DIR", conflicts_with = "next")]
    pub out: Option<PathBuf>,
    /// Trains all of it, a process for each device
    #[arg(long, conflicts_with = "next")]
    pub run: bool,
    /// Trains one more unit of the sweep in this folder that nobody trains, and waits for one where others
    /// have to end first
    #[arg(long, value_name = "DIR")]
    pub next: Option<PathBuf>,
    /// What to train on; with --run several, such as cpu,cpu
    #[arg(long, default_value = "cpu", value_delimiter = ',')]
    pub device: Vec<Device>,
    /// Threads of the CPU for each process; its cores are shared out unless it is said
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Images and labels (idx files, archives of them) in place of MNIST
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Says what happens as lines of JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// `kiln serve`.
#[derive(Args, Debug)]
pub struct Serve {
    /// What to train on; `kiln devices` lists what there is
    #[arg(long, default_value = "cpu")]
    pub device: Device,
    /// Threads of the CPU; as many as there are cores unless it is said, 8 at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// The folder of the built page, as `cargo xtask build` leaves it
    #[arg(long, default_value = "dist", value_name = "DIR")]
    pub page: PathBuf,
    /// The port of 127.0.0.1; 0 for any that is free
    #[arg(long, default_value = "8765", value_name = "N")]
    pub port: u16,
}

/// `kiln export`.
#[derive(Args, Debug)]
pub struct Export {
    /// Runs (.kiln.zip)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Formats by the endings of their files, such as keras,onnx,csv
    #[arg(
        long = "as",
        required = true,
        value_delimiter = ',',
        value_name = "FORMAT"
    )]
    pub formats: Vec<String>,
    /// Which weights
    #[arg(long, default_value = "best")]
    pub weights: Which,
    /// The folder that takes the files
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub out: PathBuf,
}

/// Which of a run's weights.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Which {
    /// Those with the lowest validation loss.
    Best,
    /// Those of the last step.
    Last,
}

impl From<Which> for Weights {
    fn from(which: Which) -> Self {
        match which {
            Which::Best => Self::Best,
            Which::Last => Self::Last,
        }
    }
}

/// `kiln show`.
#[derive(Args, Debug)]
pub struct Show {
    /// Runs (.kiln.zip)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The column to sort by, as the table heads it; numbers from the greatest down
    #[arg(long, value_name = "COLUMN")]
    pub sort: Option<String>,
    /// From the least up
    #[arg(long)]
    pub ascending: bool,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// `kiln compare`.
#[derive(Args, Debug)]
pub struct Compare {
    /// Runs (.kiln.zip), two or more together
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Only the rows in which they differ
    #[arg(long)]
    pub differences: bool,
}
