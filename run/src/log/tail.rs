//! The end of a log that the store has still to take.

use super::entry::Entry;

/// How much of a log there is, and what of it the store has still to take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// Entries that the store has.
    kept: u64,
    /// Those after them.
    entries: Vec<Entry>,
    /// How often the log was told anew, because the store had lost it.
    telling: u32,
}

/// A place in a log, in one telling of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    entries: u64,
    telling: u32,
}

impl Tail {
    /// Of a log of which the store has so many entries.
    pub fn after(kept: u64) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// This one, told anew after `before`.
    pub fn instead_of(self, before: &Self) -> Self {
        Self {
            telling: before.telling + 1,
            ..self
        }
    }

    /// One more has happened.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Where the log ends.
    pub fn end(&self) -> Place {
        Place {
            entries: self.kept + self.entries.len() as u64,
            telling: self.telling,
        }
    }

    /// The entries that the store has not taken, and the number of the first.
    pub fn unkept(&self) -> (u64, &[Entry]) {
        (self.kept, &self.entries)
    }

    /// The store has all entries before this place, and says whether that counts: what it had of an
    /// earlier telling is lost.
    pub fn keep_until(&mut self, end: Place) -> bool {
        if end.telling != self.telling {
            return false;
        }
        let new = end.entries.saturating_sub(self.kept);
        let taken = new.min(self.entries.len() as u64);
        self.entries.drain(..taken as usize);
        self.kept += taken;
        true
    }
}
