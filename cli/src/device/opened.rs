//! A device that is ready.

use std::sync::{Arc, OnceLock};

use burn::tensor::Device;
use kiln_model::train::crew::MOST_SHARES;
use kiln_model::train::engine::Place;

/// A device that is ready.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where runs compute.
    pub place: Place,
    /// What computes, in words: it stands in the log of each run.
    pub words: String,
    /// Threads that share a batch; nothing on a GPU.
    pub threads: Option<usize>,
    /// What went wrong on it, once something did: what it computes from then on is not to be trusted.
    pub fault: Arc<OnceLock<String>>,
}

impl Opened {
    /// The CPU, with so many threads, [`MOST_SHARES`] at most: more have no part of a batch to work on.
    pub fn cpu(threads: usize) -> Self {
        let threads = threads.min(MOST_SHARES);
        Self {
            place: Device::flex().into(),
            words: cpu_in_words(threads),
            threads: Some(threads),
            fault: Arc::default(),
        }
    }
}

/// The CPU with so many threads.
pub fn cpu_in_words(threads: usize) -> String {
    let several = if threads == 1 { "" } else { "s" };
    format!("CPU with {threads} thread{several}, {}", machine())
}

/// What all devices here have in common.
pub fn machine() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}
