//! A run in progress: asked for one step at a time, it says what happened.
//!
//! Training, validating and scoring all go on in steps of one batch, and nothing here loops until
//! done, so every [`Command`] acts between two steps.

use std::time::Duration;

use web_time::Instant;

use super::crew::Crew;
use super::engine::{self, Engine, Found, Holdings, Place, Which};
use super::stopwatch::Stopwatch;
use crate::batch::Batches;
use crate::checkpoint::{Best, Next, Snapshot};
use crate::config::{Config, Edit, OutOfRange};
use crate::dataset::{Dataset, Part, Split};
use crate::evaluation::{Predictions, Tally};
use crate::event::{Command, Event, Moment, Quality, Score, State, Trained};
use crate::history::Measured;
use crate::plan::Plan;
use crate::spec::CLASSES;

/// Shortest time between two throughput events; shorter ones would show the clock's noise.
const THROUGHPUT_INTERVAL: Duration = Duration::from_millis(500);

/// Why a session could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A setting is outside its range.
    #[error(transparent)]
    Setting(#[from] OutOfRange),
    /// There are fewer training images than the settings ask for.
    #[error("the settings ask for {asked} training images, but there are {available}")]
    Images {
        /// Training images that the settings ask for.
        asked: usize,
        /// Training images there are.
        available: usize,
    },
    /// A run is to go on with other data than it began with.
    #[error("the run was trained on other data")]
    OtherData,
    /// A snapshot lacks a part of its optimiser.
    #[error("the optimiser's {0} is missing")]
    OptimizerState(&'static str),
    /// The device did not give its results.
    #[error("the device gave no results: {0}")]
    Device(String),
}

/// How often a session waits for the device to say how a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// After every step; right for a CPU, which has nothing to wait for.
    EveryStep,
    /// After the first step, then so rarely that a GPU is hardly kept waiting: when as many steps
    /// are under way as it does in `INTERVAL`, at most `MOST_IN_FLIGHT`.
    Batched,
}

impl ReadBack {
    /// What suits a device.
    pub fn of(place: &Place) -> Self {
        if place.is_cpu() {
            Self::EveryStep
        } else {
            Self::Batched
        }
    }
}

/// The time between two reads, as far as steps are not longer: a command waits for a read.
const INTERVAL: Duration = Duration::from_millis(100);
/// Most steps under way at once; a browser's queue knows no back-pressure.
const MOST_IN_FLIGHT: usize = 32;

/// How many steps to have under way after so many took so long; not many more at once, since the
/// first ones may have waited for kernels to be compiled.
fn next_in_flight(steps: usize, took: Duration) -> usize {
    let in_interval = steps as f64 * INTERVAL.as_secs_f64() / took.as_secs_f64();
    (in_interval as usize).clamp(1, (2 * steps).min(MOST_IN_FLIGHT))
}

/// What the next step is part of.
#[derive(Clone, Copy, Debug)]
enum Activity {
    Training,
    Validating(Measurement),
    Scoring(Measurement),
    /// All steps are done; what is still under way is to be read.
    Closing,
    Ended(State),
}

#[derive(Clone, Copy, Debug, Default)]
struct Measurement {
    next: usize,
    tally: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Running,
    Single,
    Paused,
}

/// A training step whose results are still on the device.
#[derive(Debug)]
struct InFlight {
    step: u32,
    learning_rate: f64,
    labels: Vec<u8>,
    found: Found,
}

/// What the network answered to every image of a validation or of the score.
#[derive(Clone, Debug, PartialEq)]
pub struct Answers {
    /// When.
    pub moment: Moment,
    /// Which images.
    pub part: Part,
    /// The answers, in the order of the images.
    pub predictions: Predictions,
}

/// A run in progress.
#[derive(Debug)]
pub struct Session {
    config: Config,
    plan: Plan,
    data: String,
    batches: Batches,
    split: Split,
    read_back: ReadBack,

    engine: Engine,
    /// The lowest validation loss so far; the engine has the weights of it.
    best: Option<Measured<Quality>>,
    /// The lowest validation loss since training began or was continued.
    to_beat: Option<Measured<Quality>>,
    warm_up_steps: u32,
    step: u32,
    /// The step after which the engine's weights were what they are.
    weights_step: u32,
    activity: Activity,
    pace: Pace,
    is_stopped: bool,
    told: Option<State>,
    /// What commands brought about and is still to be told.
    untold: Vec<Event>,

    /// Answers of the measurement under way, then of the last one until they are taken.
    answers: Predictions,
    measured: Option<Answers>,

    in_flight: Vec<InFlight>,
    /// How many steps to have under way before their results are waited for.
    most_in_flight: usize,
    last_read: Instant,
    epoch: Tally,
    clock: Stopwatch,
    /// Steps and time when throughput was last told; nothing before the first reading.
    counted: Option<(u32, Duration)>,
}

impl Session {
    /// A run that has not done its first step.
    ///
    /// # Errors
    /// Settings outside their ranges, or more training images asked for than there are.
    pub fn new(
        config: Config,
        dataset: &Dataset,
        place: impl Into<Place>,
        read_back: ReadBack,
    ) -> Result<Self, TrainError> {
        let snapshot = Snapshot::initial(config, dataset.hash().to_owned());
        Self::resume(snapshot, dataset, place, read_back)
    }

    /// The session of a snapshot: it goes on as if it had never stopped.
    ///
    /// # Errors
    /// Settings outside their ranges, more training images asked for than there are, other data,
    /// or a part of the optimiser's state that is missing.
    pub fn resume(
        snapshot: Snapshot,
        dataset: &Dataset,
        place: impl Into<Place>,
        read_back: ReadBack,
    ) -> Result<Self, TrainError> {
        let config = snapshot.config;
        config.check()?;
        if snapshot.data != dataset.hash() {
            return Err(TrainError::OtherData);
        }
        let asked = config.training_images as usize;
        let available = dataset.training_len();
        if asked > available {
            return Err(TrainError::Images { asked, available });
        }
        let plan = config.plan();
        let split = dataset.split_for(&config);
        let (best, best_weights) = match snapshot.best {
            Some(best) => (Some(best.measured), Some(best.weights)),
            None => (None, None),
        };
        let holdings = Holdings {
            weights: snapshot.weights,
            optimizer: snapshot.optimizer,
            best: best_weights,
        };
        let engine = Engine::new(
            &place.into(),
            &split,
            holdings,
            config.optimizer,
            snapshot.step,
        )?;
        Ok(Self {
            data: snapshot.data,
            batches: Batches::new(
                split.training.clone(),
                plan.batch_size as usize,
                config.dropout,
                config.seed,
            ),
            split,
            read_back,
            engine,
            best,
            to_beat: snapshot.to_beat,
            warm_up_steps: snapshot
                .warm_up_steps
                .min(config.schedule.warm_up_steps(plan.total_steps())),
            step: snapshot.step,
            weights_step: snapshot.weights_step,
            activity: match snapshot.next {
                Next::Train if snapshot.step < plan.total_steps() => Activity::Training,
                Next::Validate => Activity::Validating(Measurement::default()),
                Next::Train | Next::Score => Activity::Scoring(Measurement::default()),
                Next::Nothing => Activity::Closing,
            },
            pace: Pace::Running,
            is_stopped: snapshot.is_stopped,
            told: None,
            untold: Vec::new(),
            answers: Predictions::default(),
            measured: None,
            in_flight: Vec::new(),
            most_in_flight: 1,
            last_read: Instant::now(),
            epoch: snapshot.epoch,
            clock: Stopwatch::standing_at(snapshot.elapsed_secs),
            counted: None,
            config,
            plan,
        })
    }

    /// Has the CPU's part done by these from the next step on; they have the images of this run.
    pub fn employ(&mut self, crew: Box<dyn Crew>) {
        self.engine.employ(crew);
    }

    /// What follows from the run's settings.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the session is doing.
    pub fn state(&self) -> State {
        match (self.activity, self.pace) {
            (Activity::Ended(state), _) => state,
            (_, Pace::Paused) => State::Paused,
            (Activity::Scoring(_) | Activity::Closing, _) => State::Finishing,
            (_, Pace::Running | Pace::Single) => State::Running,
        }
    }

    /// Whether [`Session::advance`] has anything to do.
    pub fn wants_step(&self) -> bool {
        match self.activity {
            _ if !self.untold.is_empty() => true,
            Activity::Ended(_) => self.told != Some(self.state()),
            Activity::Closing => true,
            _ => self.pace != Pace::Paused || self.told != Some(State::Paused),
        }
    }

    /// Takes up a command; one that does not fit the state changes nothing.
    pub fn command(&mut self, command: Command) {
        if matches!(self.activity, Activity::Closing | Activity::Ended(_)) {
            return;
        }
        let scoring = matches!(self.activity, Activity::Scoring(_));
        match command {
            Command::Pause => self.pace = Pace::Paused,
            Command::Resume => self.pace = Pace::Running,
            Command::Step => self.pace = Pace::Single,
            Command::Stop if !scoring => {
                self.is_stopped = true;
                self.activity = Activity::Scoring(Measurement::default());
                self.pace = Pace::Running;
            }
            // Training is over: what is left to stop is the scoring.
            Command::Stop => self.activity = Activity::Closing,
            Command::SkipScoring if scoring => self.activity = Activity::Closing,
            Command::SkipScoring => {}
            Command::Edit(edit) if !scoring => self.edit(edit),
            Command::Edit(edit) => self.refuse(edit),
        }
    }

    fn refuse(&mut self, edit: Edit) {
        let refused = Event::EditRefused(self.moment(self.step), edit);
        self.untold.push(refused);
    }

    /// Changes a setting from the next step on. The epoch under way is always finished.
    fn edit(&mut self, edit: Edit) {
        let edit = match edit {
            Edit::Epochs(epochs) => {
                let under_way = self.step.div_ceil(self.plan.steps_per_epoch);
                Edit::Epochs(epochs.max(under_way))
            }
            other => other,
        };
        if edit.apply(&mut self.config).is_err() {
            return self.refuse(edit);
        }
        self.plan = self.config.plan();
        let warm_up_steps = self.config.schedule.warm_up_steps(self.plan.total_steps());
        self.warm_up_steps = self.warm_up_steps.min(warm_up_steps);
        self.untold
            .push(Event::Edited(self.moment(self.step), edit));
        if matches!(self.activity, Activity::Training) {
            // The epoch that has just ended may be the last one now.
            self.continue_training();
        }
    }

    /// Does one step of whatever comes next and says what happened.
    ///
    /// # Errors
    /// A device that gives no results; the session cannot go on then.
    pub async fn advance(&mut self) -> Result<Vec<Event>, TrainError> {
        let mut events = std::mem::take(&mut self.untold);
        if self.pace != Pace::Paused || matches!(self.activity, Activity::Closing) {
            self.clock.start();
            match self.activity {
                Activity::Training => self.train(&mut events).await?,
                Activity::Validating(measurement) => {
                    self.validate(measurement, &mut events).await?;
                }
                Activity::Scoring(measurement) => self.score(measurement, &mut events).await?,
                Activity::Closing => {
                    self.read(&mut events).await?;
                    if !matches!(self.activity, Activity::Ended(_)) {
                        self.end(if self.is_stopped {
                            State::Stopped
                        } else {
                            State::Finished
                        });
                    }
                }
                Activity::Ended(_) => {}
            }
        }
        if self.pace == Pace::Single {
            self.pace = Pace::Paused;
        }
        if self.pace == Pace::Paused {
            self.read(&mut events).await?;
            self.clock.stop();
        }
        let state = self.state();
        if self.told != Some(state) {
            self.told = Some(state);
            events.push(Event::State(state));
        }
        Ok(events)
    }

    /// The session as it is now, and what happened in the steps that had to be waited for; no
    /// snapshot of a run that turns out to have failed.
    ///
    /// # Errors
    /// A device that gives no results.
    pub async fn snapshot(&mut self) -> Result<(Vec<Event>, Option<Snapshot>), TrainError> {
        let mut events = std::mem::take(&mut self.untold);
        self.read(&mut events).await?;
        let next = match self.activity {
            Activity::Training => Next::Train,
            Activity::Validating(_) => Next::Validate,
            Activity::Scoring(_) => Next::Score,
            Activity::Closing | Activity::Ended(State::Stopped | State::Finished) => Next::Nothing,
            Activity::Ended(_) => return Ok((events, None)),
        };
        let holdings = self.engine.holdings().await?;
        let snapshot = Snapshot {
            config: self.config,
            data: self.data.clone(),
            step: self.step,
            next,
            is_stopped: self.is_stopped,
            epoch: self.epoch,
            elapsed_secs: self.clock.elapsed().as_secs_f64(),
            weights: holdings.weights,
            weights_step: self.weights_step,
            optimizer: holdings.optimizer,
            best: self
                .best
                .zip(holdings.best)
                .map(|(measured, weights)| Best { measured, weights }),
            to_beat: self.to_beat,
            warm_up_steps: self.warm_up_steps,
        };
        Ok((events, Some(snapshot)))
    }

    async fn train(&mut self, events: &mut Vec<Event>) -> Result<(), TrainError> {
        let draw = self.batches.draw(self.step);
        let learning_rate = self.config.rate_after(self.step, self.warm_up_steps);
        let found = self.engine.train(&draw, learning_rate).await?;
        self.step += 1;
        self.weights_step = self.step;
        self.in_flight.push(InFlight {
            step: self.step,
            learning_rate,
            labels: draw.labels(&self.split.training),
            found,
        });
        let ends_epoch = self.plan.ends_epoch(self.step);
        let validates = self.plan.validates_after(self.step);
        if self.is_read_due() || ends_epoch || validates {
            self.read(events).await?;
        }
        if matches!(self.activity, Activity::Ended(_)) {
            return Ok(());
        }
        if ends_epoch {
            events.push(Event::Epoch(
                self.moment(self.step),
                Quality::of(&self.epoch),
            ));
            self.epoch = Tally::default();
        }
        if validates && !self.split.validation.images().is_empty() {
            self.activity = Activity::Validating(Measurement::default());
        } else {
            self.continue_training();
        }
        Ok(())
    }

    fn continue_training(&mut self) {
        self.activity = if self.step < self.plan.total_steps() {
            Activity::Training
        } else {
            Activity::Scoring(Measurement::default())
        };
    }

    async fn validate(
        &mut self,
        mut measurement: Measurement,
        events: &mut Vec<Event>,
    ) -> Result<(), TrainError> {
        let (part, which) = (Part::Validation, Which::Current);
        if self.measure(part, which, &mut measurement, events).await? {
            let measured = Measured {
                moment: self.moment(self.step),
                value: Quality::of(&measurement.tally),
            };
            self.keep_answers(measured.moment, Part::Validation);
            events.push(Event::Validation(measured.moment, measured.value));
            self.restart_throughput();
            self.continue_training();
            self.keep_best(measured);
            self.stop_early(events);
        } else {
            self.activity = Activity::Validating(measurement);
        }
        Ok(())
    }

    fn keep_best(&mut self, measured: Measured<Quality>) {
        let beats = |before: Option<Measured<Quality>>| {
            let loss = measured.value.loss;
            loss.is_finite() && before.is_none_or(|before| loss < before.value.loss)
        };
        if beats(self.best) {
            self.best = Some(measured);
            self.engine.keep_best();
        }
        if beats(self.to_beat) {
            self.to_beat = Some(measured);
        }
    }

    /// Ends training where the settings' patience is over, with the best weights; Keras'
    /// `EarlyStopping` with `restore_best_weights`, counted in epochs.
    fn stop_early(&mut self, events: &mut Vec<Event>) {
        let (Some(patience), Some(to_beat), Some(best)) =
            (self.config.patience, self.to_beat, self.best)
        else {
            return;
        };
        let waited = self.step - to_beat.moment.step;
        if waited >= patience.saturating_mul(self.plan.steps_per_epoch) {
            self.engine.restore_best();
            self.weights_step = best.moment.step;
            self.activity = Activity::Scoring(Measurement::default());
            events.push(Event::StoppedEarly(
                self.moment(self.step),
                self.weights_step,
            ));
        }
    }

    async fn score(
        &mut self,
        mut measurement: Measurement,
        events: &mut Vec<Event>,
    ) -> Result<(), TrainError> {
        self.read(events).await?;
        if matches!(self.activity, Activity::Ended(_)) {
            return Ok(());
        }
        let (part, which) = (Part::Test, Which::Best);
        if self.measure(part, which, &mut measurement, events).await? {
            let score = Score::of(&measurement.tally);
            let moment = self.moment(self.step);
            events.push(Event::Score(moment, score));
            self.keep_answers(moment, Part::Test);
            self.activity = Activity::Closing;
        } else {
            self.activity = Activity::Scoring(measurement);
        }
        Ok(())
    }

    /// Measures the next images of a part and says whether they were the last.
    async fn measure(
        &mut self,
        part: Part,
        which: Which,
        measurement: &mut Measurement,
        events: &mut Vec<Event>,
    ) -> Result<bool, TrainError> {
        let images = self.split.part(part);
        let (first, total) = (measurement.next, images.len());
        let measured = first..(first + self.engine.measured_at_once()).min(total);
        let logits = self.engine.logits(which, part, measured.clone()).await?;
        measurement.next = measured.end;
        let labels = &images.labels()[measured];
        check_logits(&logits, labels)?;
        if first == 0 {
            self.answers = Predictions::default();
        }
        measurement.tally.add(&logits, labels);
        // Of a network that diverges there is nothing to look at; the next step's loss will say so.
        if self.answers.len() == first && self.answers.add(&logits, labels).is_err() {
            self.answers = Predictions::default();
        }
        events.push(Event::Measuring {
            images: measurement.next as u32,
            total: total as u32,
        });
        Ok(measurement.next == total)
    }

    fn keep_answers(&mut self, moment: Moment, part: Part) {
        self.measured = Some(Answers {
            moment,
            part,
            predictions: std::mem::take(&mut self.answers),
        });
    }

    /// What was answered in the last validation or score, once.
    pub fn take_answers(&mut self) -> Option<Answers> {
        self.measured.take()
    }

    fn is_read_due(&self) -> bool {
        match self.read_back {
            ReadBack::EveryStep => true,
            ReadBack::Batched => {
                self.counted.is_none()
                    || self.in_flight.len() >= self.most_in_flight
                    || self.last_read.elapsed() >= INTERVAL
            }
        }
    }

    /// Waits for the steps under way and tells how they went.
    async fn read(&mut self, events: &mut Vec<Event>) -> Result<(), TrainError> {
        let steps = std::mem::take(&mut self.in_flight);
        if steps.is_empty() {
            return Ok(());
        }
        let results = engine::read(steps.iter().map(|step| step.found.clone()).collect()).await?;
        if results.len() != steps.len() {
            return Err(too_few("steps", results.len(), steps.len()));
        }
        self.most_in_flight = next_in_flight(steps.len(), self.last_read.elapsed());
        self.last_read = Instant::now();
        for (step, results) in steps.into_iter().zip(results) {
            let (norm, logits) = results.split_last().unwrap_or((&f32::NAN, &[]));
            check_logits(logits, &step.labels)?;
            let mut tally = Tally::default();
            tally.add(logits, &step.labels);
            self.epoch.add(logits, &step.labels);
            let moment = self.moment(step.step);
            let trained = Trained {
                quality: Quality::of(&tally),
                learning_rate: step.learning_rate,
                gradient_norm: f64::from(*norm),
            };
            if !trained.quality.loss.is_finite() || !trained.gradient_norm.is_finite() {
                events.push(Event::Diverged(moment, trained));
                self.end(State::Failed);
                return Ok(());
            }
            events.push(Event::Step(moment, trained));
        }
        self.tell_throughput(events);
        Ok(())
    }

    fn tell_throughput(&mut self, events: &mut Vec<Event>) {
        let now = self.clock.elapsed();
        // The first step compiles the kernels; it says nothing about the speed to come.
        let Some((step, then)) = self.counted else {
            self.counted = Some((self.step, now));
            return;
        };
        let passed = now.saturating_sub(then);
        if passed >= THROUGHPUT_INTERVAL && self.step > step {
            let images = self.plan.images_after(self.step) - self.plan.images_after(step);
            let rate = images as f64 / passed.as_secs_f64();
            events.push(Event::Throughput(self.moment(self.step), rate));
            self.counted = Some((self.step, now));
        }
    }

    /// Leaves the time since the last throughput event out of the next.
    fn restart_throughput(&mut self) {
        self.counted = Some((self.step, self.clock.elapsed()));
    }

    fn end(&mut self, state: State) {
        self.clock.stop();
        self.activity = Activity::Ended(state);
    }

    fn moment(&self, step: u32) -> Moment {
        Moment {
            step,
            epoch: self.plan.epochs_after(step),
            images: self.plan.images_after(step),
            elapsed_secs: self.clock.elapsed().as_secs_f64(),
        }
    }
}

/// Refuses an answer that does not have ten logits for each image.
fn check_logits(logits: &[f32], labels: &[u8]) -> Result<(), TrainError> {
    let asked = labels.len() * CLASSES;
    if logits.len() == asked {
        return Ok(());
    }
    Err(too_few("logits", logits.len(), asked))
}

fn too_few(what: &str, found: usize, asked: usize) -> TrainError {
    TrainError::Device(format!("it answered {found} {what} instead of {asked}"))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::checkpoint::Values;
    use crate::dataset::Images;
    use crate::mnist::{FILES, Unpacker};
    use crate::spec::PARAMETER_COUNT;
    use crate::weights;

    /// Training on the test files' images; what a diverged run ends as does not depend on them.
    fn diverged(read_back: ReadBack) -> Session {
        let [labels, images] = [1, 2].map(|index| {
            let file: &'static crate::mnist::File = &FILES[index];
            let path = format!("{}/data/{}", env!("CARGO_MANIFEST_DIR"), file.name);
            let mut unpacker = Unpacker::new(file);
            unpacker.push(&std::fs::read(path).unwrap()).unwrap();
            unpacker.finish().unwrap()
        });
        let images = Images::from_idx(images, &labels).unwrap();
        let config = Config {
            training_images: 1_000,
            batch_size: 8,
            ..Config::default()
        };
        let dataset = Dataset::new(images.clone(), images, "test files");
        let mut session = Session::new(config, &dataset, Device::flex(), read_back).unwrap();
        // Adam bounds its steps, so no setting in range gets here quickly; a broken device may.
        give(&mut session, vec![f32::NAN; PARAMETER_COUNT]);
        session
    }

    fn give(session: &mut Session, weights: Vec<f32>) {
        let optimizer = session.config.optimizer;
        let holdings = Holdings {
            weights: Values(weights),
            optimizer: optimizer.initial_state(PARAMETER_COUNT),
            best: None,
        };
        let (place, split) = (Device::flex().into(), session.split.clone());
        session.engine = Engine::new(&place, &split, holdings, optimizer, session.step).unwrap();
    }

    fn run_to_end(session: &mut Session) -> Vec<Event> {
        pollster::block_on(async {
            let mut events = Vec::new();
            while session.wants_step() {
                events.extend(session.advance().await.unwrap());
            }
            events
        })
    }

    #[test]
    fn a_loss_that_is_no_number_ends_the_run_as_failed() {
        for read_back in [ReadBack::EveryStep, ReadBack::Batched] {
            let mut session = diverged(read_back);
            let events = run_to_end(&mut session);
            assert!(matches!(
                events.as_slice(),
                [Event::Diverged(Moment { step: 1, .. }, trained), Event::State(State::Failed)]
                    if trained.quality.loss.is_nan()
            ));
        }
    }

    #[test]
    fn as_many_steps_are_under_way_as_are_done_in_a_tenth_of_a_second() {
        let after = |steps, millis| next_in_flight(steps, Duration::from_millis(millis));
        assert_eq!(after(1, 0), 2);
        assert_eq!(after(2, 10), 4);
        assert_eq!(after(20, 10), MOST_IN_FLIGHT);
        assert_eq!(after(10, 100), 10);
        assert_eq!(after(8, 400), 2);
        assert_eq!(after(3, 10_000), 1);
    }

    #[test]
    fn stopping_a_diverged_run_does_not_hide_it() {
        let mut session = diverged(ReadBack::Batched);
        give(&mut session, weights::initial(42));
        // The first step is always read back; the second stays on the device.
        pollster::block_on(session.advance()).unwrap();
        give(&mut session, vec![f32::NAN; PARAMETER_COUNT]);
        session.last_read = Instant::now();
        session.most_in_flight = MOST_IN_FLIGHT;
        pollster::block_on(session.advance()).unwrap();
        session.command(Command::Stop);
        session.command(Command::SkipScoring);
        run_to_end(&mut session);
        assert_eq!(session.state(), State::Failed);
    }
}
