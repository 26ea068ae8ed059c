//! Settings changed while a run is under way: when they hold, what they cannot do, and that
//! whatever a person presses the run can be kept.

use std::ops::Range;

use kiln_model::batch::Draw;
use kiln_model::checkpoint::{self, Next, Snapshot};
use kiln_model::config::{Config, Edit, ValidateEvery};
use kiln_model::dataset::Part;
use kiln_model::event::{Command, Event, State};
use kiln_model::optimizer::Optimizer;
use kiln_model::schedule::Schedule;
use kiln_model::train::crew::{Crew, Pending};
use kiln_model::train::fused::Outcome;
use kiln_model::train::session::TrainError;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::session::{Run, SHORT, history};

/// Epochs of 7 steps, each validated at its end.
const EPOCHS: Config = Config {
    epochs: 3,
    validate_every: ValidateEvery::Epoch,
    ..SHORT
};

/// Takes steps until the run has said something of which `is_it` is true.
fn advance_until(run: &mut Run, is_it: impl Fn(&Event) -> bool) {
    while !run.events.last().is_some_and(&is_it) {
        assert!(run.session.wants_step(), "it was never said");
        run.advance();
    }
}

/// Keeps a run as a file, which has to come back as it was.
fn keep(run: &mut Run) -> Snapshot {
    let snapshot = run.snapshot();
    let file = checkpoint::write(&snapshot).unwrap();
    let read = checkpoint::read(&file).unwrap();
    assert!(read == snapshot, "another checkpoint was read");
    read
}

#[test]
fn the_epoch_that_has_just_ended_can_be_the_last() {
    let mut run = Run::new(EPOCHS);
    advance_until(&mut run, |event| matches!(event, Event::Validation(..)));
    run.command(Command::Edit(Edit::Epochs(1)));
    assert_eq!(keep(&mut run).next, Next::Score);
    run.command(Command::SkipScoring);
    run.finish();
    assert_eq!(history(&run.events).steps.len(), 7);
    assert_eq!(run.session.state(), State::Finished);
    assert_eq!(keep(&mut run).step, 7);
}

#[test]
fn an_edit_that_comes_too_late_is_refused_aloud() {
    let mut run = Run::new(Config {
        epochs: 1,
        ..EPOCHS
    });
    while run.session.state() == State::Running {
        run.advance();
    }
    let edit = Edit::Epochs(9);
    run.command(Command::Edit(edit));
    assert!(run.session.wants_step());
    run.advance();
    let is_refusal =
        |event: &&Event| matches!(event, Event::EditRefused(_, refused) if *refused == edit);
    assert_eq!(run.events.iter().filter(is_refusal).count(), 1);
    assert_eq!(run.snapshot().config.epochs, 1);
}

/// The learning rates of a run whose epochs are changed after so many steps.
fn rates(epochs: u32, steps: usize, changed: u32) -> Vec<f64> {
    let mut run = Run::new(Config {
        epochs,
        schedule: Schedule::WarmUpCosine,
        ..EPOCHS
    });
    while history(&run.events).steps.len() < steps {
        run.advance();
    }
    run.command(Command::Edit(Edit::Epochs(changed)));
    // Kept and resumed, it goes on in the same way.
    run.advance();
    let mut again = Run::resumed(keep(&mut run));
    while history(&again.events).steps.len() < 7 && again.session.state() == State::Running {
        again.advance();
    }
    let mut events = run.events;
    events.extend(again.events);
    let steps = history(&events).steps;
    steps.iter().map(|step| step.value.learning_rate).collect()
}

#[test]
fn a_warm_up_ends_whatever_becomes_of_the_epochs() {
    // 3 epochs warm up over 2 of their 21 steps, 50 over 18 of 350, 4 over 2 of 28.
    let raised = rates(3, 4, 50);
    assert_eq!(raised[..2], [0.0005, 0.001]);
    // Not again from half of it: at the start of a longer cosine.
    assert!(
        raised[4..].iter().all(|rate| *rate > 0.000_99),
        "{raised:?}"
    );
    let lowered = rates(50, 4, 4);
    assert!(lowered[..4].is_sorted(), "{lowered:?}");
    assert!(lowered[5..].is_sorted_by(|a, b| a >= b), "{lowered:?}");
    assert!(lowered[5] > 0.0009, "{lowered:?}");
}

/// As in Keras, where each `fit` begins to wait anew. At such a rate plain descent bounces: no
/// epoch is better than an early one.
#[test]
fn a_run_that_is_continued_has_all_its_patience_again() {
    let mut run = Run::new(Config {
        epochs: 8,
        learning_rate: 0.5,
        optimizer: Optimizer::Sgd { momentum: 0.9 },
        patience: Some(2),
        ..EPOCHS
    });
    run.train();
    let first = history(&run.events);
    let early = first.stopped_early.unwrap();
    let snapshot = keep(&mut run);
    assert_eq!(snapshot.weights_step, early.value);
    assert!(early.moment.step < 8 * 7, "it was to end early");
    let mut again = Run::resumed(snapshot.reopened());
    again.train();
    let validations = history(&again.events).validations;
    assert!(validations.len() >= 2, "{validations:?}");
}

/// A crew whose answers lack their last number.
#[derive(Debug)]
struct Short;

impl Crew for Short {
    fn train<'a>(&'a mut self, _: &'a [f32], draw: &'a Draw) -> Pending<'a, Outcome> {
        let outcome = Outcome {
            logits: vec![0.0; 10 * draw.rows.len() - 1],
            ..Outcome::default()
        };
        Box::pin(std::future::ready(Ok(outcome)))
    }

    fn logits<'a>(
        &'a mut self,
        _: &'a [f32],
        _: Part,
        images: Range<usize>,
    ) -> Pending<'a, Vec<f32>> {
        let logits = vec![0.0; 10 * images.len() - 1];
        Box::pin(std::future::ready(Ok(logits)))
    }
}

#[test]
fn an_answer_that_is_too_short_is_the_devices_error() {
    let mut run = Run::new(SHORT);
    run.session.employ(Box::new(Short));
    let error = pollster::block_on(run.session.advance()).unwrap_err();
    assert!(
        matches!(&error, TrainError::Device(why) if why.contains("999 logits instead of 1000")),
        "{error}"
    );
    let mut run = Run::new(SHORT);
    run.advance_by(2);
    run.session.employ(Box::new(Short));
    let error = pollster::block_on(run.session.advance()).unwrap_err();
    assert!(
        matches!(&error, TrainError::Device(why) if why.contains("1999 logits instead of 2000")),
        "{error}"
    );
}

/// A command as a person in a hurry gives it.
fn any_command(rng: &mut ChaCha8Rng) -> Command {
    match rng.random_range(0..10) {
        0 => Command::Pause,
        1 | 2 => Command::Resume,
        3 => Command::Step,
        4 => Command::Edit(Edit::LearningRate(10_f64.powi(-rng.random_range(1..6)))),
        5 => Command::Edit(Edit::Patience(
            rng.random::<bool>().then(|| rng.random_range(1..4)),
        )),
        // Rare, or no run would come far.
        6 if rng.random_range(0..4) == 0 => Command::Stop,
        7 if rng.random_range(0..4) == 0 => Command::SkipScoring,
        _ => Command::Edit(Edit::Epochs(rng.random_range(1..5))),
    }
}

#[test]
fn whatever_a_person_presses_the_run_can_be_kept_and_read() {
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut run = Run::new(Config {
            epochs: rng.random_range(1..4),
            batch_size: 350,
            schedule: Schedule::ALL[seed as usize % Schedule::ALL.len()],
            ..EPOCHS
        });
        for _ in 0..60 {
            if run.session.state().has_ended() {
                break;
            }
            if rng.random_range(0..3) == 0 {
                run.command(any_command(&mut rng));
            }
            run.advance();
            let snapshot = keep(&mut run);
            if rng.random_range(0..8) == 0 {
                let events = std::mem::take(&mut run.events);
                run = Run::resumed(snapshot);
                run.events = events;
            }
        }
    }
}
