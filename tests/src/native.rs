//! The network outside the browser, to hold the page's answers against.

use std::path::PathBuf;

use burn::tensor::Device;
use kiln_model::batch::evaluation_pixels;
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::event::State;
use kiln_model::history::History;
use kiln_model::mnist;
use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};
use kiln_model::train::network;
use kiln_model::train::session::{ReadBack, Session};
use kiln_model::train::transfer::{download, upload};

use crate::HarnessError;
use crate::server::dist;

/// The weights in a safetensors file, in the order of the network's parameters.
///
/// # Errors
/// A file that does not hold them, in their shapes.
pub fn weights(file: &[u8]) -> Result<Vec<f32>, HarnessError> {
    let tensors = safetensors::SafeTensors::deserialize(file)
        .map_err(|error| unreadable("the file of weights", &error))?;
    let mut weights = vec![0.0; PARAMETER_COUNT];
    for parameter in PARAMETERS {
        let tensor = tensors
            .tensor(parameter.name)
            .map_err(|error| unreadable(parameter.name, &error))?;
        if tensor.shape() != parameter.shape {
            let shape = format!("its shape is {:?}", tensor.shape());
            return Err(unreadable(parameter.name, &shape));
        }
        let (values, _) = tensor.data().as_chunks::<4>();
        for (weight, value) in weights[parameter.range()].iter_mut().zip(values) {
            *weight = f32::from_le_bytes(*value);
        }
    }
    Ok(weights)
}

/// MNIST, as the built page has it.
///
/// # Errors
/// Files that are not there, or are not MNIST.
pub fn dataset() -> Result<Dataset, HarnessError> {
    let mut files = Vec::new();
    for file in mnist::FILES {
        files.push(std::fs::read(dist().join("data").join(file.name))?);
    }
    let files: [Vec<u8>; mnist::FILES.len()] = files
        .try_into()
        .map_err(|_| unreadable("MNIST", &"a file is missing"))?;
    mnist::unpack(files.each_ref().map(Vec::as_slice)).map_err(|error| unreadable("MNIST", &error))
}

/// Ten logits for each of `count` test images from `first` on.
///
/// # Errors
/// A device that does not answer.
pub async fn logits(
    weights: &[f32],
    dataset: &Dataset,
    first: usize,
    count: usize,
) -> Result<Vec<f32>, HarnessError> {
    let weights = upload(weights.to_vec(), &Device::flex());
    let pixels = evaluation_pixels(dataset.test().images(), first..first + count);
    download(network::logits(&weights, pixels))
        .await
        .map_err(|error| unreadable("the logits", &error))
}

/// The fingerprint of a run with these settings.
///
/// # Errors
/// Settings out of range, or a run that does not get to its end.
pub async fn fingerprint(config: Config) -> Result<String, HarnessError> {
    let unfinished = |error| unreadable("the run", &error);
    let dataset = dataset()?;
    let session = Session::new(config, &dataset, Device::flex(), ReadBack::EveryStep);
    let mut session = session.map_err(unfinished)?;
    let mut history = History::default();
    while session.state() == State::Running {
        for event in session.advance().await.map_err(unfinished)? {
            history.apply(&event);
        }
    }
    history
        .fingerprint()
        .ok_or_else(|| unreadable("the run", &"it has no steps"))
}

/// The command line, which is built beside the tests.
///
/// # Errors
/// It was not built.
pub fn kiln() -> Result<PathBuf, HarnessError> {
    let test = std::env::current_exe()?;
    let name = format!("kiln{}", std::env::consts::EXE_SUFFIX);
    // A test lies one folder deeper than a program.
    let folders = test.ancestors().skip(1).take(2);
    let mut places = folders.map(|folder| folder.join(&name));
    if let Some(kiln) = places.find(|kiln| kiln.exists()) {
        return Ok(kiln);
    }
    Err(unreadable(
        "the command line",
        &format!("{name} is not built: cargo build --release --package kiln-cli"),
    ))
}

fn unreadable(what: &str, why: &impl std::fmt::Display) -> HarnessError {
    HarnessError::Unreadable {
        what: what.to_owned(),
        answer: why.to_string(),
    }
}
