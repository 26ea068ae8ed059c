//! What can happen in a run.

use kiln_model::config::Config;
use kiln_model::event::Event;
use serde::{Deserialize, Serialize};

use crate::run::identity::TakenUp;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// It was asked for; always the first.
    Created {
        /// Its settings.
        config: Box<Config>,
        /// What its data is known by.
        data: String,
    },
    /// Training began or went on.
    TakenUp(TakenUp),
    /// What the session told.
    Happened(Event),
    /// A checkpoint was written, after so many steps.
    Kept {
        /// Training steps done.
        step: u32,
    },
    /// It went back to the last checkpoint, or to its start: what happened since then but for being
    /// taken up is void.
    RolledBack,
    /// It had ended and goes on.
    Reopened {
        /// With so many epochs.
        epochs: u32,
    },
    /// Nobody trains it any more.
    Interrupted,
}
