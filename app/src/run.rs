//! One attempt: its settings and all that happened in it.
//!
//! [`Run::apply`] is the only place where what happened changes a run.

use kiln_model::config::{Config, Plan};
use kiln_model::event::{Event, Moment, Quality, Score, State};

use crate::device::Backend;
use crate::protocol::RunId;

/// Where a run is, as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Asked for; its first step is not done.
    Preparing,
    /// What the session says.
    Session(State),
    /// The trainer broke; the figures until then stay.
    Crashed,
}

impl Status {
    /// Whether the run can still change.
    pub fn is_open(self) -> bool {
        match self {
            Self::Preparing => true,
            Self::Session(state) => !state.has_ended(),
            Self::Crashed => false,
        }
    }
}

/// Something measured at a moment of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured<T> {
    /// When.
    pub moment: Moment,
    /// What.
    pub value: T,
}

/// Images measured so far in a validation or scoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measuring {
    /// Images measured.
    pub images: u32,
    /// Images to measure.
    pub total: u32,
}

/// All that was measured, in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Every training step, dropout on.
    pub steps: Vec<Measured<Quality>>,
    /// Every epoch's means over its training images, dropout on.
    pub epochs: Vec<Measured<Quality>>,
    /// Every validation, dropout off.
    pub validations: Vec<Measured<Quality>>,
    /// Training images a second.
    pub throughput: Vec<Measured<f64>>,
    /// The score on the test images, dropout off, and when training ended.
    pub score: Option<Measured<Score>>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Names it in messages.
    pub id: RunId,
    /// Names it for a person, and its files.
    pub name: String,
    /// Its settings.
    pub config: Config,
    /// What it trains on.
    pub backend: Backend,
    /// The graphics adapter's name; none on the CPU.
    pub adapter: Option<String>,
    /// When it was started: ISO 8601, UTC.
    pub started_at: String,
    status: Status,
    history: History,
    measuring: Option<Measuring>,
    is_scoring: bool,
    diverged: Option<Measured<f64>>,
    weights: Option<Vec<f32>>,
}

impl Run {
    /// A run that has been asked for.
    pub fn new(
        id: RunId,
        name: String,
        config: Config,
        backend: Backend,
        adapter: Option<String>,
        started_at: String,
    ) -> Self {
        Self {
            id,
            name,
            config,
            backend,
            adapter,
            started_at,
            status: Status::Preparing,
            history: History::default(),
            measuring: None,
            is_scoring: false,
            diverged: None,
            weights: None,
        }
    }

    /// Takes in one thing that happened.
    pub fn apply(&mut self, event: Event) {
        if !matches!(event, Event::Measuring { .. } | Event::State(_)) {
            self.measuring = None;
        }
        let history = &mut self.history;
        match event {
            Event::State(state) => {
                self.status = Status::Session(state);
                self.is_scoring |= state == State::Finishing;
            }
            Event::Step(moment, value) => history.steps.push(Measured { moment, value }),
            Event::Epoch(moment, value) => history.epochs.push(Measured { moment, value }),
            Event::Validation(moment, value) => {
                history.validations.push(Measured { moment, value });
            }
            Event::Throughput(moment, value) => history.throughput.push(Measured { moment, value }),
            Event::Measuring { images, total } => {
                self.measuring = Some(Measuring { images, total });
            }
            Event::Score(value) => {
                history.score = history.steps.last().map(|last| Measured {
                    moment: last.moment,
                    value,
                });
            }
            Event::Diverged(moment, value) => self.diverged = Some(Measured { moment, value }),
        }
    }

    /// Takes in the weights with which the run ends, little-endian f32.
    pub fn keep_weights(&mut self, bytes: &[u8]) {
        let (values, _) = bytes.as_chunks::<4>();
        self.weights = Some(
            values
                .iter()
                .map(|value| f32::from_le_bytes(*value))
                .collect(),
        );
    }

    /// Marks the run as ended by a fault of the trainer.
    pub fn crash(&mut self) {
        self.status = Status::Crashed;
        self.measuring = None;
    }

    /// Where the run is.
    pub fn status(&self) -> Status {
        self.status
    }

    /// All that was measured.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The validation or scoring under way.
    pub fn measuring(&self) -> Option<Measuring> {
        self.measuring
    }

    /// Whether training is over and the test images are being scored.
    pub fn is_scoring(&self) -> bool {
        self.is_scoring
    }

    /// Where the loss stopped being a number, and what it was then.
    pub fn diverged(&self) -> Option<Measured<f64>> {
        self.diverged
    }

    /// All parameters of the ended run, in the order of `kiln_model::spec::PARAMETERS`.
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
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

const COLOURS: [&str; 8] = [
    "amber", "ash", "clay", "coral", "indigo", "moss", "ochre", "slate",
];
const VESSELS: [&str; 7] = ["bowl", "cup", "jar", "jug", "plate", "tile", "vase"];

/// The name of the `number`th run of a page, counted from 1: the same words come again after 56.
pub fn automatic_name(number: u32) -> String {
    let index = number as usize;
    let colour = COLOURS[index % COLOURS.len()];
    let vessel = VESSELS[index % VESSELS.len()];
    format!("{colour}-{vessel}-{number}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn at(step: u32) -> Moment {
        Moment {
            step,
            epoch: f64::from(step) / 10.0,
            images: u64::from(step) * 128,
            elapsed_secs: f64::from(step) * 0.5,
        }
    }

    /// A run that did two steps, a validation and an epoch, and was scored.
    pub(crate) fn scored_run() -> Run {
        let mut run = Run::new(
            RunId(1),
            "amber-bowl-1".to_owned(),
            Config::default(),
            Backend::Cpu,
            None,
            "2026-11-23T14:02:00Z".to_owned(),
        );
        let quality = |loss, accuracy| Quality { loss, accuracy };
        for event in [
            Event::State(State::Running),
            Event::Step(at(1), quality(2.25, 0.125)),
            Event::Step(at(2), quality(1.5, 0.5)),
            Event::Throughput(at(2), 800.0),
            Event::Epoch(at(2), quality(1.875, 0.3125)),
            Event::Measuring {
                images: 200,
                total: 600,
            },
            Event::Validation(at(2), quality(1.25, 0.75)),
            Event::Measuring {
                images: 200,
                total: 10_000,
            },
            Event::Score(Score {
                quality: quality(1.0, 0.9),
                correct: 9_000,
                images: 10_000,
            }),
            Event::State(State::Finished),
        ] {
            run.apply(event);
        }
        run
    }

    #[test]
    fn what_happened_is_kept_in_order() {
        let run = scored_run();
        assert_eq!(run.status(), Status::Session(State::Finished));
        assert_eq!(run.steps_done(), 2);
        assert_eq!(run.history().validations[0].value.accuracy, 0.75);
        assert_eq!(
            run.history().score.map(|score| score.value.correct),
            Some(9_000)
        );
        assert_eq!(run.images_per_sec(), Some(800.0));
        assert_eq!(run.measuring(), None);
    }

    #[test]
    fn a_crash_keeps_the_figures() {
        let mut run = scored_run();
        let before = run.history().clone();
        run.crash();
        assert!(!run.status().is_open());
        assert_eq!(run.history(), &before);
    }

    #[test]
    fn weights_are_read_as_they_were_written() {
        let mut run = scored_run();
        run.keep_weights(&[1.5_f32.to_le_bytes(), (-0.25_f32).to_le_bytes()].concat());
        assert_eq!(run.weights(), Some([1.5, -0.25].as_slice()));
    }

    #[test]
    fn the_first_names_differ() {
        let names: std::collections::BTreeSet<String> = (1..=56)
            .map(|number| {
                automatic_name(number)
                    .trim_end_matches(char::is_numeric)
                    .to_owned()
            })
            .collect();
        assert_eq!(names.len(), 56);
    }
}
