//! The checkpoint's reader: what was written comes back exactly, and nothing else comes back.
#![allow(
    clippy::unwrap_used,
    reason = "a test that finds nothing to unwrap has failed"
)]

use kiln_model::checkpoint::{
    Best, CheckpointError, Next, Snapshot, Values, history, outline, read, write,
};
use kiln_model::config::Config;
use kiln_model::evaluation::Tally;
use kiln_model::event::{Moment, Quality};
use kiln_model::history::Measured;
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

/// A session that has one of everything, with numbers that no short decimal gives.
fn snapshot(optimizer: Optimizer) -> Snapshot {
    let third = Quality {
        loss: 1.0 / 3.0,
        accuracy: 2.0 / 3.0,
    };
    let mut epoch = Tally::default();
    epoch.add(
        &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0 / 3.0],
        &[3],
    );
    Snapshot {
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
    }
}

#[test]
fn what_was_written_is_read_back_exactly() {
    for optimizer in Optimizer::ALL {
        let snapshot = snapshot(optimizer);
        let file = write(&snapshot).unwrap();
        assert!(read(&file).unwrap() == snapshot, "{optimizer:?}");
        assert_eq!(history(&file), Ok(None));
        let outline = outline(&file).unwrap();
        assert_eq!((outline.step, outline.weights_step), (2, 1));
        assert_eq!(
            (outline.best_step, outline.data.as_str()),
            (Some(1), "data")
        );
        assert_eq!(outline.config, snapshot.config);
        assert_eq!(outline.elapsed_secs, snapshot.elapsed_secs);
    }
}

#[test]
fn numbers_that_are_none_come_back_too() {
    let mut snapshot = snapshot(Optimizer::Adam);
    if let Some(best) = &mut snapshot.best {
        best.measured.value.loss = f64::INFINITY;
    }
    snapshot.to_beat = None;
    assert!(read(&write(&snapshot).unwrap()).unwrap() == snapshot);
    snapshot.best = None;
    assert!(read(&write(&snapshot).unwrap()).unwrap() == snapshot);
}

#[test]
fn a_cut_file_is_refused_wherever_it_is_cut() {
    let file = write(&snapshot(Optimizer::Adam)).unwrap();
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
    let mut file = write(&snapshot(Optimizer::Adam)).unwrap();
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
    let file = write(&snapshot(Optimizer::Adam)).unwrap();
    assert_eq!(
        read(b"PK\x03\x04 some other file"),
        Err(CheckpointError::NotACheckpoint)
    );
    let mut newer = file.clone();
    newer[8] = 3;
    assert_eq!(read(&newer), Err(CheckpointError::Version { found: 3 }));
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
    let mut snapshot = snapshot(Optimizer::Adam);
    snapshot.config.epochs = 51;
    let error = read(&write(&snapshot).unwrap()).unwrap_err();
    assert!(error.to_string().contains("Epochs"), "{error}");
    snapshot.config.epochs = 1;
    snapshot.step = 422;
    let error = read(&write(&snapshot).unwrap()).unwrap_err();
    assert!(error.to_string().contains("422 of 421 steps"), "{error}");
}

/// Written by the Kiln of 0a433c2, which knew nothing of a failed step, of patience that begins
/// anew, or of a warm-up that cannot come back; its weights are 0, 1, … 7 over and over.
#[test]
fn a_checkpoint_of_an_older_kiln_is_read() {
    let packed = include_bytes!("fixtures/first-checkpoint.gz");
    let mut file = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut file).unwrap();
    let snapshot = read(&file).unwrap();
    let history = history(&file).unwrap().unwrap();
    assert_eq!((snapshot.step, snapshot.weights_step), (2, 2));
    assert_eq!(snapshot.weights.0[13], 5.0);
    assert_eq!(snapshot.to_beat, snapshot.best.map(|best| best.measured));
    assert_eq!(snapshot.warm_up_steps, 0);
    assert_eq!((history.steps.len(), history.edits.len()), (2, 1));
    assert_eq!(history.score.map(|score| score.value.correct), Some(6_666));
    assert!(history.stopped_early.is_none() && history.diverged.is_none());
}
