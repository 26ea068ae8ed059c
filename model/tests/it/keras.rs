//! The same network, images and weights in Keras: `fixtures/keras.py` wrote what it computed.

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor};
use kiln_model::batch::{Batch, evaluation_pixels};
use kiln_model::evaluation::Tally;
use kiln_model::optimizer::{BETA_2, EPSILON, Optimizer};
use kiln_model::spec::{CLASSES, PARAMETER_COUNT, PARAMETERS, Parameter};
use kiln_model::train::network;
use kiln_model::train::transfer::upload;
use kiln_model::train::update::Update;
use serde_json::Value;

use crate::{dataset, values};

/// Images that `keras.py` takes from the start of the test set.
const IMAGES: usize = 8;
const LEARNING_RATE: f64 = 0.001;
const BIAS_LIMIT: f64 = 0.1;

/// Both sum up to 1,600 terms in 32 bits and in orders of their own, for logits up to 0.5, whose
/// 32-bit spacing is 3e-8.
const LOGIT_TOLERANCE: f64 = 1e-6;
/// As above; Keras' loss of 2.25 is itself rounded to a multiple of 2.4e-7.
const LOSS_TOLERANCE: f64 = 1e-6;
/// As above, for gradients up to 0.16, whose spacing is 1.5e-8; biases add up as many as 5,408
/// terms.
const GRADIENT_TOLERANCE: f64 = 2e-7;
/// The 32-bit spacing of the largest weights, 0.14: by so much a rounding at each update may part
/// two weights.
const WEIGHT_SPACING: f64 = 1.0 / (1 << 26) as f64;

/// What Keras computed, 32-bit numbers all.
fn keras(key: &str) -> Vec<f64> {
    static FIXTURE: OnceLock<Value> = OnceLock::new();
    let fixture = FIXTURE
        .get_or_init(|| serde_json::from_str(include_str!("../fixtures/keras.json")).unwrap());
    match &fixture[key] {
        Value::Array(numbers) => numbers.iter().map(single).collect(),
        number => vec![single(number)],
    }
}

/// The 32-bit number that a decimal in the file stands for.
fn single(number: &Value) -> f64 {
    f64::from(number.as_f64().unwrap() as f32)
}

/// The values that `keras.py` samples, out of a flat vector in Kiln's order.
fn sample(flat: Tensor<1>) -> Vec<f64> {
    let flat = values(flat);
    assert_eq!(flat.len(), PARAMETER_COUNT);
    keras("indices")
        .iter()
        .map(|index| f64::from(flat[*index as usize]))
        .collect()
}

/// The weights that `keras.py` starts from.
fn weights() -> Tensor<1> {
    let weights = PARAMETERS.iter().flat_map(|parameter| {
        let limit = limit(parameter);
        parameter
            .range()
            .map(move |index| (uniform(index as u32) * limit) as f32)
    });
    upload(weights.collect(), &Device::flex())
}

fn limit(parameter: &Parameter) -> f64 {
    match parameter.fan_in + parameter.fan_out {
        0 => BIAS_LIMIT,
        fans => (6.0 / fans as f64).sqrt(),
    }
}

/// A number from −1 to 1 for each index: the finaliser of `MurmurHash3`, top 24 bits.
fn uniform(index: u32) -> f64 {
    let mut word = index + 1;
    word = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
    word ^= word >> 16;
    f64::from(word >> 8) / f64::from(1 << 23) - 1.0
}

fn batch() -> Batch {
    let images = dataset().test().images();
    Batch {
        pixels: evaluation_pixels(images, 0..IMAGES),
        labels: images.labels()[..IMAGES].to_vec(),
        dropout: None,
    }
}

fn gradient(weights: &Tensor<1>) -> Tensor<1> {
    network::gradients(weights, &batch(), IMAGES)
        .unwrap()
        .gradient
}

/// The sampled weights after some updates on the same batch, and the gradients on the way.
fn train(updates: u32) -> (Vec<f64>, Vec<Vec<f64>>) {
    let state = Optimizer::Adam.initial_state(PARAMETER_COUNT);
    let mut adam = Update::new(Optimizer::Adam, &state, 0, &Device::flex()).unwrap();
    let mut weights = weights();
    let mut gradients = Vec::new();
    for _ in 0..updates {
        let gradient = gradient(&weights);
        gradients.push(sample(gradient.clone()));
        weights = adam.apply(weights, gradient, LEARNING_RATE);
    }
    (sample(weights), gradients)
}

fn largest_difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (found - expected).abs());
    differences.fold(0.0, f64::max)
}

#[test]
fn both_start_from_the_same_weights() {
    assert_eq!(sample(weights()), keras("initial_weights"));
}

#[test]
fn logits_and_loss_are_keras() {
    let batch = batch();
    let logits = values(network::logits(&weights(), batch.pixels));
    assert_eq!(logits.len(), IMAGES * CLASSES);
    let mut tally = Tally::default();
    tally.add(&logits, &batch.labels);
    let logits: Vec<f64> = logits.into_iter().map(f64::from).collect();
    let difference = largest_difference(&logits, &keras("logits"));
    assert!(difference <= LOGIT_TOLERANCE, "{difference}");
    let difference = largest_difference(&[tally.loss()], &keras("loss"));
    assert!(difference <= LOSS_TOLERANCE, "{difference}");
}

#[test]
fn gradients_are_keras() {
    let difference = largest_difference(&sample(gradient(&weights())), &keras("gradient"));
    assert!(difference <= GRADIENT_TOLERANCE, "{difference}");
}

#[test]
fn weights_after_one_adam_step_are_keras() {
    check_training(1);
}

#[test]
fn weights_after_three_adam_steps_are_keras() {
    check_training(3);
}

fn check_training(updates: u32) {
    let (found, gradients) = train(updates);
    let expected = keras(&format!("weights_after_{updates}"));
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let tolerance = tolerance(gradients.iter().map(|gradient| gradient[index]));
        let difference = (found - expected).abs();
        assert!(
            difference <= tolerance,
            "{found} instead of {expected} at sample {index}, tolerance {tolerance}"
        );
    }
}

/// How far a weight may be from Keras' after updates by these gradients.
///
/// Adam's first update is rate · g / (|g| + ε′), ε′ being ε / √(1 − β₂). Its slope by g says what
/// an error of the gradient does to it: next to nothing but where |g| is about ε′ or less. Later
/// updates are steepest by the smallest gradient so far. Gradients of exactly 0, which a dead unit
/// has, are so in Keras too, and until the first other one the weight must not move at all.
fn tolerance(gradients: impl Iterator<Item = f64>) -> f64 {
    let epsilon = EPSILON / (1.0 - BETA_2).sqrt();
    let mut smallest = f64::INFINITY;
    let mut tolerance = 0.0;
    for gradient in gradients {
        if gradient != 0.0 {
            smallest = smallest.min(gradient.abs());
        }
        if smallest.is_finite() {
            let slope = LEARNING_RATE * epsilon / (smallest + epsilon).powi(2);
            tolerance += WEIGHT_SPACING + slope * GRADIENT_TOLERANCE;
        }
    }
    tolerance
}
