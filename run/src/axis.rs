//! What charts count from left to right.

use kiln_model::event::Moment;
use kiln_model::history::History;
use serde::{Deserialize, Serialize};

use crate::run::Identity;

/// What the x axis of a chart counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Axis {
    /// Training steps.
    #[default]
    Step,
    /// Epochs.
    Epoch,
    /// Training images.
    Images,
    /// Seconds of training and measuring, pauses left out.
    Elapsed,
    /// Milliseconds since 1970.
    Clock,
}

impl Axis {
    /// Every axis.
    pub const ALL: [Self; 5] = [
        Self::Step,
        Self::Epoch,
        Self::Images,
        Self::Elapsed,
        Self::Clock,
    ];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Step => "Step",
            Self::Epoch => "Epoch",
            Self::Images => "Images seen",
            Self::Elapsed => "Elapsed",
            Self::Clock => "Clock",
        }
    }

    /// Where a run's first epoch ends on it; nothing where it has not, or that was not kept.
    pub fn first_epoch(self, history: &History, identity: &Identity) -> Option<f64> {
        self.place(&history.epochs.first()?.moment, identity)
    }

    /// Where a moment of a run stands on it; nothing where that was not kept.
    pub fn place(self, moment: &Moment, identity: &Identity) -> Option<f64> {
        Some(match self {
            Self::Step => moment.step.into(),
            Self::Epoch => moment.epoch,
            Self::Images => moment.images as f64,
            Self::Elapsed => moment.elapsed_secs,
            Self::Clock => identity.clock_ms(moment.elapsed_secs)?,
        })
    }
}
