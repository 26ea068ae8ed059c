//! A run that was interrupted, kept as a file and resumed is the run that never was.

use burn::tensor::Device;
use kiln_model::checkpoint::{self, Next};
use kiln_model::config::{Config, Edit};
use kiln_model::event::{Command, Event, State};
use kiln_model::optimizer::Optimizer;
use kiln_model::schedule::Schedule;
use kiln_model::train::session::{ReadBack, Session, TrainError};

use crate::dataset;
use crate::session::{Run, SHORT, history, training, words};

/// Two epochs of 4 steps, validated after every second one, at a rate that changes.
fn config(optimizer: Optimizer) -> Config {
    Config {
        epochs: 2,
        batch_size: 160,
        optimizer,
        schedule: Schedule::WarmUpCosine,
        validate_every: kiln_model::config::ValidateEvery::HalfEpoch,
        ..SHORT
    }
}

/// After so many asks: in the middle of an epoch, with a validation due, in a validation, and at
/// the end of an epoch.
const CUTS: [(usize, Next); 4] = [
    (1, Next::Train),
    (2, Next::Validate),
    (3, Next::Validate),
    (4, Next::Train),
];

#[test]
fn a_resumed_run_is_the_uninterrupted_one() {
    for optimizer in Optimizer::ALL {
        let mut whole = Run::new(config(optimizer));
        whole.train();
        let end = whole.snapshot();
        for (asks, next) in CUTS {
            let mut before = Run::new(config(optimizer));
            before.advance_by(asks);
            let snapshot = before.snapshot();
            assert_eq!(snapshot.next, next, "after {asks}");
            let file = checkpoint::write(&snapshot).unwrap();
            drop(before.session);

            let mut after = Run::resumed(checkpoint::read(&file).unwrap());
            after.train();
            let resumed = after.snapshot();
            assert!(
                resumed.weights == end.weights,
                "{optimizer:?} cut after {asks}"
            );
            assert!(
                resumed.optimizer == end.optimizer,
                "{optimizer:?} cut after {asks}"
            );
            let best = |snapshot: &checkpoint::Snapshot| {
                snapshot.best.as_ref().map(|best| best.measured.value)
            };
            assert_eq!(best(&resumed), best(&end));

            let mut events = before.events;
            events.extend(after.events);
            assert_eq!(
                training(&events),
                training(&whole.events),
                "{optimizer:?} cut after {asks}"
            );
            assert_eq!(
                history(&events).fingerprint(),
                history(&whole.events).fingerprint()
            );
        }
    }
}

#[test]
fn a_stopped_run_goes_on_where_it_stopped() {
    let mut whole = Run::new(config(Optimizer::Adam));
    whole.train();
    let mut stopped = Run::new(config(Optimizer::Adam));
    stopped.advance_by(1);
    stopped.command(Command::Stop);
    stopped.advance();
    stopped.command(Command::SkipScoring);
    stopped.finish();
    assert_eq!(stopped.session.state(), State::Stopped);
    let mut reopened = Run::resumed(stopped.snapshot().reopened());
    reopened.train();
    assert_eq!(reopened.session.state(), State::Finished);
    let mut events = stopped.events;
    events.extend(reopened.events);
    assert_eq!(training(&events), training(&whole.events));
}

#[test]
fn a_finished_run_goes_on_with_more_epochs() {
    let short = Config {
        epochs: 1,
        ..config(Optimizer::Adam)
    };
    let mut run = Run::new(Config {
        schedule: Schedule::Constant,
        ..short
    });
    run.finish();
    let mut snapshot = run.snapshot().reopened();
    Edit::Epochs(2).apply(&mut snapshot.config).unwrap();
    let mut longer = Run::resumed(snapshot);
    longer.train();
    let mut whole = Run::new(Config {
        schedule: Schedule::Constant,
        ..config(Optimizer::Adam)
    });
    whole.train();
    let mut events: Vec<Event> = run.events;
    events.extend(longer.events);
    assert_eq!(training(&events), training(&whole.events));
}

#[test]
fn without_more_epochs_there_is_nothing_to_go_on_with_but_the_score() {
    let mut run = Run::new(Config {
        epochs: 1,
        ..config(Optimizer::Adam)
    });
    run.train();
    let mut again = Run::resumed(run.snapshot().reopened());
    assert_eq!(again.advance(), "200 of 10000, Finishing");
}

#[test]
fn an_edit_holds_from_the_next_step_on_and_is_told() {
    let mut run = Run::new(Config {
        schedule: Schedule::Constant,
        ..config(Optimizer::Adam)
    });
    run.advance_by(1);
    run.command(Command::Edit(Edit::LearningRate(0.01)));
    assert_eq!(run.advance(), "Learning rate 0.01, step 2");
    let rates: Vec<f64> = history(&run.events)
        .steps
        .iter()
        .map(|step| step.value.learning_rate)
        .collect();
    assert_eq!(rates, [0.001, 0.01]);
    assert_eq!(run.snapshot().config.learning_rate, 0.01);
    // Out of its range: nothing changes.
    run.command(Command::Edit(Edit::LearningRate(7.0)));
    assert!(run.advance().starts_with("not Learning rate 7, 200 of 300"));
}

#[test]
fn the_epoch_under_way_is_always_finished() {
    let mut run = Run::new(config(Optimizer::Adam));
    // Four steps and two validations of two asks are the first epoch; then one step.
    run.advance_by(9);
    run.command(Command::Edit(Edit::Epochs(1)));
    assert!(run.advance().starts_with("Epochs 2, step 6"));
    let mut run = Run::new(config(Optimizer::Adam));
    run.command(Command::Edit(Edit::Epochs(1)));
    run.train();
    assert_eq!(run.snapshot().step, 4);
}

#[test]
fn a_paused_run_tells_an_edit_at_once() {
    let mut run = Run::new(config(Optimizer::Adam));
    run.advance_by(1);
    run.command(Command::Pause);
    run.advance();
    run.command(Command::Edit(Edit::Patience(Some(2))));
    assert!(run.session.wants_step());
    assert_eq!(run.advance(), "Patience 2");
    assert!(!run.session.wants_step());
}

/// At a rate of 1 plain descent bounces: no epoch is better than the first validation.
#[test]
fn without_patience_left_the_run_ends_with_its_best_weights() {
    let mut run = Run::new(Config {
        epochs: 6,
        learning_rate: 0.5,
        optimizer: Optimizer::Sgd { momentum: 0.9 },
        schedule: Schedule::Constant,
        patience: Some(2),
        validate_every: kiln_model::config::ValidateEvery::Epoch,
        ..config(Optimizer::Adam)
    });
    run.train();
    let said: Vec<String> = run.events.iter().filter_map(words).collect();
    let history = history(&run.events);
    let losses: Vec<f64> = history.validations.iter().map(|v| v.value.loss).collect();
    let best = (0..losses.len())
        .min_by(|a, b| losses[*a].total_cmp(&losses[*b]))
        .unwrap();
    let snapshot = run.snapshot();
    // Epochs are 4 steps; two without a better loss end the run.
    let (best_step, last_step) = (4 * (best + 1), 4 * losses.len());
    assert_eq!(last_step, best_step + 8, "{losses:?}");
    assert!(
        said.contains(&format!("{last_step} is no better than {best_step}")),
        "{said:?}"
    );
    assert!(snapshot.weights.0 == snapshot.best_weights());
    assert_eq!(run.session.state(), State::Finished);
}

#[test]
fn other_data_is_refused() {
    let mut run = Run::new(SHORT);
    let mut snapshot = run.snapshot();
    snapshot.data = "other".to_owned();
    let error = Session::resume(snapshot, dataset(), Device::flex(), ReadBack::EveryStep);
    assert!(matches!(error, Err(TrainError::OtherData)));
}
