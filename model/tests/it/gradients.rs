//! The gradients, of burn's operations and of the CPU's kernels, against central differences of the
//! loss in 64 bits, dropout in place.

use std::ops::Range;

use burn::tensor::Device;
use kiln_model::batch::{Batch, Batches};
use kiln_model::config::ValidateOn;
use kiln_model::random::{Purpose, numbers, uniform};
use kiln_model::spec::{CLASSES, FC_WEIGHT, FEATURES, PARAMETERS, PIXELS, Parameter};
use kiln_model::train::fused::{Examples, Network};
use kiln_model::train::network;
use kiln_model::train::transfer::upload;
use kiln_model::weights;

use crate::reference::loss;
use crate::{dataset, values};

const IMAGES: usize = 8;
const SEED: u32 = 42;
const DIRECTIONS: u32 = 4;
/// Parameters of each tensor that are moved alone.
const ALONE: usize = 3;

/// How far a parameter is moved along a direction. Below the dense layer the loss has kinks, where
/// a ReLU opens or a pooling window changes its largest value; so short a step crosses hardly any,
/// and its quotient is still rounded to 1e-8 of the gradient's length.
const STEP: f64 = 1e-7;

/// How far the difference quotient may lie from the derivative, as a share of the length of the
/// parameter's gradient, whose sums in 32 bits are off by some 1e-6 of it.
const TOLERANCE: f64 = 1e-5;

/// Largest difference between a sum of gradients and the gradient of the sum: rounding of values
/// up to 0.3, whose 32-bit spacing is 3e-8.
const SUM_TOLERANCE: f32 = 2e-7;

/// Largest difference between logits up to 1 of the same products, grouped differently: their
/// 32-bit spacing is 6e-8.
const LOGIT_TOLERANCE: f32 = 1e-6;

/// Training images with half of their features dropped.
fn batch() -> Batch {
    let split = dataset().split(1_000, 0, ValidateOn::Split);
    Batches::new(split.training, IMAGES, 0.5, SEED).next(0)
}

/// The weights a run starts from, but with biases up to ±0.1. With biases of 0 a dark corner of
/// an image lies exactly on a ReLU's kink, where there is no derivative to compare with.
fn weights() -> Vec<f32> {
    let mut weights = weights::initial(SEED);
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        if parameter.shape.len() == 1 {
            let mut rng = numbers(SEED, Purpose::Weights, index as u64);
            weights[parameter.range()].fill_with(|| 0.2 * uniform(&mut rng) - 0.1);
        }
    }
    weights
}

fn gradient(batch: &Batch) -> Vec<f32> {
    let weights = upload(weights(), &Device::flex());
    let step = network::gradients(&weights, batch, IMAGES);
    values(step.unwrap().gradient)
}

fn gradient_of_kernels(batch: &Batch) -> Vec<f32> {
    let examples = Examples {
        pixels: &batch.pixels,
        labels: &batch.labels,
        dropout: batch.dropout.as_ref(),
    };
    let outcome = Network::new(&weights()).gradients(examples, IMAGES);
    outcome.sums.flat()
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Holds the derivatives along a direction in one parameter's space against the loss.
fn check(batch: &Batch, parameter: &Parameter, gradients: [&[f64]; 2], direction: &[f64]) {
    let loss = |step: f64| {
        let mut weights: Vec<f64> = weights().into_iter().map(f64::from).collect();
        for (weight, direction) in weights[parameter.range()].iter_mut().zip(direction) {
            *weight += step * direction;
        }
        loss(&weights, batch)
    };
    let quotient = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
    for (way, gradient) in ["burn's", "the kernels'"].iter().zip(gradients) {
        let along = gradient.iter().zip(direction);
        let derivative: f64 = along.map(|(by, along)| by * along).sum();
        let error = (quotient - derivative).abs() / length(gradient);
        assert!(
            error <= TOLERANCE,
            "{}: {derivative} from {way} gradient, {quotient} from the loss",
            parameter.name
        );
    }
}

fn of(gradient: &[f32], parameter: &Parameter) -> Vec<f64> {
    gradient[parameter.range()]
        .iter()
        .map(|value| f64::from(*value))
        .collect()
}

/// Both gradients, and for each parameter the directions in which to go.
fn check_all(directions: impl Fn(&Parameter, &[f64]) -> Vec<Vec<f64>>) {
    let batch = batch();
    let both = [gradient(&batch), gradient_of_kernels(&batch)];
    for parameter in &PARAMETERS {
        let [burns, kernels] = both.each_ref().map(|flat| of(flat, parameter));
        for direction in directions(parameter, &burns) {
            check(&batch, parameter, [&burns, &kernels], &direction);
        }
    }
}

/// A wrong gradient is too long, too short or turned. Each direction is the gradient's own, whose
/// derivative shows all of these, plus random signs, which also reach where the gradient is zero.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    check_all(|parameter, gradient| {
        let length = length(gradient);
        let share = 1.0 / (gradient.len() as f64).sqrt();
        let direction = |number| {
            let mut rng = numbers(number, Purpose::Sample, parameter.offset as u64);
            let sign = |by: &f64| {
                let sign = if uniform(&mut rng) < 0.5 {
                    -share
                } else {
                    share
                };
                by / length + sign
            };
            gradient.iter().map(sign).collect()
        };
        (0..DIRECTIONS).map(direction).collect()
    });
}

/// The steepest parameters of each tensor, alone.
#[test]
fn single_gradients_are_the_slopes_of_the_loss() {
    check_all(|_, gradient| {
        let mut steepest: Vec<usize> = (0..gradient.len()).collect();
        steepest.sort_by(|a, b| gradient[*b].abs().total_cmp(&gradient[*a].abs()));
        let alone = |index: &usize| {
            let mut direction = vec![0.0; gradient.len()];
            direction[*index] = 1.0;
            direction
        };
        steepest[..ALONE].iter().map(alone).collect()
    });
}

/// Parts of unequal size, so that a mean over each part would show.
#[test]
fn gradients_of_parts_add_up_to_the_batchs() {
    const FIRST: usize = 3;
    let whole = batch();
    let part = |images: Range<usize>| Batch {
        pixels: whole.pixels[images.start * PIXELS..images.end * PIXELS].to_vec(),
        labels: whole.labels[images.clone()].to_vec(),
        dropout: whole.dropout.as_ref().map(|dropout| dropout.part(images)),
    };
    let (first, second) = (part(0..FIRST), part(FIRST..IMAGES));
    let (first, second) = (gradient(&first), gradient(&second));
    let differences = gradient(&whole)
        .into_iter()
        .zip(first.iter().zip(&second))
        .map(|(whole, (first, second))| (whole - (first + second)).abs());
    let largest = differences.fold(0.0, f32::max);
    assert!(largest <= SUM_TOLERANCE, "{largest}");
}

/// Multiplying an image's features is multiplying the columns of the dense layer.
#[test]
fn dropout_multiplies_the_features() {
    let batch = batch();
    let factors = batch.dropout.as_ref().unwrap().factors();
    let device = Device::flex();
    let network = upload(weights(), &device);
    let found = values(network::gradients(&network, &batch, IMAGES).unwrap().logits);
    for image in 0..3 {
        let factors = &factors[image * FEATURES..][..FEATURES];
        let mut weights = weights();
        for row in weights[FC_WEIGHT.range()].chunks_mut(FEATURES) {
            row.iter_mut()
                .zip(factors)
                .for_each(|(weight, factor)| *weight *= factor);
        }
        let pixels = batch.pixels[image * PIXELS..][..PIXELS].to_vec();
        let expected = values(network::logits(&upload(weights, &device), pixels));
        for (found, expected) in found[image * CLASSES..].iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= LOGIT_TOLERANCE,
                "{found} instead of {expected}"
            );
        }
    }
}
