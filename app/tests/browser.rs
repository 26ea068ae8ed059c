//! Training in a real Chromium, on the CPU and on WebGPU: both must agree.
//!
//! Runs with the features and the profile of the GPU worker, so that burn is compiled once.
#![cfg(target_arch = "wasm32")]
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::RefCell;

use burn::tensor::Device;
use kiln_app::browser::codec::{decode, encode};
use kiln_app::worker::constructors;
use kiln_model::batch::{Batch, Batches, Draw};
use kiln_model::checkpoint::{Values, write};
use kiln_model::config::{Config, Edit, ValidateOn};
use kiln_model::dataset::{Dataset, Images, Split};
use kiln_model::event::{Command, Event, Quality, Score};
use kiln_model::optimizer::{Optimizer, VELOCITY};
use kiln_model::random::{Purpose, numbers, uniform};
use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};
use kiln_model::train::engine::{Holdings, Place, Tiles};
use kiln_model::train::fused::{Examples, Network};
use kiln_model::train::gpu::Gpu;
use kiln_model::train::network;
use kiln_model::train::session::{ReadBack, Session};
use kiln_model::train::transfer::{download, upload};
use kiln_model::weights;
use kiln_run::protocol::{
    Answer, Data, DataChoices, DataFile, FromWorker, Question, RunId, ToWorker,
};
use kiln_run::run::checkpoint::Checkpoint;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TEST_IMAGES: &[u8] = include_bytes!("../../model/data/t10k-images-idx3-ubyte.0fa7898d.gz");
const TEST_LABELS: &[u8] = include_bytes!("../../model/data/t10k-labels-idx1-ubyte.ff7bcfd4.gz");

/// Both devices add the same f32 products in other orders: each sum of up to 15,000 terms is off
/// by some 1e-6 of its size. Adam divides by √v, so gradients near zero can turn such an error
/// into a whole step of 0.001; after 200 steps the losses, from 2.3 to 0.2, still agree this far.
const LOSS_TOLERANCE: f64 = 1e-3;
/// Of the largest gradient of the same parameter: sums of up to 150,000 terms in another order,
/// and on the GPU activations that lack their lowest two bits, are off by up to 1e-6.
const GRADIENT_TOLERANCE: f32 = 1e-5;

/// The test files' images as training images: enough to compare two devices on.
fn dataset() -> Dataset {
    let inflate = |bytes: &[u8], file: usize| {
        let mut unpacker = kiln_model::mnist::Unpacker::new(&kiln_model::mnist::FILES[file]);
        unpacker.push(bytes).unwrap();
        unpacker.finish().unwrap()
    };
    let images = Images::from_idx(inflate(TEST_IMAGES, 2), &inflate(TEST_LABELS, 1)).unwrap();
    Dataset::new(images.clone(), images, "test files")
}

fn config() -> Config {
    Config {
        epochs: 4,
        batch_size: 16,
        training_images: 1_000,
        dropout: 0.5,
        ..Config::default()
    }
}

/// WebGPU can be opened once in a page; every test that needs it shares the device.
async fn gpu() -> Device {
    thread_local! {
        static OPENED: RefCell<Option<Device>> = const { RefCell::new(None) };
    }
    if let Some(device) = OPENED.with_borrow(Clone::clone) {
        return device;
    }
    constructors::call();
    let device = Device::wgpu_options()
        .tasks_max(64)
        .init_async()
        .await
        .unwrap();
    OPENED.set(Some(device.clone()));
    device
}

async fn losses(device: Device, read_back: ReadBack, steps: usize) -> Vec<f64> {
    let mut session = Session::new(config(), &dataset(), device, read_back).unwrap();
    go_on(&mut session, steps).await
}

/// The losses of the next steps.
async fn go_on(session: &mut Session, steps: usize) -> Vec<f64> {
    let mut losses = Vec::new();
    while losses.len() < steps {
        losses.extend(told(session.advance().await.unwrap()));
    }
    losses.truncate(steps);
    losses
}

#[wasm_bindgen_test]
async fn two_hundred_steps_lose_the_same_on_both() {
    const STEPS: usize = 200;
    let cpu = losses(Device::flex(), ReadBack::EveryStep, STEPS).await;
    let gpu = losses(gpu().await, ReadBack::Batched, STEPS).await;
    let apart = cpu
        .iter()
        .zip(&gpu)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    wasm_bindgen_test::console_log!("{STEPS} steps: losses at most {apart:.2e} apart");
    assert!(apart <= LOSS_TOLERANCE, "{apart}: {cpu:?} and {gpu:?}");
    // A network that learns nothing would agree as well.
    assert!(cpu[STEPS - 1] < cpu[0], "{cpu:?}");
}

/// Weights of no run yet, with biases, so that no unit of a blank place lies on its ReLU's kink.
fn weights() -> Vec<f32> {
    let mut weights = weights::initial(42);
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        if parameter.shape.len() == 1 {
            let mut rng = numbers(42, Purpose::Weights, index as u64);
            weights[parameter.range()].fill_with(|| 0.2 * uniform(&mut rng) - 0.1);
        }
    }
    weights
}

async fn by_burn(batch: &Batch) -> Vec<f32> {
    let weights = upload(weights(), &Device::flex());
    let found = network::gradients(&weights, batch, batch.labels.len()).unwrap();
    download(found.gradient).await.unwrap()
}

fn on_the_cpu(batch: &Batch) -> Vec<f32> {
    let examples = Examples {
        pixels: &batch.pixels,
        labels: &batch.labels,
        dropout: batch.dropout.as_ref(),
    };
    let images = batch.labels.len();
    let outcome = Network::new(&weights()).gradients(examples, images);
    outcome.sums.flat()
}

async fn on_the_gpu(split: &Split, draw: &Draw, tiles: Tiles) -> Vec<f32> {
    // Without momentum and at a rate of one, the velocity is the gradient turned around.
    let optimizer = Optimizer::Sgd { momentum: 0.0 };
    let holdings = Holdings {
        weights: Values(weights()),
        optimizer: optimizer.initial_state(PARAMETER_COUNT),
        best: None,
    };
    let place = Place {
        device: gpu().await,
        tiles,
    };
    let mut gpu = Gpu::new(&place, split, &holdings, optimizer, 0).unwrap();
    gpu.train(draw, 1.0);
    let velocity = gpu.holdings().await.unwrap().optimizer[VELOCITY].clone();
    velocity.0.iter().map(|velocity| -velocity).collect()
}

fn assert_close(found: &[f32], expected: &[f32], whose: &str) {
    assert_eq!(
        (found.len(), expected.len()),
        (PARAMETER_COUNT, PARAMETER_COUNT)
    );
    for parameter in PARAMETERS {
        let name = parameter.name;
        let (found, expected) = (&found[parameter.range()], &expected[parameter.range()]);
        let largest = expected.iter().fold(0.0_f32, |most, by| most.max(by.abs()));
        let apart = |(a, b): (&f32, &f32)| (a - b).abs();
        let most = found.iter().zip(expected).map(apart).fold(0.0, f32::max);
        wasm_bindgen_test::console_log!("{whose}, {name}: {:.2e} relative", most / largest);
        assert!(largest > 0.0, "{name}");
        assert!(
            most <= GRADIENT_TOLERANCE * largest,
            "{whose}, {name}: {most} of {largest}"
        );
    }
}

#[wasm_bindgen_test]
async fn gradients_are_those_of_burns_operations() {
    let split = dataset().split(1_000, 100, ValidateOn::Split);
    for (images, dropout) in [(16, 0.5), (33, 0.0), (128, 0.5)] {
        let draw = Batches::new(split.training.clone(), images, dropout, 42).draw(0);
        let batch = draw.whole(&split.training);
        let expected = by_burn(&batch).await;
        let cpu = on_the_cpu(&batch);
        assert_close(&cpu, &expected, "CPU");
        for tiles in [Tiles::Small, Tiles::Large] {
            let gpu = on_the_gpu(&split, &draw, tiles).await;
            assert_close(&gpu, &expected, &format!("GPU, {tiles:?}"));
        }
    }
}

#[wasm_bindgen_test]
async fn a_run_on_the_cpu_repeats_bit_for_bit() {
    let first = losses(Device::flex(), ReadBack::EveryStep, 10).await;
    assert_eq!(first, losses(Device::flex(), ReadBack::EveryStep, 10).await);
}

/// The losses of ten steps, with a run that ends after the fifth and goes on from its snapshot.
async fn interrupted(device: Device, read_back: ReadBack) -> Vec<f64> {
    let mut before = Session::new(config(), &dataset(), device.clone(), read_back).unwrap();
    let mut losses = Vec::new();
    for _ in 0..5 {
        losses.extend(told(before.advance().await.unwrap()));
    }
    let (events, snapshot) = before.snapshot().await.unwrap();
    losses.extend(told(events));
    assert_eq!(losses.len(), 5);
    // As it travels between worker and page.
    let kept = FromWorker::Kept {
        run: RunId(7),
        checkpoint: Checkpoint::new(write(&snapshot.unwrap()).unwrap()).unwrap(),
    };
    let FromWorker::Kept { checkpoint, .. } = decode(encode(&kept).unwrap()).unwrap() else {
        unreachable!("a message turned into another")
    };
    drop(before);
    let snapshot = checkpoint.snapshot().unwrap();
    let mut after = Session::resume(snapshot, &dataset(), device, read_back).unwrap();
    losses.extend(go_on(&mut after, 5).await);
    losses
}

fn told(events: Vec<Event>) -> impl Iterator<Item = f64> {
    events.into_iter().filter_map(|event| match event {
        Event::Step(_, trained) => Some(trained.quality.loss),
        _ => None,
    })
}

#[wasm_bindgen_test]
async fn a_resumed_run_on_the_cpu_is_the_uninterrupted_one() {
    let whole = losses(Device::flex(), ReadBack::EveryStep, 10).await;
    assert_eq!(
        interrupted(Device::flex(), ReadBack::EveryStep).await,
        whole
    );
}

#[wasm_bindgen_test]
async fn a_run_is_resumed_on_the_gpu_too() {
    let whole = losses(gpu().await, ReadBack::Batched, 10).await;
    let resumed = interrupted(gpu().await, ReadBack::Batched).await;
    let apart = whole.iter().zip(&resumed).map(|(a, b)| (a - b).abs());
    // The same sums on the same device; a GPU may still order some of them as it likes.
    assert!(
        apart.fold(0.0, f64::max) <= LOSS_TOLERANCE,
        "{whole:?} and {resumed:?}"
    );
}

#[wasm_bindgen_test]
fn messages_come_back_as_they_went() {
    // As large as the milliseconds that name a run.
    let run = RunId(1_763_900_000_000_123);
    for message in [
        ToWorker::Open {
            data: Data::Own {
                files: vec![DataFile {
                    name: "labels".to_owned(),
                    bytes: vec![0, 255],
                }],
                choices: DataChoices::default(),
            },
            workers: None,
        },
        ToWorker::Time,
        ToWorker::Ask {
            request: 7,
            question: Question::Labels { config: config() },
        },
        ToWorker::Forget { request: 7 },
        ToWorker::Start {
            run,
            config: config(),
            single_step: true,
        },
        ToWorker::Tell {
            run,
            command: Command::SkipScoring,
        },
        ToWorker::Tell {
            run,
            command: Command::Edit(Edit::Patience(None)),
        },
        ToWorker::Keep { run },
        ToWorker::Cancel { run },
    ] {
        assert_eq!(
            decode::<ToWorker>(encode(&message).unwrap()).unwrap(),
            message
        );
    }
    for message in [
        FromWorker::RunFailed {
            run,
            reason: "reason".to_owned(),
        },
        FromWorker::Answered {
            request: 7,
            answer: Answer::Evaluated {
                predictions: vec![1, 2, 3],
                score: Score {
                    quality: Quality {
                        loss: 0.25,
                        accuracy: 0.5,
                    },
                    correct: 1,
                    images: 2,
                },
            },
        },
        FromWorker::Answered {
            request: 8,
            answer: Answer::Labels([[5; 10]; 3]),
        },
    ] {
        assert_eq!(
            decode::<FromWorker>(encode(&message).unwrap()).unwrap(),
            message
        );
    }
}

#[wasm_bindgen_test]
fn a_message_that_is_none_is_an_error() {
    assert!(decode::<ToWorker>("nonsense".into()).is_err());
    assert!(decode::<FromWorker>(wasm_bindgen::JsValue::UNDEFINED).is_err());
}
