//! One attempt: its settings and all that happened in it, as a fold of its log.
//!
//! `Run::fold` is the only place where what happened changes a run, as it happens and when it is
//! read again.

pub mod checkpoint;
pub mod identity;
pub mod names;
pub mod reading;
mod retelling;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use kiln_model::checkpoint::CheckpointError;
use kiln_model::config::{Config, Edit};
use kiln_model::event::{Event, Score, State, Trained};
use kiln_model::history::{Extent, History, Measured};
use kiln_model::plan::Plan;
use serde::{Deserialize, Serialize};

use crate::log::entry::Entry;
use crate::log::segment::{self, LogError, Segment};
use crate::log::tail::{Place, Tail};
use checkpoint::Checkpoint;
pub use identity::Identity;
use identity::{ARITHMETIC, TakenUp};

/// Where a run is, as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Asked for; its next step is not done.
    Preparing,
    /// What the session says.
    Session(State),
    /// Nobody trains it any more; it can go on from its last checkpoint.
    Interrupted,
}

impl Status {
    /// The word a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Preparing => "Preparing",
            Self::Session(State::Running) => "Running",
            Self::Session(State::Paused) => "Paused",
            Self::Session(State::Finishing) => "Finishing",
            Self::Session(State::Stopped) => "Stopped",
            Self::Session(State::Finished) => "Finished",
            Self::Session(State::Failed) => "Failed",
            Self::Interrupted => "Interrupted",
        }
    }

    /// Whether the run is over, so that there is nothing to resume.
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Session(state) if state.has_ended())
    }

    /// Whether the run can still change by itself.
    pub fn is_open(self) -> bool {
        match self {
            Self::Preparing => true,
            Self::Session(state) => !state.has_ended(),
            Self::Interrupted => false,
        }
    }
}

/// Images measured so far in a validation or scoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measuring {
    /// Images measured.
    pub images: u32,
    /// Images to measure.
    pub total: u32,
}

/// Which of a run's weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weights {
    /// Those with the lowest validation loss; the last where nothing was validated.
    #[default]
    Best,
    /// Those of the last step.
    Last,
}

/// Where a run goes back to: its last checkpoint, or its start.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    config: Config,
    extent: Extent,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What it is known by.
    pub identity: Identity,
    config: Config,
    data: String,
    status: Status,
    history: History,
    /// How often a part of the history became void.
    generation: u32,
    mark: Mark,
    /// The epochs with which it goes on, where it had ended at its last checkpoint.
    reopened: Option<u32>,
    checkpoint: Option<Arc<Checkpoint>>,
    is_checkpoint_kept: bool,
    tail: Tail,
    damage: Option<LogError>,
    measuring: Option<Measuring>,
    is_scoring: bool,
}

/// What of a run the store has still to take.
#[derive(Clone, Debug, PartialEq)]
pub struct Unkept {
    /// What happened since it was kept last; nothing where nothing did.
    pub segment: Option<Segment>,
    /// Its newest checkpoint; nothing where the store has it.
    pub checkpoint: Option<Arc<Checkpoint>>,
    end: Place,
}

impl Run {
    /// A run that has been asked for, on data that is known by `data`.
    pub fn new(identity: Identity, config: Config, data: String) -> Self {
        let mut run = Self::blank(identity);
        run.append(Entry::Created {
            config: Box::new(config),
            data,
        });
        run
    }

    fn blank(identity: Identity) -> Self {
        let config = Config::default();
        Self {
            identity,
            config,
            data: String::new(),
            status: Status::Preparing,
            history: History::default(),
            generation: 0,
            mark: Mark {
                config,
                extent: Extent::default(),
            },
            reopened: None,
            checkpoint: None,
            is_checkpoint_kept: false,
            tail: Tail::default(),
            damage: None,
            measuring: None,
            is_scoring: false,
        }
    }

    fn append(&mut self, entry: Entry) {
        self.fold(&entry);
        self.tail.push(entry);
    }

    fn fold(&mut self, entry: &Entry) {
        match entry {
            Entry::Created { config, data } => {
                (self.config, self.data) = (**config, data.clone());
                self.mark.config = **config;
            }
            Entry::TakenUp(taken_up) => self.identity.taken_up.push(taken_up.clone()),
            Entry::Happened(event) => {
                self.history.apply(event);
                match event {
                    Event::State(state) => {
                        self.status = Status::Session(*state);
                        self.is_scoring |= *state == State::Finishing;
                    }
                    // The session has found it in range.
                    Event::Edited(_, edit) => drop(edit.apply(&mut self.config)),
                    Event::Measuring { .. }
                    | Event::EditRefused(..)
                    | Event::StoppedEarly(..)
                    | Event::Diverged(..)
                    | Event::Step(..)
                    | Event::Epoch(..)
                    | Event::Validation(..)
                    | Event::Throughput(..)
                    | Event::Score(..) => {}
                }
            }
            Entry::Kept { .. } => {
                self.reopened = None;
                self.set_mark();
            }
            Entry::RolledBack => {
                if self.history.extent() != self.mark.extent {
                    self.history.go_back(&self.mark.extent);
                    self.generation += 1;
                }
                self.config = self.mark.config;
                self.status = Status::Preparing;
                self.is_scoring = false;
            }
            Entry::Reopened { epochs } => {
                (self.history.score, self.history.stopped_early) = (None, None);
                let edit = Edit::Epochs(*epochs);
                // Out of range nothing changes, and the session will find no steps to do.
                if self.config.epochs != *epochs
                    && edit.apply(&mut self.config).is_ok()
                    && let Some(last) = self.history.steps.last()
                {
                    self.history.edits.push(Measured {
                        moment: last.moment,
                        value: edit,
                    });
                }
                self.reopened = Some(*epochs);
                self.set_mark();
            }
            Entry::Interrupted => self.status = Status::Interrupted,
        }
    }

    fn set_mark(&mut self) {
        self.mark = Mark {
            config: self.config,
            extent: self.history.extent(),
        };
    }

    /// The run as it was kept last: what it can leave while it goes on.
    pub fn as_kept(&self) -> Option<Self> {
        self.checkpoint.as_ref()?;
        let mut kept = self.clone();
        kept.fold(&Entry::RolledBack);
        kept.status = self.status;
        Some(kept)
    }

    /// Goes back to the last checkpoint, or to the start where there is none: what was measured
    /// after it will be measured again.
    pub fn rewind(&mut self) {
        self.append(Entry::RolledBack);
    }

    /// Takes in one thing that the session told.
    pub fn apply(&mut self, event: Event) {
        if let Event::Measuring { images, total } = event {
            self.measuring = Some(Measuring { images, total });
            return;
        }
        let ends = matches!(event, Event::State(state) if state.has_ended());
        if ends || !matches!(event, Event::State(_)) {
            self.measuring = None;
        }
        self.append(Entry::Happened(event));
    }

    /// Notes the time of day at which the session began or went on.
    pub fn take_up(&mut self, clock_ms: f64) {
        let kept = self
            .checkpoint
            .as_ref()
            .map_or(0.0, |kept| kept.outline.elapsed_secs);
        let steps = self.history.steps.last();
        let elapsed_secs = steps.map_or(0.0, |last| last.moment.elapsed_secs).max(kept);
        self.append(Entry::TakenUp(TakenUp {
            elapsed_secs,
            clock_ms,
            arithmetic: ARITHMETIC,
            device: self.identity.device(),
        }));
    }

    /// Whether an older Kiln computed the last of its steps, whose bits this one does not repeat.
    pub fn is_of_older_arithmetic(&self) -> bool {
        let last = self.identity.taken_up.last();
        self.steps_done() > 0 && last.is_none_or(|last| last.arithmetic < ARITHMETIC)
    }

    /// Takes in where the session is, after all that happened until then.
    pub fn keep(&mut self, checkpoint: Checkpoint) {
        self.append(Entry::Kept {
            step: checkpoint.outline.step,
        });
        self.checkpoint = Some(Arc::new(checkpoint));
        self.is_checkpoint_kept = false;
    }

    /// What the store has still to take; of a run that is damaged it takes no more.
    ///
    /// # Errors
    /// A log that cannot be written.
    pub fn unkept(&self) -> Result<Unkept, LogError> {
        let (first, entries) = self.tail.unkept();
        let is_there = self.damage.is_none() && !entries.is_empty();
        let segment = is_there.then(|| segment::write(first, entries, &self.plan()));
        Ok(Unkept {
            segment: segment.transpose()?,
            checkpoint: (!self.is_checkpoint_kept)
                .then(|| self.checkpoint.clone())
                .flatten(),
            end: self.tail.end(),
        })
    }

    /// Entries of the log that the store is known to have.
    pub fn kept_entries(&self) -> u64 {
        self.tail.unkept().0
    }

    /// A log that is damaged takes nothing more: that a person has ended the run stands in its record
    /// alone.
    pub fn end_as(&mut self, recorded: Status) {
        if self.damage.is_some() && recorded.has_ended() {
            self.status = recorded;
        }
    }

    /// The store has taken this.
    pub fn note_kept(&mut self, taken: &Unkept) {
        if !self.tail.keep_until(taken.end) {
            return;
        }
        if let (Some(taken), Some(newest)) = (&taken.checkpoint, &self.checkpoint) {
            self.is_checkpoint_kept |= Arc::ptr_eq(taken, newest);
        }
    }

    /// Takes in a score that was found out after the run had ended, and says whether it did: a
    /// score that is there stays, a run that can still go on has none yet, and one of other weights
    /// than those of `step` is not this run's.
    pub fn take_score(&mut self, step: u32, score: Score) -> bool {
        let has_ended = self.status.has_ended();
        let are_its = self.weights_step(Weights::Best) == Some(step);
        let moment = self.history.steps.last().map(|last| last.moment);
        let takes = has_ended && are_its && self.damage.is_none();
        let moment = moment.filter(|_| takes && self.history.score.is_none());
        if let Some(moment) = moment {
            self.apply(Event::Score(moment, score));
        }
        moment.is_some()
    }

    /// Marks the run as trained by nobody.
    pub fn interrupt(&mut self) {
        self.append(Entry::Interrupted);
        self.measuring = None;
    }

    /// Ends an interrupted run as far as it got.
    pub fn close(&mut self) {
        self.apply(Event::State(State::Stopped));
    }

    /// Steps that so many epochs leave to the run.
    pub fn steps_left(&self, epochs: u32) -> u32 {
        let plan = self.plan();
        (epochs * plan.steps_per_epoch).saturating_sub(self.steps_done())
    }

    /// Opens an ended run again, to go on from its last checkpoint up to so many epochs.
    pub fn reopen(&mut self, epochs: u32) {
        self.append(Entry::RolledBack);
        self.append(Entry::Reopened { epochs });
    }

    /// The epochs with which it goes on, where it had ended at its last checkpoint.
    pub fn reopened(&self) -> Option<u32> {
        self.reopened
    }

    /// Its settings, with the edits until now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its data is known by.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// Why its log can be read only so far: it is shown, and nothing is added to it.
    pub fn damage(&self) -> Option<&LogError> {
        self.damage.as_ref()
    }

    /// Where it can go on from.
    pub fn checkpoint(&self) -> Option<&Arc<Checkpoint>> {
        self.checkpoint.as_ref()
    }

    /// Where the run is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// All that was measured.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How often a part of what was measured became void: within a generation it is only added to.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The validation or scoring under way.
    pub fn measuring(&self) -> Option<Measuring> {
        self.measuring
    }

    /// Whether training is over and the test images are being scored.
    pub fn is_scoring(&self) -> bool {
        self.is_scoring
    }

    /// The step whose loss or gradient is no number.
    pub fn diverged(&self) -> Option<Measured<Trained>> {
        self.history.diverged
    }

    /// What was no number any more, and when: why the run failed.
    pub fn failure(&self) -> Option<String> {
        let Measured { moment, value } = self.diverged()?;
        let (what, figure) = if value.quality.loss.is_finite() {
            ("The gradient norm", value.gradient_norm)
        } else {
            ("Loss", value.quality.loss)
        };
        let became = if figure.is_nan() { "NaN" } else { "infinite" };
        Some(format!("{what} became {became} at step {}", moment.step))
    }

    /// When training ended for want of patience, and the step with the best weights.
    pub fn stopped_early(&self) -> Option<Measured<u32>> {
        self.history.stopped_early
    }

    /// All parameters at the last checkpoint, in the order of `kiln_model::spec::PARAMETERS`;
    /// nothing before the first one.
    ///
    /// # Errors
    /// Weights of another network.
    pub fn weights(&self, which: Weights) -> Result<Option<Vec<f32>>, CheckpointError> {
        let Some(checkpoint) = &self.checkpoint else {
            return Ok(None);
        };
        let snapshot = checkpoint.snapshot()?;
        Ok(Some(match (which, snapshot.best) {
            (Weights::Best, Some(best)) => best.weights.0,
            (Weights::Best, None) | (Weights::Last, _) => snapshot.weights.0,
        }))
    }

    /// The step of those weights.
    pub fn weights_step(&self, which: Weights) -> Option<u32> {
        let outline = &self.checkpoint.as_ref()?.outline;
        let best = outline.best_step.filter(|_| which == Weights::Best);
        Some(best.unwrap_or(outline.weights_step))
    }

    /// What follows from the settings.
    pub fn plan(&self) -> Plan {
        self.config.plan()
    }

    /// Training steps done.
    pub fn steps_done(&self) -> u32 {
        self.history.steps.last().map_or(0, |last| last.moment.step)
    }

    /// The latest images a second.
    pub fn images_per_sec(&self) -> Option<f64> {
        self.history.throughput.last().map(|last| last.value)
    }
}
