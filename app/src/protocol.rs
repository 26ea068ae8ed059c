//! Every message between the page and a worker.
//!
//! The two meet nowhere else. Messages are plain JavaScript values by serde-wasm-bindgen; one
//! that cannot be read is an error value, never a panic.

use kiln_model::checkpoint::Snapshot;
use kiln_model::config::Config;
use kiln_model::event::{Command, Event};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::device::Adapter;

/// Names a run among all of this browser: the millisecond of its start and three random digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);

/// What the page asks of a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Open the device, then load the data; also loads again after [`FromWorker::LoadFailed`].
    Open,
    /// Begin a run.
    Start {
        /// Names it in all that follows.
        run: RunId,
        /// Its settings.
        config: Config,
        /// Do one step, then wait.
        single_step: bool,
    },
    /// Go on with a run.
    Resume {
        /// Names it in all that follows.
        run: RunId,
        /// Where it was.
        snapshot: Box<Snapshot>,
    },
    /// Answer with [`FromWorker::Kept`] after the step in progress.
    Keep {
        /// The run.
        run: RunId,
    },
    /// Tell the run something.
    Tell {
        /// The run.
        run: RunId,
        /// What it is to do.
        command: Command,
    },
    /// Forget the run.
    Cancel {
        /// The run.
        run: RunId,
    },
}

/// What a worker tells the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// It listens; what was sent before this may be lost.
    Ready,
    /// The device is open.
    Opened {
        /// The graphics adapter; none on the CPU.
        adapter: Option<Adapter>,
    },
    /// This worker cannot train here.
    Unfit {
        /// Why.
        reason: String,
    },
    /// Data arrives.
    Loading {
        /// Bytes loaded.
        loaded_bytes: u64,
        /// Bytes of all files.
        total_bytes: u64,
    },
    /// All data is there and is what it should be.
    Loaded,
    /// How fast a few steps went that were only done to find out.
    Timed {
        /// Training images a second.
        images_per_sec: f64,
    },
    /// The data could not be had.
    LoadFailed {
        /// Bytes loaded until then.
        loaded_bytes: u64,
        /// What went wrong.
        reason: String,
    },
    /// Things happened in a run, in this order.
    Happened {
        /// The run.
        run: RunId,
        /// What happened.
        events: Vec<Event>,
    },
    /// Where a run is, so that it can be gone on with; all that happened until then was told.
    Kept {
        /// The run.
        run: RunId,
        /// Where it is.
        snapshot: Box<Snapshot>,
    },
    /// A run cannot go on; the worker can.
    RunFailed {
        /// The run.
        run: RunId,
        /// What went wrong.
        reason: String,
    },
    /// The worker is broken.
    Fatal {
        /// What it knows of why.
        details: String,
    },
}

/// A message that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("a message between page and worker could not be read: {0}")]
pub struct CodecError(String);

/// A message as a value to post.
///
/// # Errors
/// A number that JavaScript cannot hold.
pub fn encode(message: &impl Serialize) -> Result<JsValue, CodecError> {
    serde_wasm_bindgen::to_value(message).map_err(|error| CodecError(error.to_string()))
}

/// The message in a value that was posted.
///
/// # Errors
/// A value that is no such message.
pub fn decode<T: DeserializeOwned>(value: JsValue) -> Result<T, CodecError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| CodecError(error.to_string()))
}
