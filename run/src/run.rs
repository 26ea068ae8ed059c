//! One attempt: its settings and all that happened in it.
//!
//! [`Run::apply`] is the only place where what happened changes a run.

use kiln_model::checkpoint::{Checkpoint, Snapshot};
use kiln_model::config::{Config, Edit};
use kiln_model::event::{Event, Score, State, Trained};
use kiln_model::history::{History, Measured};
use kiln_model::plan::Plan;
use serde::{Deserialize, Serialize};

use crate::device::Backend;
use crate::protocol::RunId;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// Those with the lowest validation loss; the last where nothing was validated.
    #[default]
    Best,
    /// Those of the last step.
    Last,
}

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
    /// When it was taken up, first and after every pause, in order.
    #[serde(default)]
    pub taken_up: Vec<TakenUp>,
}

/// Colours of runs: each at least 3.8 : 1 on the light surface and on the dark one.
pub const COLOURS: [&str; 10] = [
    "#2f7fd6", "#c8641a", "#1a8f5c", "#8f6ae0", "#d6455d", "#12899b", "#8a8216", "#c850a8",
    "#a0714b", "#7a828c",
];
/// Most letters of a run's name.
pub const NAME_LETTERS: usize = 60;
/// Most letters of a run's notes.
pub const NOTES_LETTERS: usize = 2_000;

impl Identity {
    /// Its colour in CSS.
    pub fn css_colour(&self) -> &'static str {
        COLOURS[self.colour % COLOURS.len()]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakenUp {
    /// Seconds of training and measuring until then, pauses left out.
    pub elapsed_secs: f64,
    /// Milliseconds since 1970.
    pub clock_ms: f64,
    /// Which [`ARITHMETIC`] computed from then on; 0 before they were told apart.
    #[serde(default)]
    pub arithmetic: u32,
}

/// Counted up with whatever gives the same step other bits than before.
pub const ARITHMETIC: u32 = 2;

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What it is known by.
    pub identity: Identity,
    config: Config,
    status: Status,
    history: History,
    checkpoint: Option<Checkpoint>,
    measuring: Option<Measuring>,
    is_scoring: bool,
}

impl Run {
    /// A run that has been asked for.
    pub fn new(identity: Identity, config: Config) -> Self {
        Self {
            identity,
            config,
            status: Status::Preparing,
            history: History::default(),
            checkpoint: None,
            measuring: None,
            is_scoring: false,
        }
    }

    /// A run as it was at a checkpoint.
    pub fn restored(identity: Identity, status: Status, checkpoint: Checkpoint) -> Self {
        Self {
            config: checkpoint.snapshot.config,
            status,
            history: checkpoint.history.clone(),
            checkpoint: Some(checkpoint),
            ..Self::new(identity, Config::default())
        }
    }

    /// The run as it was kept last: what it can leave while it goes on.
    pub fn as_kept(&self) -> Option<Self> {
        let checkpoint = self.checkpoint.clone()?;
        Some(Self::restored(
            self.identity.clone(),
            self.status,
            checkpoint,
        ))
    }

    /// Goes back to the last checkpoint, or to the start where there is none: what was measured
    /// after it will be measured again.
    pub fn rewind(&mut self) {
        let (identity, config) = (self.identity.clone(), self.config);
        *self = match self.checkpoint.take() {
            Some(mut checkpoint) => {
                checkpoint.history.go_back(checkpoint.snapshot.step);
                Self::restored(identity, Status::Preparing, checkpoint)
            }
            None => Self::new(identity, config),
        };
    }

    /// Takes in one thing that happened.
    pub fn apply(&mut self, event: Event) {
        if !matches!(event, Event::Measuring { .. } | Event::State(_)) {
            self.measuring = None;
        }
        self.history.apply(&event);
        match event {
            Event::State(state) => {
                self.status = Status::Session(state);
                self.is_scoring |= state == State::Finishing;
                if state.has_ended() {
                    self.measuring = None;
                }
            }
            Event::Measuring { images, total } => {
                self.measuring = Some(Measuring { images, total });
            }
            // The session has found it in range.
            Event::Edited(_, edit) => drop(edit.apply(&mut self.config)),
            Event::EditRefused(..)
            | Event::StoppedEarly(..)
            | Event::Diverged(..)
            | Event::Step(..)
            | Event::Epoch(..)
            | Event::Validation(..)
            | Event::Throughput(..)
            | Event::Score(..) => {}
        }
    }

    /// Notes the time of day at which the session began or went on.
    pub fn take_up(&mut self, clock_ms: f64) {
        let kept = self
            .checkpoint
            .as_ref()
            .map_or(0.0, |kept| kept.snapshot.elapsed_secs);
        let steps = self.history.steps.last();
        let elapsed_secs = steps.map_or(0.0, |last| last.moment.elapsed_secs).max(kept);
        self.identity.taken_up.push(TakenUp {
            elapsed_secs,
            clock_ms,
            arithmetic: ARITHMETIC,
        });
    }

    /// Whether an older Kiln computed the last of its steps, whose bits this one does not repeat.
    pub fn is_of_older_arithmetic(&self) -> bool {
        let last = self.identity.taken_up.last();
        self.steps_done() > 0 && last.is_none_or(|last| last.arithmetic < ARITHMETIC)
    }

    /// Takes in where the session is, after all that happened until then.
    pub fn keep(&mut self, snapshot: Snapshot) {
        self.checkpoint = Some(Checkpoint {
            snapshot,
            history: self.history.clone(),
        });
    }

    /// Keeps all that happened in a run that has failed, trained on data that is known by `data`.
    /// Where it can go on from stays what it was, its beginning where there is nothing else.
    pub fn keep_failure(&mut self, data: &str) {
        let before = self.checkpoint.take().map(|kept| kept.snapshot);
        self.keep(before.unwrap_or_else(|| Snapshot::initial(self.config, data.to_owned())));
    }

    /// Takes in a score that was found out after the run had ended, and says whether it did: a
    /// score that is there stays, a run that can still go on has none yet, and one of other weights
    /// than those of `step` is not this run's.
    pub fn take_score(&mut self, step: u32, score: Score) -> bool {
        let has_ended = self.status.has_ended();
        let are_its = self.weights_step(Weights::Best) == Some(step);
        let moment = self.history.steps.last().map(|last| last.moment);
        let moment = moment.filter(|_| has_ended && are_its && self.history.score.is_none());
        if let Some(moment) = moment {
            self.apply(Event::Score(moment, score));
            if let Some(checkpoint) = self.checkpoint.take() {
                self.keep(checkpoint.snapshot);
            }
        }
        moment.is_some()
    }

    /// Marks the run as trained by nobody.
    pub fn interrupt(&mut self) {
        self.status = Status::Interrupted;
        self.measuring = None;
    }

    /// Ends an interrupted run as far as it got.
    pub fn close(&mut self) {
        self.status = Status::Session(State::Stopped);
    }

    /// Steps that so many epochs leave to the run.
    pub fn steps_left(&self, epochs: u32) -> u32 {
        let plan = self.plan();
        (epochs * plan.steps_per_epoch).saturating_sub(self.steps_done())
    }

    /// Opens an ended run again, to go on up to so many epochs.
    pub fn reopen(&mut self, epochs: u32) {
        let Some(Checkpoint {
            snapshot,
            mut history,
        }) = self.checkpoint.take()
        else {
            return;
        };
        history.go_back(snapshot.step);
        (history.score, history.stopped_early) = (None, None);
        let mut checkpoint = Checkpoint {
            snapshot: snapshot.reopened(),
            history,
        };
        let edit = Edit::Epochs(epochs);
        let config = &mut checkpoint.snapshot.config;
        // Out of range nothing changes, and the session will find no steps to do.
        if config.epochs != epochs
            && edit.apply(config).is_ok()
            && let Some(last) = checkpoint.history.steps.last()
        {
            checkpoint.history.edits.push(Measured {
                moment: last.moment,
                value: edit,
            });
        }
        self.checkpoint = Some(checkpoint);
    }

    /// Its settings, with the edits until now.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where it can go on from.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
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

    /// All parameters at the last checkpoint, in the order of `kiln_model::spec::PARAMETERS`.
    pub fn weights(&self, which: Weights) -> Option<&[f32]> {
        let snapshot = &self.checkpoint.as_ref()?.snapshot;
        Some(match which {
            Weights::Best => snapshot.best_weights(),
            Weights::Last => &snapshot.weights.0,
        })
    }

    /// The step of those weights.
    pub fn weights_step(&self, which: Weights) -> Option<u32> {
        let snapshot = &self.checkpoint.as_ref()?.snapshot;
        let best = snapshot.best.as_ref().filter(|_| which == Weights::Best);
        Some(best.map_or(snapshot.weights_step, |best| best.measured.moment.step))
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

const GLAZES: [&str; 8] = [
    "amber", "ash", "clay", "coral", "indigo", "moss", "ochre", "slate",
];
const VESSELS: [&str; 7] = ["bowl", "cup", "jar", "jug", "plate", "tile", "vase"];

/// The name of the `number`th run of a page, counted from 1: the same words come again after 56.
pub fn automatic_name(number: u32) -> String {
    let index = number as usize;
    let glaze = GLAZES[index % GLAZES.len()];
    let vessel = VESSELS[index % VESSELS.len()];
    format!("{glaze}-{vessel}-{number}")
}

/// The colour that the fewest of these colours are, the first of several.
pub fn rarest_colour(taken: impl IntoIterator<Item = usize>) -> usize {
    let mut counts = [0; COLOURS.len()];
    for colour in taken {
        counts[colour % COLOURS.len()] += 1;
    }
    let rarest = (0..COLOURS.len()).min_by_key(|colour| counts[*colour]);
    rarest.unwrap_or_default()
}

/// The first so many letters of a text.
pub fn cut(text: &str, letters: usize) -> &str {
    match text.char_indices().nth(letters) {
        Some((index, _)) => &text[..index],
        None => text,
    }
}

/// A name that no other run has, at most [`NAME_LETTERS`] long: the one that is asked for or an
/// automatic one, with a number behind it where that is taken.
pub fn unused_name(asked: Option<&str>, number: u32, taken: impl Fn(&str) -> bool) -> String {
    match asked {
        Some(name) => [cut(name, NAME_LETTERS).to_owned()]
            .into_iter()
            .chain((2..).map(|number: u32| {
                let number = format!("-{number}");
                format!("{}{number}", cut(name, NAME_LETTERS - number.len()))
            }))
            .find(|name| !taken(name))
            .unwrap_or_default(),
        None => (number..)
            .map(automatic_name)
            .find(|name| !taken(name))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use kiln_model::checkpoint::{self, Best, Next, Values};
    use kiln_model::evaluation::Tally;
    use kiln_model::event::{Moment, Quality};
    use kiln_model::spec::PARAMETER_COUNT;

    fn at(step: u32) -> Moment {
        Moment {
            step,
            epoch: f64::from(step) / 10.0,
            images: u64::from(step) * 128,
            elapsed_secs: f64::from(step) * 0.5,
        }
    }

    fn quality(loss: f64, accuracy: f64) -> Quality {
        Quality { loss, accuracy }
    }

    fn trained(loss: f64, accuracy: f64) -> Trained {
        Trained {
            quality: quality(loss, accuracy),
            learning_rate: 0.001,
            gradient_norm: 3.5,
        }
    }

    pub(crate) fn new_run() -> Run {
        let identity = Identity {
            id: RunId(1),
            name: "amber-bowl-1".to_owned(),
            backend: Backend::Cpu,
            adapter: None,
            started_at: "2026-11-23T14:02:00Z".to_owned(),
            colour: 0,
            tags: Vec::new(),
            notes: String::new(),
            data_name: "letters".to_owned(),
            taken_up: Vec::new(),
        };
        Run::new(identity, Config::default())
    }

    /// A snapshot after `step` steps; weight i is i / 7 at the last, i / 9 at the best.
    pub(crate) fn snapshot(step: u32) -> Snapshot {
        let values = |divisor: f32| {
            Values(
                (0..PARAMETER_COUNT)
                    .map(|index| index as f32 / divisor)
                    .collect(),
            )
        };
        let config = Config::default();
        Snapshot {
            config,
            data: "data".to_owned(),
            step,
            next: Next::Train,
            is_stopped: false,
            epoch: Tally::default(),
            elapsed_secs: 0.5,
            weights: values(7.0),
            weights_step: step,
            optimizer: config.optimizer.initial_state(PARAMETER_COUNT),
            best: Some(Best {
                measured: Measured {
                    moment: at(1),
                    value: quality(1.25, 0.75),
                },
                weights: values(9.0),
            }),
            to_beat: None,
            warm_up_steps: 0,
        }
    }

    /// A run that did two steps, a validation and an epoch, was scored and kept.
    pub(crate) fn scored_run() -> Run {
        let mut run = new_run();
        for event in [
            Event::State(State::Running),
            Event::Step(at(1), trained(2.25, 0.125)),
            Event::Step(at(2), trained(1.5, 0.5)),
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
            Event::Score(
                at(2),
                Score {
                    quality: quality(1.0, 0.9),
                    correct: 9_000,
                    images: 10_000,
                },
            ),
        ] {
            run.apply(event);
        }
        run.keep(snapshot(2));
        run.apply(Event::State(State::Finished));
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
    fn a_run_that_has_ended_takes_a_score_and_keeps_it() {
        let score = Score {
            quality: quality(0.5, 0.8),
            correct: 8_000,
            images: 10_000,
        };
        let mut run = new_run();
        run.apply(Event::State(State::Running));
        run.apply(Event::Step(at(1), trained(2.25, 0.125)));
        run.keep(snapshot(1));
        run.interrupt();
        assert!(!run.take_score(1, score));
        run.close();
        // The best weights are those of step 1.
        assert!(!run.take_score(2, score));
        assert_eq!(run.history().score, None);
        assert!(run.take_score(1, score));
        let kept = run.checkpoint().and_then(|kept| kept.history.score);
        assert_eq!(kept.map(|kept| kept.value), Some(score));
        // A score that is there stays.
        let mut scored = scored_run();
        assert!(!scored.take_score(1, score));
        let correct = scored.history().score.map(|score| score.value.correct);
        assert_eq!(correct, Some(9_000));
    }

    #[test]
    fn the_clock_leaps_over_pauses() {
        let mut run = new_run();
        assert_eq!(run.identity.clock_ms(0.0), None);
        run.take_up(10_000.0);
        run.apply(Event::Step(at(4), trained(2.0, 0.5)));
        // Two seconds of work, then a pause until 60 s.
        run.take_up(60_000.0);
        assert_eq!(run.identity.clock_ms(1.5), Some(11_500.0));
        assert_eq!(run.identity.clock_ms(3.0), Some(61_000.0));
    }

    #[test]
    fn a_run_of_an_older_kiln_is_known_until_it_is_taken_up() {
        let mut run = new_run();
        assert!(!run.is_of_older_arithmetic());
        run.apply(Event::Step(at(1), trained(2.0, 0.5)));
        assert!(run.is_of_older_arithmetic());
        run.take_up(10_000.0);
        assert!(!run.is_of_older_arithmetic());
        run.identity.taken_up[0].arithmetic = 0;
        assert!(run.is_of_older_arithmetic());
    }

    #[test]
    fn an_interruption_keeps_the_figures() {
        let mut run = scored_run();
        let before = run.history().clone();
        run.interrupt();
        assert!(!run.status().is_open());
        assert_eq!(run.history(), &before);
    }

    #[test]
    fn an_open_run_leaves_what_was_kept_last() {
        let mut run = new_run();
        run.apply(Event::State(State::Running));
        run.apply(Event::Step(at(1), trained(2.25, 0.125)));
        assert_eq!(run.as_kept(), None);
        run.keep(snapshot(1));
        run.apply(Event::Step(at(2), trained(1.5, 0.5)));
        let kept = run.as_kept().unwrap();
        assert_eq!((kept.steps_done(), kept.status()), (1, run.status()));
        assert_eq!(kept.weights(Weights::Last), run.weights(Weights::Last));
    }

    #[test]
    fn a_rewound_run_has_what_its_checkpoint_had() {
        let mut run = new_run();
        run.apply(Event::Step(at(1), trained(2.25, 0.125)));
        run.keep(snapshot(1));
        run.apply(Event::Step(at(2), trained(1.5, 0.5)));
        run.rewind();
        assert_eq!((run.steps_done(), run.status()), (1, Status::Preparing));
        let mut run = new_run();
        run.apply(Event::Step(at(1), trained(2.25, 0.125)));
        run.rewind();
        assert_eq!(run.steps_done(), 0);
    }

    #[test]
    fn a_failed_run_keeps_all_that_happened_and_goes_on_from_before() {
        for first_kept in [None, Some(1)] {
            let mut run = new_run();
            run.apply(Event::Step(at(1), trained(2.25, 0.125)));
            if let Some(step) = first_kept {
                run.keep(snapshot(step));
            }
            run.apply(Event::Step(at(2), trained(9.0, 0.125)));
            run.apply(Event::Diverged(at(3), trained(f64::NAN, 0.0)));
            run.apply(Event::State(State::Failed));
            run.keep_failure("data");
            let kept = checkpoint::write(run.checkpoint().unwrap()).unwrap();
            let kept = checkpoint::read(&kept).unwrap();
            let mut again = Run::restored(run.identity.clone(), run.status(), kept);
            assert_eq!(again.history().steps, run.history().steps);
            assert_eq!(again.diverged().map(|row| row.moment.step), Some(3));
            again.reopen(again.config().epochs);
            again.rewind();
            assert_eq!(again.steps_done(), first_kept.unwrap_or(0));
            assert_eq!(again.diverged(), None);
        }
    }

    #[test]
    fn what_stopped_early_is_known_after_a_reload() {
        let mut run = new_run();
        run.apply(Event::Step(at(2), trained(2.25, 0.125)));
        run.apply(Event::StoppedEarly(at(2), 1));
        run.keep(Snapshot {
            weights_step: 1,
            next: Next::Nothing,
            ..snapshot(2)
        });
        let kept = checkpoint::write(run.checkpoint().unwrap()).unwrap();
        let kept = checkpoint::read(&kept).unwrap();
        let mut again = Run::restored(run.identity.clone(), run.status(), kept);
        assert_eq!(again.stopped_early().map(|early| early.value), Some(1));
        assert_eq!(again.weights_step(Weights::Last), Some(1));
        again.reopen(9);
        again.rewind();
        assert_eq!(again.stopped_early(), None);
    }

    #[test]
    fn an_edit_changes_the_settings_and_is_kept() {
        let mut run = new_run();
        run.apply(Event::Edited(at(1), Edit::Epochs(7)));
        assert_eq!(run.config().epochs, 7);
        assert_eq!(run.history().edits[0].value, Edit::Epochs(7));
    }

    #[test]
    fn best_and_last_weights_are_told_apart() {
        let run = scored_run();
        let seventh = |weights: Option<&[f32]>| weights.map(|weights| weights[7]);
        assert_eq!(seventh(run.weights(Weights::Last)), Some(1.0));
        assert_eq!(seventh(run.weights(Weights::Best)), Some(7.0 / 9.0));
        assert_eq!(run.weights_step(Weights::Best), Some(1));
        assert_eq!(run.weights_step(Weights::Last), Some(2));
    }

    #[test]
    fn a_run_has_the_colour_that_fewest_have() {
        assert_eq!(rarest_colour([]), 0);
        assert_eq!(rarest_colour([0, 1, 2]), 3);
        assert_eq!(rarest_colour([1]), 0);
        let all_but_seven = (0..10).chain(0..10).filter(|colour| *colour != 7);
        assert_eq!(rarest_colour(all_but_seven.chain([7])), 7);
    }

    #[test]
    fn a_name_that_is_taken_is_not_given_again() {
        let taken = |name: &str| name == "course-run-1" || name == automatic_name(3);
        assert_eq!(
            unused_name(Some("course-run-1"), 9, taken),
            "course-run-1-2"
        );
        assert_eq!(unused_name(None, 3, taken), automatic_name(4));
    }

    #[test]
    fn a_numbered_name_is_no_longer_than_any_other() {
        let long = "é".repeat(NAME_LETTERS + 5);
        let first = unused_name(Some(&long), 0, |_| false);
        assert_eq!(first.chars().count(), NAME_LETTERS);
        let second = unused_name(Some(&long), 0, |name| name == first);
        assert_eq!(second.chars().count(), NAME_LETTERS);
        assert!(second.ends_with("é-2"));
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
