//! All that was measured in a run, in the order in which it happened.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::config::Edit;
pub use crate::event::Measured;
use crate::event::{Event, Moment, Quality, Score, Trained};
use crate::steps::Steps;

/// The SHA-256 of the losses until now: hashing them all again would take long after a long run.
#[derive(Clone, Default)]
struct Losses(Sha256);

impl fmt::Debug for Losses {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.digits())
    }
}

impl PartialEq for Losses {
    fn eq(&self, other: &Self) -> bool {
        self.digits() == other.digits()
    }
}

impl Losses {
    fn add(&mut self, loss: f64) {
        self.0.update(loss.to_le_bytes());
    }

    /// The first half of the hash, in hexadecimal digits.
    fn digits(&self) -> String {
        let hash = self.0.clone().finalize();
        let digits = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        digits.collect()
    }
}

/// All that was measured in a run. It is only added to by [`History::apply`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Every training step, dropout on.
    pub steps: Steps,
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
    losses: Losses,
}

/// How much of a history there is: what it can go back to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extent {
    steps: usize,
    epochs: usize,
    validations: usize,
    throughput: usize,
    edits: usize,
    score: Option<Measured<Score>>,
    stopped_early: Option<Measured<u32>>,
    diverged: Option<Measured<Trained>>,
    losses: Losses,
}

impl History {
    /// Takes in one thing that happened; what is no measurement changes nothing.
    pub fn apply(&mut self, event: &Event) {
        match *event {
            Event::Step(moment, value) => {
                self.losses.add(value.quality.loss);
                self.steps.push(Measured { moment, value });
            }
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

    /// How much there is now.
    pub fn extent(&self) -> Extent {
        Extent {
            steps: self.steps.len(),
            epochs: self.epochs.len(),
            validations: self.validations.len(),
            throughput: self.throughput.len(),
            edits: self.edits.len(),
            score: self.score,
            stopped_early: self.stopped_early,
            diverged: self.diverged,
            losses: self.losses.clone(),
        }
    }

    /// Leaves out what happened since there was so much.
    pub fn go_back(&mut self, to: &Extent) {
        self.steps.truncate(to.steps);
        self.epochs.truncate(to.epochs);
        self.validations.truncate(to.validations);
        self.throughput.truncate(to.throughput);
        self.edits.truncate(to.edits);
        self.score = to.score;
        self.stopped_early = to.stopped_early;
        self.diverged = to.diverged;
        self.losses = to.losses.clone();
    }

    /// What was measured or changed since there was so much, in order of steps.
    pub fn events_since(&self, extent: &Extent) -> Vec<(Moment, Event)> {
        fn rows<T: Copy>(
            events: &mut Vec<(Moment, Event)>,
            rows: &[Measured<T>],
            event: fn(Moment, T) -> Event,
        ) {
            let told = rows
                .iter()
                .map(|row| (row.moment, event(row.moment, row.value)));
            events.extend(told);
        }
        fn since<T>(rows: &[Measured<T>], count: usize) -> &[Measured<T>] {
            rows.get(count..).unwrap_or_default()
        }
        let mut events = Vec::new();
        let all = &mut events;
        let steps = self.steps.since(extent.steps);
        all.extend(steps.map(|row| (row.moment, Event::Step(row.moment, row.value))));
        rows(all, since(&self.edits, extent.edits), Event::Edited);
        rows(all, since(&self.epochs, extent.epochs), Event::Epoch);
        let validations = since(&self.validations, extent.validations);
        rows(all, validations, Event::Validation);
        rows(
            all,
            &self.throughput[extent.throughput..],
            Event::Throughput,
        );
        if self.stopped_early != extent.stopped_early {
            rows(all, self.stopped_early.as_slice(), Event::StoppedEarly);
        }
        if self.score != extent.score {
            rows(all, self.score.as_slice(), Event::Score);
        }
        if self.diverged != extent.diverged {
            rows(all, self.diverged.as_slice(), Event::Diverged);
        }
        events.sort_by_key(|(moment, _)| moment.step);
        events
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
        Some(self.losses.digits())
    }
}
