//! What came of the runs of a sweep, and which of two is better.

use std::cmp::Ordering;

use kiln_model::event::State;

use crate::record::Record;
use crate::run::Status;

const FAILED: Status = Status::Session(State::Failed);

/// What came of a run of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The run, once it was begun.
    pub record: Option<Record>,
    /// Why it cannot be trained.
    pub refused: Option<String>,
}

impl Standing {
    /// Whether it will not be trained any further.
    pub fn has_failed(&self) -> bool {
        self.refused.is_some()
            || self
                .record
                .as_ref()
                .is_some_and(|record| record.status == FAILED)
    }

    /// Whether it has done so many epochs, or all that it can.
    pub fn has_done(&self, epochs: u32) -> bool {
        // One that is to do more epochs has done these, for nobody is asked for more before.
        let done = |record: &Record| {
            record.config.epochs > epochs
                || record.status.has_ended() && record.config.epochs == epochs
        };
        self.has_failed() || self.record.as_ref().is_some_and(done)
    }

    /// Its lowest validation loss, which it is judged by.
    pub fn loss(&self) -> Option<f64> {
        let record = self.record.as_ref().filter(|_| self.refused.is_none())?;
        loss(record)
    }
}

/// The lowest validation loss of a run, which it is judged by; one that failed has none.
pub fn loss(record: &Record) -> Option<f64> {
    let best = record.summary.best.filter(|_| record.status != FAILED)?;
    Some(best.loss)
}

/// Which of two runs comes first: the one with the lower validation loss; one that has none comes last.
pub fn better(first: &Standing, second: &Standing) -> Ordering {
    let of = |standing: &Standing| standing.loss().unwrap_or(f64::INFINITY);
    let failed = first.has_failed().cmp(&second.has_failed());
    failed.then(of(first).total_cmp(&of(second)))
}
