//! Trains the course's two runs on the CPU for three seeds and holds the figures against the
//! course's report and against Keras.
//!
//! `cargo run --release -p kiln-model --features train --example reproduce`
#![allow(
    clippy::print_stdout,
    reason = "a program whose result is a printed table"
)]

use std::error::Error;
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::thread;

use burn::tensor::Device;
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::event::{Event, Quality, Score};
use kiln_model::mnist;
use kiln_model::preset::Preset;
use kiln_model::train::session::{ReadBack, Session, TrainError};

const SEEDS: [u32; 3] = [42, 43, 44];

/// A run of the course: what others got, and where our figures must lie.
struct Expected {
    preset: Preset,
    course: &'static str,
    keras: [f64; 4],
    training_loss: RangeInclusive<f64>,
    training_accuracy: RangeInclusive<f64>,
    test_accuracy: RangeInclusive<f64>,
}

const RUNS: [Expected; 2] = [
    Expected {
        preset: Preset::CourseRun1,
        course: "1.084 | 0.67 | | ",
        // Keras 3.15 on 2 cores: training loss and accuracy, test loss and accuracy.
        keras: [1.042, 0.696, 0.260, 0.929],
        training_loss: 0.92..=1.20,
        training_accuracy: 0.62..=0.75,
        test_accuracy: 0.90..=1.0,
    },
    Expected {
        preset: Preset::CourseRun2,
        course: "0.06 | 0.98 | | ",
        keras: [0.0581, 0.9817, 0.0338, 0.9885],
        training_loss: 0.050..=0.068,
        training_accuracy: 0.978..=1.0,
        test_accuracy: 0.985..=1.0,
    },
];

/// The last epoch's means over the training images, and the score on the test images.
type Outcome = (Quality, Score);

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data/");
    let files = mnist::FILES
        .each_ref()
        .map(|file| std::fs::read(format!("{folder}{}", file.name)));
    let [a, b, c, d] = files;
    let dataset = mnist::unpack([&a?, &b?, &c?, &d?])?;

    println!("| Run | Training loss | Training accuracy | Test loss | Test accuracy |");
    println!("|---|---|---|---|---|");
    let mut all_inside = true;
    for run in RUNS {
        let outcomes: Vec<Result<Outcome, TrainError>> = thread::scope(|scope| {
            let seeds = SEEDS.map(|seed| {
                let config = Config {
                    seed,
                    ..run.preset.config()
                };
                let dataset = &dataset;
                scope.spawn(move || pollster::block_on(train(config, dataset)))
            });
            seeds
                .into_iter()
                .filter_map(|seed| seed.join().ok())
                .collect()
        });
        if outcomes.len() != SEEDS.len() {
            return Err("a training thread panicked".into());
        }
        let name = run.preset.label();
        println!("| {name}, the course | {}|", run.course);
        let [loss, accuracy, test_loss, test_accuracy] = run.keras;
        println!("| {name}, Keras 3.15 | {loss} | {accuracy} | {test_loss} | {test_accuracy} |");
        for (seed, outcome) in SEEDS.iter().zip(outcomes) {
            let (training, score) = outcome?;
            println!(
                "| {name}, Kiln, seed {seed} | {:.4} | {:.4} | {:.4} | {:.4} |",
                training.loss, training.accuracy, score.quality.loss, score.quality.accuracy
            );
            for (figure, value, range) in [
                ("training loss", training.loss, &run.training_loss),
                (
                    "training accuracy",
                    training.accuracy,
                    &run.training_accuracy,
                ),
                ("test accuracy", score.quality.accuracy, &run.test_accuracy),
            ] {
                if !range.contains(&value) {
                    all_inside = false;
                    eprintln!(
                        "{name}, seed {seed}: {figure} {value:.4} is outside {} to {}.",
                        range.start(),
                        range.end()
                    );
                }
            }
        }
    }
    Ok(if all_inside {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn train(config: Config, dataset: &Dataset) -> Result<Outcome, TrainError> {
    let mut session = Session::new(config, dataset, Device::flex(), ReadBack::EveryStep)?;
    let (mut epoch, mut score) = (None, None);
    while session.wants_step() {
        for event in session.advance().await? {
            match event {
                Event::Epoch(moment, quality) => {
                    eprintln!(
                        "seed {}: epoch {} in {:.0} s, loss {:.4}, accuracy {:.4}",
                        config.seed,
                        moment.epoch,
                        moment.elapsed_secs,
                        quality.loss,
                        quality.accuracy
                    );
                    epoch = Some(quality);
                }
                Event::Score(_, result) => score = Some(result),
                _ => {}
            }
        }
    }
    epoch
        .zip(score)
        .ok_or_else(|| TrainError::Device("the loss is no longer a number".to_owned()))
}
