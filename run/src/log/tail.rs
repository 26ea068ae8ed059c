//! The end of a log that the store has still to take.

use super::entry::Entry;

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
