//! All that was measured in a run, in the order in which it happened.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::Edit;
use crate::event::{Event, Moment, Quality, Score, Trained};

/// Something measured at a moment of the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured<T> {
    /// When.
    pub moment: Moment,
    /// What.
    pub value: T,
}

/// All that was measured in a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Every training step, dropout on.
    pub steps: Vec<Measured<Trained>>,
    /// Every epoch's means over its training images, dropout on.
    pub epochs: Vec<Measured<Quality>>,
    /// Every validation, dropout off.
    pub validations: Vec<Measured<Quality>>,
    /// Training images a second.
    pub throughput: Vec<Measured<f64>>,
    /// Settings changed while the run was under way.
    pub edits: Vec<Measured<Edit>>,
    /// The score on the test images, dropout off, and when training ended.
    pub score: Option<Measured<Score>>,
    /// When training ended for want of patience, and the step whose weights it went back to.
    pub stopped_early: Option<Measured<u32>>,
    /// The step whose loss or gradient is no number, with which training ended.
    pub diverged: Option<Measured<Trained>>,
}

impl History {
    /// Takes in one thing that happened; what is no measurement changes nothing.
    pub fn apply(&mut self, event: &Event) {
        match *event {
            Event::Step(moment, value) => self.steps.push(Measured { moment, value }),
            Event::Epoch(moment, value) => self.epochs.push(Measured { moment, value }),
            Event::Validation(moment, value) => self.validations.push(Measured { moment, value }),
            Event::Throughput(moment, value) => self.throughput.push(Measured { moment, value }),
            Event::Edited(moment, value) => self.edits.push(Measured { moment, value }),
            Event::Score(moment, value) => self.score = Some(Measured { moment, value }),
            Event::StoppedEarly(moment, value) => {
                self.stopped_early = Some(Measured { moment, value });
            }
            Event::Diverged(moment, value) => self.diverged = Some(Measured { moment, value }),
            Event::State(_) | Event::Measuring { .. } | Event::EditRefused(..) => {}
        }
    }

    /// Leaves out what happened after so many steps: a run that failed goes on from there.
    pub fn go_back(&mut self, step: u32) {
        fn cut<T>(rows: &mut Vec<Measured<T>>, step: u32) {
            rows.retain(|row| row.moment.step <= step);
        }
        cut(&mut self.steps, step);
        cut(&mut self.epochs, step);
        cut(&mut self.validations, step);
        cut(&mut self.throughput, step);
        cut(&mut self.edits, step);
        self.diverged = self.diverged.filter(|row| row.moment.step <= step);
    }

    /// How many things were measured or changed.
    pub fn len(&self) -> usize {
        self.steps.len()
            + self.epochs.len()
            + self.validations.len()
            + self.throughput.len()
            + self.edits.len()
            + usize::from(self.score.is_some())
            + usize::from(self.stopped_early.is_some())
            + usize::from(self.diverged.is_some())
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What tells this history of losses from any other: the start of the SHA-256 of every
    /// training step's loss, in 16 hexadecimal digits; nothing before the first step.
    ///
    /// The same settings on the CPU give the same, bit for bit: in any browser, natively, and with
    /// any number of workers.
    pub fn fingerprint(&self) -> Option<String> {
        self.steps.first()?;
        let mut hash = Sha256::new();
        for step in &self.steps {
            hash.update(step.value.quality.loss.to_le_bytes());
        }
        let digits = hash
            .finalize()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Some(digits)
    }
}
