//! What a run is known by, and what a person says of it.

use serde::{Deserialize, Serialize};

use crate::classes::Classes;
use crate::device::Backend;
use crate::id::RunId;

/// What a run is known by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Names it in messages and in the store.
    pub id: RunId,
    /// Names it for a person, and its files.
    pub name: String,
    /// What it trains on.
    pub backend: Backend,
    /// The graphics adapter's name; none on the CPU.
    pub adapter: Option<String>,
    /// When it was started: ISO 8601, UTC.
    pub started_at: String,
    /// Its colour, as an index into [`COLOURS`].
    #[serde(default)]
    pub colour: usize,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What a person wrote about it, at most [`NOTES_LETTERS`] long.
    #[serde(default)]
    pub notes: String,
    /// The name of the data it is trained on; empty where that was not kept.
    #[serde(default)]
    pub data_name: String,
    /// What the classes of that data are called.
    #[serde(default, skip_serializing_if = "Classes::are_digits")]
    pub classes: Classes,
    /// When it was taken up, first and after every pause, in order.
    #[serde(default)]
    pub taken_up: Vec<TakenUp>,
}

/// Colours of runs: each at least 3.8 : 1 on the light surface and on the dark one.
pub const COLOURS: [&str; 10] = [
    "#2f7fd6", "#c8641a", "#1a8f5c", "#8f6ae0", "#d6455d", "#12899b", "#8a8216", "#c850a8",
    "#a0714b", "#7a828c",
];
/// Most letters of a run's notes.
pub const NOTES_LETTERS: usize = 2_000;

impl Identity {
    /// Its colour in CSS.
    pub fn css_colour(&self) -> &'static str {
        COLOURS[self.colour % COLOURS.len()]
    }

    /// What it trains on, in words.
    pub fn device(&self) -> String {
        match &self.adapter {
            Some(adapter) => format!("{}, {adapter}", self.backend.label()),
            None => self.backend.label().to_owned(),
        }
    }

    /// The time of day after so many seconds of training and measuring, in milliseconds since
    /// 1970; nothing for a run of which that was not kept.
    pub fn clock_ms(&self, elapsed_secs: f64) -> Option<f64> {
        let after = |taken_up: &&TakenUp| taken_up.elapsed_secs <= elapsed_secs;
        let taken_up = self.taken_up.iter().rev().find(after)?;
        Some(taken_up.clock_ms + 1_000.0 * (elapsed_secs - taken_up.elapsed_secs))
    }
}

/// A moment at which training began or went on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakenUp {
    /// Seconds of training and measuring until then, pauses left out.
    pub elapsed_secs: f64,
    /// Milliseconds since 1970.
    pub clock_ms: f64,
    /// Which [`ARITHMETIC`] computed from then on; 0 before they were told apart.
    #[serde(default)]
    pub arithmetic: u32,
    /// What computed from then on, in words; empty before that was noted.
    #[serde(default)]
    pub device: String,
}

/// Counted up with whatever gives the same step other bits than before.
pub const ARITHMETIC: u32 = 2;

/// The colour that the fewest of these colours are, the first of several.
pub fn rarest_colour(taken: impl IntoIterator<Item = usize>) -> usize {
    let mut counts = [0; COLOURS.len()];
    for colour in taken {
        counts[colour % COLOURS.len()] += 1;
    }
    let rarest = (0..COLOURS.len()).min_by_key(|colour| counts[*colour]);
    rarest.unwrap_or_default()
}
