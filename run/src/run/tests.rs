//! A run as it happens, and as it is read.

use super::identity::{Identity, rarest_colour};
use super::names::{NAME_LETTERS, automatic_name, unused_name};
use super::reading::Reading;
use super::*;
use crate::classes::Classes;
use crate::device::Backend;
use crate::id::RunId;
use kiln_model::checkpoint::{self, Best, Next, Snapshot, Values};
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
        classes: Classes::default(),
        taken_up: Vec::new(),
    };
    Run::new(identity, Config::default(), "data".to_owned())
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

/// The checkpoint of such a snapshot.
pub(crate) fn checkpoint(snapshot: &Snapshot) -> Checkpoint {
    Checkpoint::new(checkpoint::write(snapshot).unwrap()).unwrap()
}

/// A run as the store gives it back, once it has taken all of it.
fn kept_and_read(run: &Run) -> Run {
    let Unkept { segment, .. } = run.unkept().unwrap();
    let mut reading = Reading::new(run.identity.clone());
    reading.take(&segment.unwrap().bytes);
    reading.end(run.checkpoint().map(|kept| Checkpoint::clone(kept)))
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
    run.keep(checkpoint(&snapshot(2)));
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
    run.keep(checkpoint(&snapshot(1)));
    run.interrupt();
    assert!(!run.take_score(1, score));
    run.close();
    // The best weights are those of step 1.
    assert!(!run.take_score(2, score));
    assert_eq!(run.history().score, None);
    assert!(run.take_score(1, score));
    let kept = kept_and_read(&run).history().score;
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
    run.keep(checkpoint(&snapshot(1)));
    run.apply(Event::Step(at(2), trained(1.5, 0.5)));
    let kept = run.as_kept().unwrap();
    assert_eq!((kept.steps_done(), kept.status()), (1, run.status()));
    assert_eq!(kept.weights(Weights::Last), run.weights(Weights::Last));
}

#[test]
fn a_rewound_run_has_what_its_checkpoint_had() {
    let mut run = new_run();
    run.apply(Event::Step(at(1), trained(2.25, 0.125)));
    run.keep(checkpoint(&snapshot(1)));
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
            run.keep(checkpoint(&snapshot(step)));
        }
        run.apply(Event::Step(at(2), trained(9.0, 0.125)));
        run.apply(Event::Diverged(at(3), trained(f64::NAN, 0.0)));
        run.apply(Event::State(State::Failed));
        let mut again = kept_and_read(&run);
        assert_eq!(again.status(), Status::Session(State::Failed));
        assert_eq!(again.history().steps, run.history().steps);
        assert_eq!(again.diverged().map(|row| row.moment.step), Some(3));
        assert_eq!(again.failure(), run.failure());
        again.reopen(again.config().epochs);
        again.rewind();
        assert_eq!(again.steps_done(), first_kept.unwrap_or(0));
        assert_eq!(again.diverged(), None);
    }
}

#[test]
fn a_keep_that_was_under_way_when_the_store_was_lost_takes_nothing_of_what_is_told_again() {
    let mut run = scored_run();
    let under_way = run.unkept().unwrap();
    run.tell_again();
    run.note_kept(&under_way);
    let again = run.unkept().unwrap();
    assert_eq!(again.segment.map(|segment| segment.first), Some(0));
    assert!(again.checkpoint.is_some());
}

#[test]
fn what_stopped_early_is_known_after_a_reload() {
    let mut run = new_run();
    run.apply(Event::Step(at(2), trained(2.25, 0.125)));
    run.apply(Event::StoppedEarly(at(2), 1));
    run.keep(checkpoint(&Snapshot {
        weights_step: 1,
        next: Next::Nothing,
        ..snapshot(2)
    }));
    let mut again = kept_and_read(&run);
    assert_eq!(again.stopped_early().map(|early| early.value), Some(1));
    assert_eq!(again.weights_step(Weights::Last), Some(1));
    again.reopen(9);
    again.rewind();
    assert_eq!(again.stopped_early(), None);
    assert_eq!((again.config().epochs, again.reopened()), (9, Some(9)));
}

/// The session goes on with what its checkpoint had, and so does the run, whatever the step says.
#[test]
fn an_edit_after_the_checkpoint_is_void_once_the_run_goes_back_to_it() {
    let mut run = new_run();
    run.apply(Event::Step(at(1), trained(2.25, 0.125)));
    run.keep(checkpoint(&snapshot(1)));
    run.apply(Event::Edited(at(1), Edit::LearningRate(0.5)));
    run.rewind();
    assert_eq!(run.config(), &Config::default());
    assert_eq!(run.history().edits, []);
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
    let seventh = |weights: Result<Option<Vec<f32>>, _>| weights.unwrap().map(|weights| weights[7]);
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

/// The run as it was before there were logs: a checkpoint that an older Kiln wrote, of two steps, an
/// edit and a score.
#[test]
fn a_run_of_an_older_kiln_is_read_with_all_its_figures() {
    let packed = include_bytes!("../../../model/tests/fixtures/first-checkpoint.gz");
    let mut file = Vec::new();
    let mut unpack = flate2::read::GzDecoder::new(&packed[..]);
    std::io::Read::read_to_end(&mut unpack, &mut file).unwrap();
    let identity = Identity {
        taken_up: vec![TakenUp {
            elapsed_secs: 0.0,
            clock_ms: 1_000.0,
            arithmetic: 1,
            device: String::new(),
        }],
        ..new_run().identity
    };
    let status = Status::Session(State::Finished);
    let run = Run::of_first_versions(identity.clone(), status, file).unwrap();
    let again = kept_and_read(&run);
    for run in [&run, &again] {
        let history = run.history();
        assert_eq!((run.steps_done(), history.edits.len()), (2, 1));
        assert_eq!(history.epochs.len() + history.validations.len(), 2);
        assert_eq!(history.score.map(|score| score.value.correct), Some(6_666));
        assert_eq!(run.status(), status);
        assert_eq!(run.identity, identity);
        assert_eq!(run.config().learning_rate, 0.1 + 0.2);
        assert!(run.is_of_older_arithmetic());
        assert_eq!(run.weights(Weights::Last).unwrap().unwrap()[13], 5.0);
    }
}
