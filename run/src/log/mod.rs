//! The log of a run: all that happened in it, in order. It only ever grows; a [`crate::run::Run`]
//! and its [`crate::record::Record`] are folds of it.

pub mod segment;

use kiln_model::config::Config;
use kiln_model::event::Event;
use serde::{Deserialize, Serialize};

use crate::run::identity::TakenUp;
pub use segment::{LogError, Segment};

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

/// How much of a log there is, and what of it the store has still to take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// Entries that the store has.
    kept: u64,
    /// Those after them.
    entries: Vec<Entry>,
}

impl Tail {
    /// Of a log of which the store has so many entries.
    pub fn after(kept: u64) -> Self {
        Self {
            kept,
            entries: Vec::new(),
        }
    }

    /// One more has happened.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// How many entries the log has.
    pub fn end(&self) -> u64 {
        self.kept + self.entries.len() as u64
    }

    /// The entries that the store has not taken, and the number of the first.
    pub fn unkept(&self) -> (u64, &[Entry]) {
        (self.kept, &self.entries)
    }

    /// The store has all entries before this one.
    pub fn keep_until(&mut self, end: u64) {
        let taken = end.saturating_sub(self.kept).min(self.entries.len() as u64);
        self.entries.drain(..taken as usize);
        self.kept += taken;
    }
}
