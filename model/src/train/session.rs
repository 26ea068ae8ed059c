//! A run in progress: asked for one step at a time, it says what happened.
//!
//! Training, validating and scoring all go on in steps of one batch, and nothing here loops until
//! done, so every [`Command`] acts between two steps.

use std::time::Duration;

use burn::tensor::{Device, Tensor, TensorData};
use web_time::Instant;

use super::adam::Adam;
use super::network;
use crate::batch::{Batches, evaluation_pixels};
use crate::config::{Config, OutOfRange, Plan};
use crate::dataset::{Dataset, Images, TestImages, ValidationImages};
use crate::evaluation::Tally;
use crate::event::{Command, Event, Moment, Quality, Score, State};
use crate::spec::{CLASSES, PARAMETER_COUNT};
use crate::weights;

/// Images of one validation or scoring step.
const MEASURED_AT_ONCE: usize = 200;
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
    /// The device did not give its results.
    #[error("the device gave no results: {0}")]
    Device(String),
}

/// How often a session waits for the device to say how a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBack {
    /// After every step; right for a CPU, which has nothing to wait for.
    EveryStep,
    /// After the first step, then so rarely that a GPU is never kept waiting: when
    /// `INTERVAL` has passed or `MOST_IN_FLIGHT` steps are under way.
    Batched,
}

/// Longest time without reading back.
const INTERVAL: Duration = Duration::from_millis(100);
/// Most steps under way at once; a browser's queue knows no back-pressure.
const MOST_IN_FLIGHT: usize = 32;

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

/// A training step whose logits are still on the device.
#[derive(Debug)]
struct InFlight {
    step: u32,
    logits: Tensor<2>,
    labels: Vec<u8>,
}

/// A run in progress.
#[derive(Debug)]
pub struct Session {
    config: Config,
    plan: Plan,
    batches: Batches,
    validation: ValidationImages,
    test: TestImages,
    read_back: ReadBack,

    weights: Tensor<1>,
    adam: Adam,
    step: u32,
    activity: Activity,
    pace: Pace,
    stop_asked: bool,
    told: Option<State>,

    in_flight: Vec<InFlight>,
    last_read: Instant,
    epoch: Tally,
    clock: Stopwatch,
    counted: (u32, Duration),
}

impl Session {
    /// A run that has not done its first step.
    ///
    /// # Errors
    /// Settings outside their ranges, or more training images asked for than there are.
    pub fn new(
        config: Config,
        dataset: &Dataset,
        device: Device,
        read_back: ReadBack,
    ) -> Result<Self, TrainError> {
        config.check()?;
        let asked = config.training_images as usize;
        let available = dataset.training_len();
        if asked > available {
            return Err(TrainError::Images { asked, available });
        }
        let plan = config.plan();
        let split = dataset.split(asked, plan.validation_images as usize, config.validate_on);
        Ok(Self {
            batches: Batches::new(
                split.training,
                plan.batch_size as usize,
                config.dropout,
                config.seed,
            ),
            validation: split.validation,
            test: split.test,
            read_back,
            weights: upload(weights::initial(config.seed), &device),
            adam: Adam::new(&device),
            step: 0,
            activity: Activity::Training,
            pace: Pace::Running,
            stop_asked: false,
            told: None,
            in_flight: Vec::new(),
            last_read: Instant::now(),
            epoch: Tally::default(),
            clock: Stopwatch::default(),
            counted: (0, Duration::ZERO),
            config,
            plan,
        })
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
                self.stop_asked = true;
                self.activity = Activity::Scoring(Measurement::default());
                self.pace = Pace::Running;
            }
            // Training is over: what is left to stop is the scoring.
            Command::Stop => self.activity = Activity::Closing,
            Command::SkipScoring if scoring => self.activity = Activity::Closing,
            Command::SkipScoring => {}
        }
    }

    /// Does one step of whatever comes next and says what happened.
    ///
    /// # Errors
    /// A device that gives no results; the session cannot go on then.
    pub async fn advance(&mut self) -> Result<Vec<Event>, TrainError> {
        let mut events = Vec::new();
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
                        self.end(if self.stop_asked {
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

    /// All parameters, in the order of [`crate::spec::PARAMETERS`].
    ///
    /// # Errors
    /// A device that gives no results.
    pub async fn weights(&self) -> Result<Vec<f32>, TrainError> {
        download(self.weights.clone()).await
    }

    async fn train(&mut self, events: &mut Vec<Event>) -> Result<(), TrainError> {
        let batch = self.batches.next(self.step);
        let count = batch.labels.len();
        let found = network::gradients(&self.weights, &batch, count)
            .ok_or_else(|| TrainError::Device("a parameter has no gradient".to_owned()))?;
        self.weights = self.adam.apply(
            self.weights.clone(),
            found.gradient,
            self.config.learning_rate,
        );
        self.step += 1;
        self.in_flight.push(InFlight {
            step: self.step,
            logits: found.logits,
            labels: batch.labels,
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
            events.push(Event::Epoch(self.moment(self.step), quality(&self.epoch)));
            self.epoch = Tally::default();
        }
        if validates && !self.validation.images().is_empty() {
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
        let images = self.validation.images().clone();
        if self.measure(&images, &mut measurement, events).await? {
            events.push(Event::Validation(
                self.moment(self.step),
                quality(&measurement.tally),
            ));
            self.restart_throughput();
            self.continue_training();
        } else {
            self.activity = Activity::Validating(measurement);
        }
        Ok(())
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
        let images = self.test.images().clone();
        if self.measure(&images, &mut measurement, events).await? {
            events.push(Event::Score(Score {
                quality: quality(&measurement.tally),
                correct: measurement.tally.correct() as u32,
                images: measurement.tally.images() as u32,
            }));
            self.activity = Activity::Closing;
        } else {
            self.activity = Activity::Scoring(measurement);
        }
        Ok(())
    }

    /// Measures the next images and says whether they were the last.
    async fn measure(
        &self,
        images: &Images,
        measurement: &mut Measurement,
        events: &mut Vec<Event>,
    ) -> Result<bool, TrainError> {
        let rows = MEASURED_AT_ONCE.min(images.len());
        let pixels = evaluation_pixels(images, measurement.next, rows);
        let logits = download(network::logits(&self.weights, pixels)).await?;
        measurement
            .tally
            .add(&logits, &images.labels()[measurement.next..]);
        measurement.next = (measurement.next + rows).min(images.len());
        events.push(Event::Measuring {
            images: measurement.next as u32,
            total: images.len() as u32,
        });
        Ok(measurement.next == images.len())
    }

    fn is_read_due(&self) -> bool {
        match self.read_back {
            ReadBack::EveryStep => true,
            ReadBack::Batched => {
                self.step == 1
                    || self.in_flight.len() >= MOST_IN_FLIGHT
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
        let rows = steps.iter().map(|step| step.logits.clone()).collect();
        let logits = download(Tensor::cat(rows, 0)).await?;
        self.last_read = Instant::now();
        let mut rest = logits.as_slice();
        for step in steps {
            let (own, next) = rest.split_at((step.labels.len() * CLASSES).min(rest.len()));
            rest = next;
            let mut tally = Tally::default();
            tally.add(own, &step.labels);
            self.epoch.add(own, &step.labels);
            let moment = self.moment(step.step);
            if !tally.loss().is_finite() {
                events.push(Event::Diverged(moment, tally.loss()));
                self.end(State::Failed);
                return Ok(());
            }
            events.push(Event::Step(moment, quality(&tally)));
        }
        self.tell_throughput(events);
        Ok(())
    }

    fn tell_throughput(&mut self, events: &mut Vec<Event>) {
        let (step, then) = self.counted;
        let now = self.clock.elapsed();
        // The first step compiles the kernels; it says nothing about the speed to come.
        if step == 0 {
            self.counted = (self.step, now);
            return;
        }
        let passed = now.saturating_sub(then);
        if passed >= THROUGHPUT_INTERVAL && self.step > step {
            let images = self.plan.images_after(self.step) - self.plan.images_after(step);
            let rate = images as f64 / passed.as_secs_f64();
            events.push(Event::Throughput(self.moment(self.step), rate));
            self.counted = (self.step, now);
        }
    }

    /// Leaves the time since the last throughput event out of the next.
    fn restart_throughput(&mut self) {
        self.counted = (self.step, self.clock.elapsed());
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

fn quality(tally: &Tally) -> Quality {
    Quality {
        loss: tally.loss(),
        accuracy: tally.accuracy(),
    }
}

/// Puts all parameters on a device.
pub fn upload(weights: Vec<f32>, device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(weights, [PARAMETER_COUNT]), device)
}

/// Reads a tensor from its device.
///
/// # Errors
/// A device that gives no results.
pub async fn download<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, TrainError> {
    tensor
        .into_data_async()
        .await
        .map_err(|error| TrainError::Device(format!("{error:?}")))?
        .try_into_vec()
        .map_err(|error| TrainError::Device(format!("{error:?}")))
}

/// Time spent between starts and stops.
#[derive(Clone, Copy, Debug, Default)]
struct Stopwatch {
    before: Duration,
    since: Option<Instant>,
}

impl Stopwatch {
    fn start(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn stop(&mut self) {
        self.before = self.elapsed();
        self.since = None;
    }

    fn elapsed(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Images;
    use crate::mnist::{FILES, Unpacker};

    /// Training on the test files' images; what a diverged run ends as does not depend on them.
    fn diverged(read_back: ReadBack) -> Session {
        let [labels, images] = [1, 2].map(|index| {
            let file: &'static crate::mnist::File = &FILES[index];
            let path = format!("{}/data/{}", env!("CARGO_MANIFEST_DIR"), file.name);
            let mut unpacker = Unpacker::new(file);
            unpacker.push(&std::fs::read(path).unwrap()).unwrap();
            unpacker.finish().unwrap()
        });
        let images = Images::from_idx(&images, &labels).unwrap();
        let config = Config {
            training_images: 1_000,
            batch_size: 8,
            ..Config::default()
        };
        let dataset = Dataset::new(images.clone(), images);
        let mut session = Session::new(config, &dataset, Device::flex(), read_back).unwrap();
        // Adam bounds its steps, so no setting in range gets here quickly; a broken device may.
        session.weights = session.weights.mul_scalar(f32::NAN);
        session
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
                [Event::Diverged(Moment { step: 1, .. }, loss), Event::State(State::Failed)]
                    if loss.is_nan()
            ));
        }
    }

    #[test]
    fn stopping_a_diverged_run_does_not_hide_it() {
        let mut session = diverged(ReadBack::Batched);
        let healthy = upload(weights::initial(42), &Device::flex());
        let broken = std::mem::replace(&mut session.weights, healthy);
        // The first step is always read back; the second stays on the device.
        pollster::block_on(session.advance()).unwrap();
        session.weights = broken;
        session.last_read = Instant::now();
        pollster::block_on(session.advance()).unwrap();
        session.command(Command::Stop);
        session.command(Command::SkipScoring);
        run_to_end(&mut session);
        assert_eq!(session.state(), State::Failed);
    }
}
