//! What a sweep cannot be, and what to do.

use kiln_model::config::OutOfRange;

use crate::set::SetError;

/// A sweep that cannot be.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SweepError {
    /// A setting that all runs have, and that differs.
    #[error("{key} stands in [settings] and in [vary]. Take it out of one of them.")]
    Twice {
        /// The setting.
        key: String,
    },
    /// Nothing differs.
    #[error(
        "[vary] names no setting, so all runs would be the same. Give it one, such as learning_rate = [0.001, 0.01]."
    )]
    NothingVaries,
    /// No values.
    #[error(
        "{key} in [vary] has no values. Write a list, or {{ from = 0.001, to = 0.1, scale = \"log\" }}."
    )]
    NoValues {
        /// The setting.
        key: String,
    },
    /// A range that is none.
    #[error("{key} in [vary]: {reason}.")]
    Range {
        /// The setting.
        key: String,
        /// Why.
        reason: String,
    },
    /// A range that goes beyond the setting's own.
    #[error("{key} in [vary]: {reason}")]
    OutOfRange {
        /// The setting.
        key: String,
        /// Its range.
        reason: OutOfRange,
    },
    /// A number that does not fit the search.
    #[error("{key} must be from {min} to {max}, not {value}.")]
    Number {
        /// Which.
        key: &'static str,
        /// The least it may be.
        min: usize,
        /// The most it may be.
        max: usize,
        /// What it is.
        value: usize,
    },
    /// A draw without a number of runs.
    #[error("A search that draws needs runs, such as runs = 20.")]
    NoRuns,
    /// A member that the search does nothing with.
    #[error("{key} means nothing to this search. Take it out, or choose another search.")]
    Unused {
        /// Which.
        key: &'static str,
    },
    /// A halving that compares no runs.
    #[error(
        "A halving that compares runs after {first} epochs needs more epochs than that, not {epochs}. Set epochs in [settings]."
    )]
    Short {
        /// Epochs before runs are compared for the first time.
        first: u32,
        /// Epochs of the longest run.
        epochs: u32,
    },
    /// A value that a setting cannot have, or a name that none has.
    #[error(transparent)]
    Setting(#[from] SetError),
    /// A sweep that has no file.
    #[error("This sweep cannot be said in a file: {0}")]
    Unwritten(String),
    /// Fewer settings than runs.
    #[error(
        "There are only {found} different settings to draw, not {asked}. Lower runs, or say search = \"grid\"."
    )]
    Few {
        /// How many were found.
        found: usize,
        /// How many runs were asked for.
        asked: u32,
    },
}
