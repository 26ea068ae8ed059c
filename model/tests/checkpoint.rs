//! The checkpoint's reader: what was written comes back exactly, and nothing else comes back.
#![allow(
    clippy::unwrap_used,
    reason = "a test that finds nothing to unwrap has failed"
)]

use kiln_model::checkpoint::{
    Best, Checkpoint, CheckpointError, Next, Snapshot, Values, read, write,
};
use kiln_model::config::{Config, Edit};
use kiln_model::evaluation::Tally;
use kiln_model::event::{Event, Moment, Quality, Score, Trained};
use kiln_model::history::{History, Measured};
use kiln_model::optimizer::Optimizer;
use kiln_model::spec::PARAMETER_COUNT;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const HEADER_BYTES: usize = 24;

fn at(step: u32) -> Moment {
    Moment {
        step,
        epoch: f64::from(step) / 3.0,
        images: u64::from(step) * 128,
        elapsed_secs: f64::from(step) * 0.1,
    }
}

fn values(divisor: f32) -> Values {
    Values(
        (0..PARAMETER_COUNT)
            .map(|index| index as f32 / divisor)
            .collect(),
    )
}

/// A checkpoint that has one of everything, with numbers that no short decimal gives.
fn checkpoint(optimizer: Optimizer) -> Checkpoint {
    let third = Quality {
        loss: 1.0 / 3.0,
        accuracy: 2.0 / 3.0,
    };
    let trained = Trained {
        quality: third,
        learning_rate: 1e-3 / 7.0,
        gradient_norm: 10.0_f64.sqrt(),
    };
    let score = Score {
        quality: third,
        correct: 6_666,
        images: 10_000,
    };
    let mut history = History::default();
    for event in [
        Event::Step(at(1), trained),
        Event::Step(at(2), trained),
        Event::Edited(at(2), Edit::LearningRate(0.1 + 0.2)),
        Event::Epoch(at(2), third),
        Event::Validation(at(2), third),
        Event::Throughput(at(2), 1e3 / 7.0),
        Event::Score(at(2), score),
        Event::StoppedEarly(at(2), 1),
        Event::Diverged(
            at(3),
            Trained {
                gradient_norm: f64::INFINITY,
                ..trained
            },
        ),
    ] {
        history.apply(&event);
    }
    let mut epoch = Tally::default();
    epoch.add(
        &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0 / 3.0],
        &[3],
    );
    Checkpoint {
        snapshot: Snapshot {
            config: Config {
                optimizer,
                learning_rate: 0.1 + 0.2,
                patience: Some(3),
                ..Config::default()
            },
            data: "data".to_owned(),
            step: 2,
            next: Next::Validate,
            is_stopped: true,
            epoch,
            elapsed_secs: 0.1 + 0.7,
            weights: values(7.0),
            weights_step: 1,
            optimizer: optimizer
                .state_names()
                .iter()
                .map(|name| ((*name).to_owned(), values(11.0)))
                .collect(),
            best: Some(Best {
                measured: Measured {
                    moment: at(1),
                    value: third,
                },
                weights: values(9.0),
            }),
            to_beat: Some(Measured {
                moment: at(2),
                value: third,
            }),
            warm_up_steps: 7,
        },
        history,
    }
}

#[test]
fn what_was_written_is_read_back_exactly() {
    for optimizer in Optimizer::ALL {
        let checkpoint = checkpoint(optimizer);
        assert!(
            read(&write(&checkpoint).unwrap()).unwrap() == checkpoint,
            "{optimizer:?}"
        );
    }
}

#[test]
fn numbers_that_are_none_come_back_too() {
    let mut checkpoint = checkpoint(Optimizer::Adam);
    checkpoint.history.validations[0].value.loss = f64::INFINITY;
    checkpoint.snapshot.best = None;
    checkpoint.snapshot.to_beat = None;
    checkpoint.history.score = None;
    checkpoint.history.stopped_early = None;
    checkpoint.history.diverged = None;
    assert!(read(&write(&checkpoint).unwrap()).unwrap() == checkpoint);
}

#[test]
fn a_cut_file_is_refused_wherever_it_is_cut() {
    let file = write(&checkpoint(Optimizer::Adam)).unwrap();
    for len in (0..file.len()).step_by(97) {
        let error = read(&file[..len]).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Length { .. }),
            "{len} bytes: {error}"
        );
    }
    let longer = [file.as_slice(), &[0]].concat();
    assert!(matches!(read(&longer), Err(CheckpointError::Length { .. })));
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is() {
    let mut file = write(&checkpoint(Optimizer::Adam)).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(97);
    let bits = 8 * file.len();
    // All of the header, and 2,000 places anywhere.
    let places = (0..8 * HEADER_BYTES).chain((0..2_000).map(|_| rng.random_range(0..bits)));
    for bit in places.collect::<Vec<_>>() {
        file[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&file).is_err(), "bit {bit}");
        file[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(read(&file).is_ok());
}

#[test]
fn each_refusal_says_why() {
    let file = write(&checkpoint(Optimizer::Adam)).unwrap();
    assert_eq!(
        read(b"PK\x03\x04 some other file"),
        Err(CheckpointError::NotACheckpoint)
    );
    let mut newer = file.clone();
    newer[8] = 2;
    assert_eq!(read(&newer), Err(CheckpointError::Version { found: 2 }));
    let mut altered = file.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    assert_eq!(read(&altered), Err(CheckpointError::Altered));

    // A file that is whole, but whose network has another name for its last layer.
    let body = &file[HEADER_BYTES..];
    let name = b"weights.fc.weight";
    let place = body
        .windows(name.len())
        .position(|bytes| bytes == name)
        .unwrap();
    let mut other = body.to_vec();
    other[place + name.len() - 1] = b'x';
    let crc = crc32fast::hash(&other).to_le_bytes();
    let other = [&file[..20], &crc, &other].concat();
    let error = read(&other).unwrap_err();
    assert!(
        matches!(&error, CheckpointError::OtherNetwork(why) if why.contains("fc.weight")),
        "{error}"
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut checkpoint = checkpoint(Optimizer::Adam);
    checkpoint.snapshot.config.epochs = 51;
    let error = read(&write(&checkpoint).unwrap()).unwrap_err();
    assert!(error.to_string().contains("Epochs"), "{error}");
    checkpoint.snapshot.config.epochs = 1;
    checkpoint.snapshot.step = 422;
    let error = read(&write(&checkpoint).unwrap()).unwrap_err();
    assert!(error.to_string().contains("422 of 421 steps"), "{error}");
}

/// Written by the Kiln of 0a433c2, which knew nothing of a failed step, of patience that begins
/// anew, or of a warm-up that cannot come back; its weights are 0, 1, … 7 over and over.
#[test]
fn a_checkpoint_of_an_older_kiln_is_read() {
    let packed = include_bytes!("fixtures/first-checkpoint.gz");
    let mut file = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut file).unwrap();
    let Checkpoint { snapshot, history } = read(&file).unwrap();
    assert_eq!((snapshot.step, snapshot.weights_step), (2, 2));
    assert_eq!(snapshot.weights.0[13], 5.0);
    assert_eq!(snapshot.to_beat, snapshot.best.map(|best| best.measured));
    assert_eq!(snapshot.warm_up_steps, 0);
    assert_eq!((history.steps.len(), history.edits.len()), (2, 1));
    assert_eq!(history.score.map(|score| score.value.correct), Some(6_666));
    assert!(history.stopped_early.is_none() && history.diverged.is_none());
}
