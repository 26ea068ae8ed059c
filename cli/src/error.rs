//! What can go wrong: each a sentence that names the value, and what to do.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use kiln_model::mnist::MnistError;
use kiln_model::train::session::TrainError;
use kiln_run::export::ExportError;
use kiln_run::import::data::DataError;
use kiln_run::set::SetError;
use kiln_run::sweep::SweepError;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The system refuses a file or a folder.
    #[error("{}: {reason}.", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A file is not what it is taken for.
    #[error("{} {reason}.", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The end of a sentence that begins with it.
        reason: String,
    },
    /// A setting cannot be so.
    #[error(transparent)]
    Setting(#[from] SetError),
    /// A sweep that cannot be.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A folder that has another sweep.
    #[error(
        "{} holds another sweep. Choose another --out, or give the file that is there: {}.",
        .folder.display(), .file.display()
    )]
    OtherSweep {
        /// Which.
        folder: PathBuf,
        /// What says what it is.
        file: PathBuf,
    },
    /// The process was to end first.
    #[error("Stopped before all was done. The same command goes on.")]
    Stopped,
    /// A device whose processes end before they have done what they were to.
    #[error(
        "Nothing trains on {devices} any more; the reasons stand above. What is left goes on with the same command."
    )]
    Slots {
        /// Which.
        devices: String,
    },
    /// Images that are no data.
    #[error("The data cannot be used: {0}.")]
    Data(#[from] DataError),
    /// MNIST, as this program has it, is damaged.
    #[error("MNIST, as it is in this program, is damaged: {0}. Install it again.")]
    Mnist(#[from] MnistError),
    /// The images are not those of the run.
    #[error(
        "{name} is trained on data with the hash {wanted}, and this has {found}. Name its files with --data."
    )]
    OtherData {
        /// The run.
        name: String,
        /// What its data is known by.
        wanted: String,
        /// What was loaded.
        found: String,
    },
    /// A run that is over has nothing left to do.
    #[error(
        "{name} ended after {done} of {asked} epochs. Say --set epochs=N with more of them to go on."
    )]
    Over {
        /// The run.
        name: String,
        /// Epochs that were done, whole ones.
        done: u32,
        /// Epochs that it was to do.
        asked: u32,
    },
    /// A part of the run's log cannot be read.
    #[error(
        "{name} cannot go on: a part of what happened in it cannot be read. Its settings can begin another run."
    )]
    Damaged {
        /// The run.
        name: String,
    },
    /// Another process writes the same file.
    #[error("{} is being written by process {pid}. Wait for it, or choose another --out.", .path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// Who does.
        pid: String,
    },
    /// Another run is there.
    #[error("{} is there already and holds another run. Choose another --out, or move it away.", .path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// There is no such device.
    #[error("There is no device {asked}. There are: {}.{}", .there.join(", "), .hint)]
    NoDevice {
        /// What was asked for.
        asked: String,
        /// What there is.
        there: Vec<String>,
        /// How to have more; empty where there are no more to be had.
        hint: &'static str,
    },
    /// A device that cannot be trained on.
    #[error("{name} cannot be used: {reason}. Train on cpu, or look at the driver of the GPU.")]
    Device {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
    /// The page is not there.
    #[error("There is no built page in {}: {reason}. Build it with `cargo xtask build`, or say --page DIR.", .folder.display())]
    Page {
        /// Where it was looked for.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// An address that cannot be had.
    #[error("{address} cannot be had: {reason}. Say --port N for another.")]
    Address {
        /// Which.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
    /// The system gives no random numbers.
    #[error("This system gives no random numbers: {0}.")]
    Random(String),
    /// The device gives no results, or the settings do not fit the data.
    #[error("{name} stopped: {reason}.")]
    Training {
        /// The run.
        name: String,
        /// Why.
        reason: TrainError,
    },
    /// A run whose loss is no number any more.
    #[error("{name} failed: {reason}. A smaller learning rate may help.")]
    Diverged {
        /// The run.
        name: String,
        /// What became of it.
        reason: String,
    },
    /// A file could not be made.
    #[error("{name}: {reason}")]
    Export {
        /// The run.
        name: String,
        /// Why.
        reason: ExportError,
    },
    /// A file that another run has left by the same command, or that is read by it.
    #[error("{} would be written over. Export runs of one name one by one, each to an --out of its own.", .path.display())]
    Twice {
        /// The file.
        path: PathBuf,
    },
    /// There is no such choice.
    #[error("There is no {what} {asked:?}. There are: {}.", .choices.join(", "))]
    Unknown {
        /// What of.
        what: &'static str,
        /// What was asked for.
        asked: String,
        /// What there is.
        choices: Vec<String>,
    },
    /// What makes the process end cannot be heard.
    #[error("This system does not say when the process is to end: {0}.")]
    Signals(String),
    /// Some of several runs did not get to their end; why was said as it happened.
    #[error("{failed} of {all} runs did not get to their end; the reasons stand above.")]
    Some {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
    },
}

impl CliError {
    /// Whether it is about the run itself, so that it would be no other with another try.
    pub const fn is_of_the_run(&self) -> bool {
        match self {
            Self::InTheWay { .. } | Self::Damaged { .. } | Self::Unreadable { .. } => true,
            Self::Training { reason, .. } => !matches!(reason, TrainError::Device(_)),
            _ => false,
        }
    }

    /// What the system says of a file.
    pub fn of(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}
