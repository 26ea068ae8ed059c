//! What there is to train on.

use std::fmt;
use std::str::FromStr;
use std::thread;

/// Something to train on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The CPU, with all its cores.
    Cpu,
}

/// The names of all that this program can train on.
const NAMES: [(&str, Device); 1] = [("cpu", Device::Cpu)];
/// More threads than this have no part of a batch to work on.
pub const MOST_THREADS: usize = kiln_model::train::crew::MOST_SHARES;

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let found = NAMES.into_iter().find(|(_, device)| device == self);
        formatter.write_str(found.map_or("", |(name, _)| name))
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = NAMES.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, device)| device).ok_or_else(|| {
            let names = NAMES.map(|(name, _)| name);
            format!("it is not there; there is {}", names.join(", "))
        })
    }
}

/// Threads that train where nothing else is said.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS))
}

/// What computes, in words: it stands in the log of each run.
pub fn in_words(threads: usize) -> String {
    let several = if threads == 1 { "" } else { "s" };
    format!(
        "{threads} thread{several}, native, {} {}",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// All of it, a line each.
pub fn list() -> String {
    format!("cpu  {}", in_words(threads()))
}
