//! The gradients against central differences of the loss, dropout in place.

use burn::tensor::Device;
use kiln_model::batch::{Batch, Batches};
use kiln_model::config::ValidateOn;
use kiln_model::evaluation::Tally;
use kiln_model::random::{Purpose, numbers, uniform};
use kiln_model::spec::{CLASSES, FC_BIAS, FC_WEIGHT, FEATURES, PARAMETERS, PIXELS, Parameter};
use kiln_model::train::network;
use kiln_model::train::transfer::upload;
use kiln_model::weights;

use crate::{dataset, values};

const IMAGES: usize = 32;
const SEED: u32 = 42;
const DIRECTIONS: u32 = 8;
/// Parameters of each tensor that are moved alone.
const ALONE: usize = 4;

/// How far a parameter is moved along a direction, and how far the difference quotient may then
/// lie from the derivative, as a share of the length of the parameter's gradient.
struct Accuracy {
    step: f64,
    tolerance: f64,
}

/// The logits are linear in the dense layer, so the loss is smooth. At this step the quotient's
/// own error (step² times the third derivative) and the logits' rounding (about 1e-8 of loss over
/// the step) are both some 1e-6.
const DENSE: Accuracy = Accuracy {
    step: 3e-3,
    tolerance: 2e-5,
};

/// Below the dense layer the loss has kinks, where a ReLU opens or a pooling window changes its
/// largest value. Each step crosses some, the more the longer it is, and rounding forbids much
/// shorter ones: the error is 1e-5 to 3e-3. One of the 32 channels of the first convolution left
/// out would show as about 1/32.
const CONVOLUTION: Accuracy = Accuracy {
    step: 1e-4,
    tolerance: 1e-2,
};

/// Largest difference between a sum of gradients and the gradient of the sum: rounding of values
/// up to 0.3, whose 32-bit spacing is 3e-8.
const SUM_TOLERANCE: f32 = 2e-7;

/// Largest difference between logits up to 1 of the same products, grouped differently: their
/// 32-bit spacing is 6e-8.
const LOGIT_TOLERANCE: f32 = 1e-6;

/// 32 training images with half of their features dropped.
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
    values(
        network::gradients(&weights, batch, IMAGES)
            .unwrap()
            .gradient,
    )
}

/// The mean loss with one parameter moved, summed in 64 bits from the logits.
fn loss(batch: &Batch, parameter: &Parameter, direction: &[f64], step: f64) -> f64 {
    let mut weights = weights();
    for (weight, direction) in weights[parameter.range()].iter_mut().zip(direction) {
        *weight = (f64::from(*weight) + step * direction) as f32;
    }
    let weights = upload(weights, &Device::flex());
    // Only this way are there logits with dropout on.
    let logits = network::gradients(&weights, batch, IMAGES).unwrap().logits;
    let mut tally = Tally::default();
    tally.add(&values(logits), &batch.labels);
    tally.loss()
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Holds the derivative along a direction in one parameter's space against the loss.
fn check(batch: &Batch, parameter: &Parameter, gradient: &[f64], direction: &[f64]) {
    let accuracy = if [FC_WEIGHT, FC_BIAS].contains(parameter) {
        DENSE
    } else {
        CONVOLUTION
    };
    let loss = |step| loss(batch, parameter, direction, step);
    let quotient = (loss(accuracy.step) - loss(-accuracy.step)) / (2.0 * accuracy.step);
    let derivative: f64 = gradient
        .iter()
        .zip(direction)
        .map(|(by, along)| by * along)
        .sum();
    let error = (quotient - derivative).abs() / length(gradient);
    assert!(
        error <= accuracy.tolerance,
        "{}: {derivative} from the gradient, {quotient} from the loss",
        parameter.name
    );
}

fn of(gradient: &[f32], parameter: &Parameter) -> Vec<f64> {
    gradient[parameter.range()]
        .iter()
        .map(|value| f64::from(*value))
        .collect()
}

/// A wrong gradient is too long, too short or turned. Each direction is the gradient's own, whose
/// derivative shows all of these, plus random signs, which also reach where the gradient is zero.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let batch = batch();
    let flat = gradient(&batch);
    for parameter in &PARAMETERS {
        let gradient = of(&flat, parameter);
        let length = length(&gradient);
        let share = 1.0 / (gradient.len() as f64).sqrt();
        for draw in 0..DIRECTIONS {
            let mut rng = numbers(draw, Purpose::Dropout, parameter.offset as u64);
            let signs = std::iter::repeat_with(|| {
                if uniform(&mut rng) < 0.5 {
                    -share
                } else {
                    share
                }
            });
            let direction: Vec<f64> = gradient
                .iter()
                .zip(signs)
                .map(|(by, sign)| by / length + sign)
                .collect();
            check(&batch, parameter, &gradient, &direction);
        }
    }
}

/// Of each parameter the values with the steepest slopes, one by one.
#[test]
fn single_gradients_are_the_slopes_of_the_loss() {
    let batch = batch();
    let flat = gradient(&batch);
    for parameter in &PARAMETERS {
        let gradient = of(&flat, parameter);
        let mut steepest: Vec<usize> = (0..gradient.len()).collect();
        steepest.sort_by(|a, b| gradient[*b].abs().total_cmp(&gradient[*a].abs()));
        for index in &steepest[..ALONE] {
            let mut direction = vec![0.0; gradient.len()];
            direction[*index] = 1.0;
            check(&batch, parameter, &gradient, &direction);
        }
    }
}

/// Parts of unequal size, so that a mean over each part would show.
#[test]
fn gradients_of_parts_add_up_to_the_batchs() {
    const FIRST: usize = 12;
    let whole = batch();
    let (pixels, dropout) = (&whole.pixels, whole.dropout.as_ref().unwrap());
    let first = Batch {
        pixels: pixels[..FIRST * PIXELS].to_vec(),
        labels: whole.labels[..FIRST].to_vec(),
        dropout: Some(dropout[..FIRST * FEATURES].to_vec()),
    };
    let second = Batch {
        pixels: pixels[FIRST * PIXELS..].to_vec(),
        labels: whole.labels[FIRST..].to_vec(),
        dropout: Some(dropout[FIRST * FEATURES..].to_vec()),
    };
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
    let factors = batch.dropout.as_ref().unwrap();
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
