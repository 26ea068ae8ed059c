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
            Event::State(_)
            | Event::Measuring { .. }
            | Event::StoppedEarly(..)
            | Event::Diverged(..) => {}
        }
    }

    /// How many things were measured or changed.
    pub fn len(&self) -> usize {
        self.steps.len()
            + self.epochs.len()
            + self.validations.len()
            + self.throughput.len()
            + self.edits.len()
            + usize::from(self.score.is_some())
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
