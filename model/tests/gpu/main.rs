//! The GPU's kernels against the CPU's, on whatever adapter wgpu finds; a software one will do.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    reason = "a test that finds nothing to unwrap has failed"
)]

mod logits;
mod run;
mod step;

use std::sync::OnceLock;

use burn::tensor::{Device, DeviceKind};
use kiln_model::batch::Batches;
use kiln_model::checkpoint::Values;
use kiln_model::config::ValidateOn;
use kiln_model::dataset::{Dataset, Split};
use kiln_model::mnist;
use kiln_model::optimizer::Optimizer;
use kiln_model::random::{Purpose, numbers, uniform};
use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};
use kiln_model::train::engine::Holdings;
use kiln_model::train::gpu::{self, Gpu, Reading};
use kiln_model::weights;

const SEED: u32 = 42;

/// What stands for all four rules where they do not matter: the velocity of one step is the
/// gradient times the rate.
const PLAIN: Optimizer = Optimizer::Sgd { momentum: 0.0 };

fn device() -> Device {
    Device::wgpu(DeviceKind::DefaultDevice)
}

/// MNIST as Kiln ships it, unpacked once for all tests.
fn dataset() -> &'static Dataset {
    static DATASET: OnceLock<Dataset> = OnceLock::new();
    DATASET.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
        let files = mnist::FILES
            .each_ref()
            .map(|file| std::fs::read(format!("{folder}/{}", file.name)).unwrap());
        mnist::unpack(files.each_ref().map(Vec::as_slice)).unwrap()
    })
}

fn split() -> Split {
    dataset().split(5_000, 0, ValidateOn::TestSet)
}

fn batches(images: usize, dropout: f64) -> Batches {
    Batches::new(split().training, images, dropout, SEED)
}

/// Initial weights with biases up to ±0.1, so that no unit lies exactly on its ReLU's kink.
fn shifted_weights() -> Vec<f32> {
    let mut weights = weights::initial(SEED);
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        if parameter.shape.len() == 1 {
            let mut rng = numbers(SEED, Purpose::Weights, index as u64);
            weights[parameter.range()].fill_with(|| 0.2 * uniform(&mut rng) - 0.1);
        }
    }
    weights
}

/// A run that has done no step.
fn start(weights: Vec<f32>, optimizer: Optimizer) -> Gpu {
    let holdings = Holdings {
        weights: Values(weights),
        optimizer: optimizer.initial_state(PARAMETER_COUNT),
        best: None,
    };
    Gpu::new(&device().into(), &split(), &holdings, optimizer, 0).unwrap()
}

fn holdings(gpu: &Gpu) -> Holdings {
    pollster::block_on(gpu.holdings()).unwrap()
}

fn read(step: Reading) -> Vec<f32> {
    let mut read = pollster::block_on(gpu::read(vec![step])).unwrap();
    read.pop().unwrap()
}
