//! The trained network and its optimisers against Keras, its gradients against differences, and a run's commands.
#![allow(
    clippy::unwrap_used,
    reason = "a test that finds nothing to unwrap has failed"
)]

mod crew;
mod driver;
mod edits;
mod fused;
mod gradients;
mod keras;
mod reference;
mod resume;
mod session;
mod update;

use std::sync::OnceLock;

use burn::tensor::Tensor;
use kiln_model::dataset::Dataset;
use kiln_model::mnist;
use kiln_model::train::transfer::download;

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

/// The values of a tensor.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    pollster::block_on(download(tensor)).unwrap()
}
