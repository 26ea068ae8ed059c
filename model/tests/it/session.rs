//! A run from its settings to its end: commands, events and what they say.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use burn::tensor::Device;
use kiln_model::batch::{Batches, evaluation_pixels};
use kiln_model::checkpoint::Snapshot;
use kiln_model::config::{Config, Setting, ValidateEvery, ValidateOn};
use kiln_model::dataset::{Dataset, Images};
use kiln_model::evaluation::Tally;
use kiln_model::event::{Command, Event, Moment, Quality, Score, State};
use kiln_model::history::History;
use kiln_model::optimizer::Optimizer;
use kiln_model::schedule::Schedule;
use kiln_model::train::network;
use kiln_model::train::session::{ReadBack, Session, TrainError};
use kiln_model::train::transfer::upload;
use kiln_model::weights;

use crate::{dataset, values};

/// A short run: 7 steps of 100 images, validated on 300 images after steps 2, 4, 6 and 7.
pub const SHORT: Config = Config {
    epochs: 1,
    batch_size: 100,
    learning_rate: 0.001,
    optimizer: Optimizer::Adam,
    schedule: Schedule::Constant,
    dropout: 0.5,
    validate_on: ValidateOn::Split,
    validation_split: 0.3,
    validate_every: ValidateEvery::Auto,
    patience: None,
    training_images: 1_000,
    seed: 42,
};

/// A run whose steps are many and take little time: 87 steps of 8 images.
const MANY_STEPS: Config = Config {
    batch_size: 8,
    ..SHORT
};

/// A session and everything it said.
pub struct Run {
    pub session: Session,
    pub events: Vec<Event>,
}

impl Run {
    pub fn new(config: Config) -> Self {
        Self::reading(config, ReadBack::EveryStep)
    }

    /// A run that goes on from a snapshot.
    pub fn resumed(snapshot: Snapshot) -> Self {
        let session = Session::resume(snapshot, dataset(), Device::flex(), ReadBack::EveryStep);
        Self {
            session: session.unwrap(),
            events: Vec::new(),
        }
    }

    fn reading(config: Config, read_back: ReadBack) -> Self {
        Self {
            session: Session::new(config, dataset(), Device::flex(), read_back).unwrap(),
            events: Vec::new(),
        }
    }

    pub fn command(&mut self, command: Command) {
        self.session.command(command);
    }

    /// Takes the next step and tells what it said, or that there was nothing to do.
    pub fn advance(&mut self) -> String {
        let wanted = self.session.wants_step();
        // A step that is not wanted is taken too, to see that nothing comes of it.
        let events = pollster::block_on(self.session.advance()).unwrap();
        let said: Vec<String> = events.iter().filter_map(words).collect();
        assert!(
            wanted || events.is_empty(),
            "nothing was to be done, but: {said:?}"
        );
        self.events.extend(events);
        if wanted {
            said.join(", ")
        } else {
            "waits".to_owned()
        }
    }

    pub fn advance_by(&mut self, steps: usize) {
        for _ in 0..steps {
            self.advance();
        }
    }

    /// Goes on to the end of training, without scoring.
    pub fn train(&mut self) {
        while self.session.state() == State::Running {
            self.advance();
        }
        self.command(Command::SkipScoring);
        self.finish();
    }

    /// Goes on to the end.
    pub fn finish(&mut self) {
        while self.session.wants_step() {
            self.advance();
        }
    }

    /// The session as it is now; what had to be waited for is told as by a step.
    pub fn snapshot(&mut self) -> Snapshot {
        let (events, snapshot) = pollster::block_on(self.session.snapshot()).unwrap();
        self.events.extend(events);
        snapshot.unwrap()
    }

    fn weights(&mut self) -> Vec<f32> {
        self.snapshot().weights.0
    }

    /// How many training steps were told of.
    fn steps(&self) -> usize {
        self.events
            .iter()
            .filter(|event| matches!(event, Event::Step(..)))
            .count()
    }
}

/// All that was measured.
pub fn history(events: &[Event]) -> History {
    let mut history = History::default();
    for event in events {
        history.apply(event);
    }
    history
}

/// An event in words, without figures; none for the throughput, which comes when it will.
pub fn words(event: &Event) -> Option<String> {
    Some(match event {
        Event::State(state) => format!("{state:?}"),
        Event::Step(moment, _) => format!("step {}", moment.step),
        Event::Epoch(moment, _) => format!("epoch {}", moment.epoch),
        Event::Validation(moment, _) => format!("validation after {}", moment.step),
        Event::Throughput(..) => return None,
        Event::Measuring { images, total } => format!("{images} of {total}"),
        Event::Score(..) => "score".to_owned(),
        Event::Edited(_, edit) => edit.describe(),
        Event::EditRefused(_, edit) => format!("not {}", edit.describe()),
        Event::StoppedEarly(moment, best) => format!("{} is no better than {best}", moment.step),
        Event::Diverged(moment, _) => format!("diverged at {}", moment.step),
    })
}

fn figures(event: &Event) -> Option<(Moment, Quality)> {
    match event {
        Event::Step(moment, trained) => Some((*moment, trained.quality)),
        Event::Epoch(moment, quality) | Event::Validation(moment, quality) => {
            Some((*moment, *quality))
        }
        _ => None,
    }
}

/// What a run said of its training, time left out.
pub fn training(events: &[Event]) -> Vec<(String, Quality)> {
    let told = events
        .iter()
        .filter_map(|event| words(event).zip(figures(event)));
    told.map(|(words, (_, quality))| (words, quality)).collect()
}

/// The short run from start to end: its events, and the session at the end.
fn whole_run() -> &'static (Vec<Event>, Snapshot) {
    static RUN: OnceLock<(Vec<Event>, Snapshot)> = OnceLock::new();
    RUN.get_or_init(|| {
        let mut run = Run::new(SHORT);
        run.finish();
        let snapshot = run.snapshot();
        (run.events, snapshot)
    })
}

/// Loss and accuracy over images, measured in parts of another size than the session's.
fn measure(weights: &[f32], images: &Images) -> Tally {
    const AT_ONCE: usize = 250;
    let weights = upload(weights.to_vec(), &Device::flex());
    let mut tally = Tally::default();
    for first in (0..images.len()).step_by(AT_ONCE) {
        let pixels = evaluation_pixels(images, first..first + AT_ONCE);
        tally.add(
            &values(network::logits(&weights, pixels)),
            &images.labels()[first..],
        );
    }
    tally
}

/// Between losses over the same images, whose logits were computed in parts of different sizes and
/// so perhaps with sums in another order: rounding of logits below 8, whose spacing is 5e-7.
const MEASURED_TOLERANCE: f64 = 1e-6;

#[test]
fn a_run_says_what_happens_in_order() {
    let said: Vec<String> = whole_run().0.iter().filter_map(words).collect();
    let mut expected: Vec<String> = [
        "step 1",
        "Running",
        "step 2",
        "200 of 300",
        "300 of 300",
        "validation after 2",
        "step 3",
        "step 4",
        "200 of 300",
        "300 of 300",
        "validation after 4",
        "step 5",
        "step 6",
        "200 of 300",
        "300 of 300",
        "validation after 6",
        "step 7",
        "epoch 1",
        "200 of 300",
        "300 of 300",
        "validation after 7",
        "Finishing",
    ]
    .map(str::to_owned)
    .into();
    expected.extend(
        (200..=10_000)
            .step_by(200)
            .map(|images| format!("{images} of 10000")),
    );
    expected.extend(["score", "Finished"].map(str::to_owned));
    assert_eq!(said, expected);
}

#[test]
fn moments_count_steps_images_and_epochs() {
    let moments = whole_run()
        .0
        .iter()
        .filter_map(figures)
        .map(|(moment, _)| moment);
    let mut elapsed = 0.0;
    for moment in moments {
        assert_eq!(moment.images, u64::from(moment.step) * 100);
        assert_eq!(moment.epoch, f64::from(moment.step) / 7.0);
        assert!(
            moment.elapsed_secs > elapsed,
            "{} after {elapsed}",
            moment.elapsed_secs
        );
        elapsed = moment.elapsed_secs;
    }
}

/// All steps have the same size, so an epoch's figures are the means of theirs.
#[test]
fn an_epochs_figures_are_the_means_of_its_steps() {
    let mut run = Run::new(Config {
        epochs: 2,
        batch_size: 350,
        ..SHORT
    });
    run.train();
    let (mut steps, mut epochs) = (Vec::new(), 0);
    for event in &run.events {
        match event {
            Event::Step(_, trained) => steps.push(trained.quality),
            Event::Epoch(_, epoch) => {
                let [one, two] = steps[..] else {
                    unreachable!("an epoch of {steps:?}")
                };
                // Only 64-bit sums in another order.
                assert!((epoch.loss - (one.loss + two.loss) / 2.0).abs() < 1e-12);
                assert!((epoch.accuracy - (one.accuracy + two.accuracy) / 2.0).abs() < 1e-12);
                steps.clear();
                epochs += 1;
            }
            _ => {}
        }
    }
    assert_eq!(epochs, 2);
}

#[test]
fn the_score_is_over_all_test_images() {
    let (events, end) = whole_run();
    let scores: Vec<Score> = events
        .iter()
        .filter_map(|event| match event {
            Event::Score(_, score) => Some(*score),
            _ => None,
        })
        .collect();
    let expected = measure(end.best_weights(), dataset().test().images());
    let [score] = scores[..] else {
        unreachable!("one score, but {} were told", scores.len())
    };
    assert_eq!(score.images, 10_000);
    assert_eq!(score.correct as usize, expected.correct());
    assert_eq!(score.quality.accuracy, f64::from(score.correct) / 10_000.0);
    assert!((score.quality.loss - expected.loss()).abs() < MEASURED_TOLERANCE);
}

/// 300 images are one full step of 200 and one that is half empty.
#[test]
fn a_validation_is_over_all_validation_images() {
    let (events, end) = whole_run();
    let last = events.iter().rev().find_map(|event| match event {
        Event::Validation(_, quality) => Some(*quality),
        _ => None,
    });
    let split = dataset().split(1_000, 300, ValidateOn::Split);
    let expected = measure(&end.weights.0, split.validation.images());
    assert_eq!(expected.images(), 300);
    assert_eq!(last.unwrap().accuracy, expected.accuracy());
    assert!((last.unwrap().loss - expected.loss()).abs() < MEASURED_TOLERANCE);
}

#[test]
fn the_test_set_validates_where_asked() {
    let mut run = Run::new(Config {
        validate_on: ValidateOn::TestSet,
        batch_size: 500,
        ..SHORT
    });
    // All 1,000 images are trained on: two steps an epoch, each with a validation.
    assert_eq!(run.session.plan().total_steps(), 2);
    assert_eq!(run.advance(), "step 1, Running");
    assert_eq!(run.advance(), "200 of 10000");
}

/// Where in a run a command comes, and how to get there.
#[derive(Clone, Copy, Debug)]
enum Place {
    Fresh,
    Training,
    TrainingPaused,
    Validating,
    ValidatingPaused,
    ScoringAfterStop,
    ScoringPaused,
    ScoringAtTheEnd,
    ScoringSkipped,
    Stopped,
}

impl Place {
    fn reach(self) -> Run {
        let mut run = Run::new(SHORT);
        let (before, command, after) = match self {
            Self::Fresh => (0, None, 0),
            Self::Training => (1, None, 0),
            Self::TrainingPaused => (1, Some(Command::Pause), 1),
            Self::Validating => (3, None, 0),
            Self::ValidatingPaused => (3, Some(Command::Pause), 1),
            Self::ScoringAfterStop => (1, Some(Command::Stop), 1),
            // 7 steps and 4 validations of 2 steps.
            Self::ScoringAtTheEnd => (15, None, 0),
            Self::ScoringPaused => return Self::ScoringAfterStop.reach_with(Command::Pause, 1),
            Self::ScoringSkipped => {
                return Self::ScoringAfterStop.reach_with(Command::SkipScoring, 0);
            }
            Self::Stopped => return Self::ScoringAfterStop.reach_with(Command::SkipScoring, 1),
        };
        run.advance_by(before);
        if let Some(command) = command {
            run.command(command);
        }
        run.advance_by(after);
        run
    }

    fn reach_with(self, command: Command, after: usize) -> Run {
        let mut run = self.reach();
        run.command(command);
        run.advance_by(after);
        run
    }
}

/// What the next two steps say after each command at a place.
fn check_commands(place: Place, state: State, expected: [(Command, [&str; 2]); 5]) {
    for (command, says) in expected {
        let mut run = place.reach();
        assert_eq!(run.session.state(), state, "{place:?}");
        run.command(command);
        assert_eq!(
            [run.advance(), run.advance()],
            says,
            "{command:?} at {place:?}"
        );
    }
}

const WAITS: [&str; 2] = ["waits", "waits"];

#[test]
fn commands_before_the_first_step() {
    check_commands(
        Place::Fresh,
        State::Running,
        [
            (Command::Pause, ["Paused", "waits"]),
            (Command::Resume, ["step 1, Running", "step 2"]),
            (Command::Step, ["step 1, Paused", "waits"]),
            (Command::Stop, ["200 of 10000, Finishing", "400 of 10000"]),
            (Command::SkipScoring, ["step 1, Running", "step 2"]),
        ],
    );
}

#[test]
fn commands_while_training() {
    check_commands(
        Place::Training,
        State::Running,
        [
            (Command::Pause, ["Paused", "waits"]),
            (Command::Resume, ["step 2", "200 of 300"]),
            (Command::Step, ["step 2, Paused", "waits"]),
            (Command::Stop, ["200 of 10000, Finishing", "400 of 10000"]),
            (Command::SkipScoring, ["step 2", "200 of 300"]),
        ],
    );
    check_commands(
        Place::TrainingPaused,
        State::Paused,
        [
            (Command::Pause, WAITS),
            (Command::Resume, ["step 2, Running", "200 of 300"]),
            (Command::Step, ["step 2", "waits"]),
            (Command::Stop, ["200 of 10000, Finishing", "400 of 10000"]),
            (Command::SkipScoring, WAITS),
        ],
    );
}

#[test]
fn commands_while_validating() {
    check_commands(
        Place::Validating,
        State::Running,
        [
            (Command::Pause, ["Paused", "waits"]),
            (
                Command::Resume,
                ["300 of 300, validation after 2", "step 3"],
            ),
            (
                Command::Step,
                ["300 of 300, validation after 2, Paused", "waits"],
            ),
            (Command::Stop, ["200 of 10000, Finishing", "400 of 10000"]),
            (
                Command::SkipScoring,
                ["300 of 300, validation after 2", "step 3"],
            ),
        ],
    );
    check_commands(
        Place::ValidatingPaused,
        State::Paused,
        [
            (Command::Pause, WAITS),
            (
                Command::Resume,
                ["300 of 300, validation after 2, Running", "step 3"],
            ),
            (Command::Step, ["300 of 300, validation after 2", "waits"]),
            (Command::Stop, ["200 of 10000, Finishing", "400 of 10000"]),
            (Command::SkipScoring, WAITS),
        ],
    );
}

#[test]
fn commands_while_scoring() {
    check_commands(
        Place::ScoringAfterStop,
        State::Finishing,
        [
            (Command::Pause, ["Paused", "waits"]),
            (Command::Resume, ["400 of 10000", "600 of 10000"]),
            (Command::Step, ["400 of 10000, Paused", "waits"]),
            (Command::Stop, ["Stopped", "waits"]),
            (Command::SkipScoring, ["Stopped", "waits"]),
        ],
    );
    check_commands(
        Place::ScoringPaused,
        State::Paused,
        [
            (Command::Pause, WAITS),
            (Command::Resume, ["400 of 10000, Finishing", "600 of 10000"]),
            (Command::Step, ["400 of 10000", "waits"]),
            (Command::Stop, ["Stopped", "waits"]),
            (Command::SkipScoring, ["Stopped", "waits"]),
        ],
    );
    check_commands(
        Place::ScoringAtTheEnd,
        State::Finishing,
        [
            (Command::Pause, ["Paused", "waits"]),
            (Command::Resume, ["200 of 10000", "400 of 10000"]),
            (Command::Step, ["200 of 10000, Paused", "waits"]),
            (Command::Stop, ["Finished", "waits"]),
            (Command::SkipScoring, ["Finished", "waits"]),
        ],
    );
}

#[test]
fn commands_at_the_end_change_nothing() {
    let commands = [
        Command::Pause,
        Command::Resume,
        Command::Step,
        Command::Stop,
        Command::SkipScoring,
    ];
    let ends = commands.map(|command| (command, ["Stopped", "waits"]));
    check_commands(Place::ScoringSkipped, State::Finishing, ends);
    check_commands(
        Place::Stopped,
        State::Stopped,
        commands.map(|command| (command, WAITS)),
    );
}

#[test]
fn a_stopped_run_is_scored_as_far_as_it_got() {
    let mut run = Run::new(SHORT);
    run.advance_by(2);
    let trained = run.weights();
    run.command(Command::Stop);
    run.finish();
    let said: Vec<String> = run.events.iter().filter_map(words).collect();
    assert_eq!(
        said[said.len() - 3..],
        ["10000 of 10000", "score", "Stopped"]
    );
    assert!(
        !said.iter().any(|words| words.starts_with("epoch")),
        "{said:?}"
    );
    assert_eq!(run.steps(), 2);
    assert_eq!(run.weights(), trained);
}

#[test]
fn a_skipped_scoring_has_no_score() {
    let mut run = Run::new(SHORT);
    run.train();
    assert_eq!(run.session.state(), State::Finished);
    assert!(
        !run.events
            .iter()
            .any(|event| matches!(event, Event::Score(..)))
    );
    assert_eq!(run.steps(), 7);
}

#[test]
fn the_same_settings_give_the_same_run() {
    let (events, end) = whole_run();
    let mut again = Run::new(SHORT);
    assert_eq!(again.weights(), weights::initial(SHORT.seed));
    again.train();
    assert_eq!(training(&again.events), training(events));
    assert_eq!(again.weights(), end.weights.0);
}

#[test]
fn the_seed_decides_weights_order_and_dropout() {
    let weights = |seed| Run::new(Config { seed, ..SHORT }).weights();
    assert_ne!(weights(42), weights(43));
    let batch = |seed| {
        let split = dataset().split(1_000, 300, ValidateOn::Split);
        Batches::new(split.training, 100, 0.5, seed).next(0)
    };
    assert_eq!(batch(42), batch(42));
    assert_ne!(batch(42).labels, batch(43).labels);
    assert_ne!(batch(42).dropout, batch(43).dropout);
}

#[test]
fn a_run_of_single_steps_and_pauses_is_the_same_run() {
    let (events, end) = whole_run();
    let mut paused = Run::new(SHORT);
    // Training and measuring steps one by one, then some with a pause between.
    for _ in 0..9 {
        paused.command(Command::Step);
        paused.advance();
        assert_eq!(paused.session.state(), State::Paused);
    }
    paused.command(Command::Resume);
    paused.advance();
    paused.command(Command::Pause);
    paused.advance();
    paused.command(Command::Resume);
    paused.train();
    assert_eq!(training(&paused.events), training(events));
    assert_eq!(paused.weights(), end.weights.0);
}

#[test]
fn pauses_do_not_count_as_time() {
    let mut run = Run::new(SHORT);
    let mut busy = Duration::ZERO;
    for _ in 0..3 {
        run.command(Command::Step);
        let start = Instant::now();
        run.advance();
        busy += start.elapsed();
        // The pause: as long as the step of another run takes.
        Run::new(SHORT).advance();
    }
    let (last, _) = run.events.iter().rev().find_map(figures).unwrap();
    assert!(last.elapsed_secs > 0.0 && last.elapsed_secs <= busy.as_secs_f64());
}

#[test]
fn reading_back_in_batches_says_the_same() {
    let mut each = Run::new(MANY_STEPS);
    each.train();
    let mut batched = Run::reading(MANY_STEPS, ReadBack::Batched);
    let mut most_at_once = 0;
    while batched.session.state() == State::Running {
        let before = batched.steps();
        batched.advance();
        most_at_once = most_at_once.max(batched.steps() - before);
    }
    batched.command(Command::SkipScoring);
    batched.finish();
    assert!(most_at_once > 1, "every step was read back by itself");
    let said = |run: &Run| run.events.iter().filter_map(words).collect::<Vec<_>>();
    assert_eq!(said(&batched), said(&each));
    assert_eq!(training(&batched.events), training(&each.events));
    assert_eq!(batched.weights(), each.weights());
}

/// However a run is interrupted, no step that was done goes untold.
#[test]
fn an_interruption_reads_back_what_is_under_way() {
    for commands in [
        &[Command::Pause][..],
        &[Command::Stop],
        &[Command::Stop, Command::SkipScoring],
    ] {
        let mut run = Run::reading(MANY_STEPS, ReadBack::Batched);
        run.advance_by(4);
        for command in commands {
            run.command(*command);
        }
        run.advance();
        assert_eq!(run.steps(), 4, "{commands:?}");
    }
}

#[test]
fn more_training_images_than_there_are_is_an_error() {
    let test = dataset().test().images().clone();
    let small = Dataset::new(test.clone(), test, "small");
    let config = Config {
        training_images: 10_001,
        ..SHORT
    };
    let error = Session::new(config, &small, Device::flex(), ReadBack::EveryStep).unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Images {
                asked: 10_001,
                available: 10_000
            }
        ),
        "{error}"
    );
    let config = Config {
        training_images: 10_000,
        ..SHORT
    };
    assert!(Session::new(config, &small, Device::flex(), ReadBack::EveryStep).is_ok());
}

#[test]
fn a_setting_out_of_its_range_is_an_error() {
    for (setting, config) in [
        (Setting::Epochs, Config { epochs: 0, ..SHORT }),
        (
            Setting::BatchSize,
            Config {
                batch_size: 1_025,
                ..SHORT
            },
        ),
        (
            Setting::LearningRate,
            Config {
                learning_rate: f64::NAN,
                ..SHORT
            },
        ),
        (
            Setting::Dropout,
            Config {
                dropout: 1.0,
                ..SHORT
            },
        ),
        (
            Setting::ValidationSplit,
            Config {
                validation_split: 0.5,
                ..SHORT
            },
        ),
        (
            Setting::TrainingImages,
            Config {
                training_images: 999,
                ..SHORT
            },
        ),
    ] {
        let error =
            Session::new(config, dataset(), Device::flex(), ReadBack::EveryStep).unwrap_err();
        assert!(
            matches!(&error, TrainError::Setting(error) if error.setting == setting),
            "{setting:?}: {error}"
        );
    }
}

/// 150 steps over 800 images. Guessing is right on a tenth of the 200 validation images, give or
/// take 2 %; the trained network on about nine tenths, give or take 2 %. Three quarters are seven
/// deviations below that.
#[test]
fn a_run_learns() {
    let mut run = Run::new(Config {
        epochs: 6,
        batch_size: 32,
        validation_split: 0.2,
        ..SHORT
    });
    assert_eq!(run.session.plan().total_steps(), 150);
    run.train();
    let validations: Vec<f64> = run
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Validation(_, quality) => Some(quality.accuracy),
            _ => None,
        })
        .collect();
    assert!(*validations.last().unwrap() >= 0.75, "{validations:?}");
}
