//! How charts are looked at: one way for all of them.

use crate::series::Axis;
use crate::smoothing::USUAL;

/// The most that curves are smoothed.
pub const MOST_SMOOTHING: f64 = 0.99;

/// How charts are looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// What the x axis counts.
    pub axis: Axis,
    /// Where the x axis begins.
    pub from: Beginning,
    /// How strongly training curves are smoothed, 0 to [`MOST_SMOOTHING`].
    pub smoothing: f64,
    /// Whether values grow by factors.
    pub is_log: bool,
    /// Whether the few values of a curve that lie far from its others are cut off.
    pub cuts_outliers: bool,
    /// Whether runs that differ in nothing but their seed are shown as one.
    pub groups_seeds: bool,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            axis: Axis::default(),
            from: Beginning::default(),
            smoothing: USUAL,
            is_log: false,
            cuts_outliers: false,
            groups_seeds: false,
        }
    }
}

/// Where the x axis of a chart begins, if nothing is zoomed into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beginning {
    /// Where the first run does.
    #[default]
    Start,
    /// Where the first epoch of any run ends.
    Epoch,
    /// After a tenth of all there is.
    Tenth,
}

impl Beginning {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Start, Self::Epoch, Self::Tenth];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Epoch => "Epoch 1",
            Self::Tenth => "First tenth left out",
        }
    }

    /// What is shown of an axis from `first` to `last` on which the first epochs of runs end at
    /// `epochs`: all of it where nothing would be left.
    pub fn leave(self, (first, last): (f64, f64), epochs: impl Iterator<Item = f64>) -> (f64, f64) {
        let from = match self {
            Self::Start => None,
            Self::Epoch => epochs.reduce(f64::min),
            Self::Tenth => Some(first + (last - first) / 10.0),
        };
        let is_inside = |from: &f64| first < *from && *from < last;
        (from.filter(is_inside).unwrap_or(first), last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_begins_where_it_is_asked_to() {
        let leave =
            |from: Beginning, epochs: &[f64]| from.leave((0.0, 2_000.0), epochs.iter().copied());
        assert_eq!(leave(Beginning::Start, &[400.0]), (0.0, 2_000.0));
        // The earliest end of an epoch, the tenth of the longest run.
        assert_eq!(leave(Beginning::Epoch, &[400.0, 50.0]), (50.0, 2_000.0));
        assert_eq!(leave(Beginning::Tenth, &[400.0, 50.0]), (200.0, 2_000.0));
        // Where nothing would be left, or no epoch is over, all of it is shown.
        assert_eq!(leave(Beginning::Epoch, &[2_000.0]), (0.0, 2_000.0));
        assert_eq!(leave(Beginning::Epoch, &[]), (0.0, 2_000.0));
    }

    #[test]
    fn a_clock_loses_a_tenth_of_what_passed() {
        let leave = Beginning::Tenth.leave((1_000.0, 2_000.0), std::iter::empty());
        assert_eq!(leave, (1_100.0, 2_000.0));
    }
}
