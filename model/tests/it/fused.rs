//! The fused network against the same network out of burn's own operations.

use burn::tensor::Device;
use kiln_model::batch::{Batch, Batches};
use kiln_model::config::ValidateOn;
use kiln_model::random::{Purpose, numbers, uniform};
use kiln_model::spec::{CLASSES, CONV1_BIAS, FC_BIAS, PARAMETERS, PIXELS};
use kiln_model::train::fused::{Examples, Network, Outcome, SHARD};
use kiln_model::train::network;
use kiln_model::train::transfer::upload;
use kiln_model::weights;

use crate::reference::nearest_kink;
use crate::{dataset, values};

const SEED: u32 = 42;

/// How far a gradient may lie from burn's, as a share of the largest of its parameter. Both sum
/// up to 5,408 terms an image in 32 bits and in orders of their own.
const GRADIENT_TOLERANCE: f32 = 1e-5;

/// Largest difference between logits up to 1 of 1,600 products in orders of their own.
const LOGIT_TOLERANCE: f32 = 2e-6;

fn batch(images: usize, dropout: f64) -> Batch {
    let split = dataset().split(60_000, 0, ValidateOn::TestSet);
    Batches::new(split.training, images, dropout, SEED).next(0)
}

/// Initial weights with biases up to ±0.1, so that no unit lies exactly on its ReLU's kink.
fn shifted_weights(seed: u32) -> Vec<f32> {
    let mut weights = weights::initial(seed);
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        if parameter.shape.len() == 1 {
            let mut rng = numbers(seed, Purpose::Weights, index as u64);
            weights[parameter.range()].fill_with(|| 0.2 * uniform(&mut rng) - 0.1);
        }
    }
    weights
}

fn fused(weights: &[f32], batch: &Batch) -> Outcome {
    let examples = Examples {
        pixels: &batch.pixels,
        labels: &batch.labels,
        dropout: batch.dropout.as_ref(),
    };
    Network::new(weights).gradients(examples, batch.labels.len())
}

fn assert_same_as_burn(weights: &[f32], batch: &Batch) {
    let found = fused(weights, batch);
    let device = Device::flex();
    let weights = upload(weights.to_vec(), &device);
    let expected = network::gradients(&weights, batch, batch.labels.len()).unwrap();
    let (gradient, logits) = (values(expected.gradient), values(expected.logits));
    for (found, expected) in found.logits.iter().zip(&logits) {
        assert!(
            (found - expected).abs() <= LOGIT_TOLERANCE,
            "{found} instead of {expected}"
        );
    }
    assert_eq!(found.logits.len(), logits.len());
    let found = found.sums.flat();
    for parameter in PARAMETERS {
        let (found, expected) = (&found[parameter.range()], &gradient[parameter.range()]);
        let largest = expected.iter().fold(0.0_f32, |most, by| most.max(by.abs()));
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= GRADIENT_TOLERANCE * largest,
                "{} of {} images: {found} instead of {expected}, the largest is {largest}",
                parameter.name,
                batch.labels.len()
            );
        }
    }
}

/// One image, less than a shard, exactly one, one more, many, and as many as a batch may have, with
/// dropout and without.
#[test]
fn gradients_are_burns() {
    for (seed, images) in [1, 7, SHARD, SHARD + 1, 128, 1_000].into_iter().enumerate() {
        for dropout in [0.0, 0.3, 0.5] {
            assert_same_as_burn(&shifted_weights(seed as u32), &batch(images, dropout));
        }
    }
}

/// Batches, weights and dropout of any kind. Where a unit is nearer to a kink than rounding errs,
/// either gradient is right, and they differ; such batches are left out.
#[test]
fn gradients_of_random_batches_are_burns() {
    const NEAR: f64 = 2e-7;
    let mut rng = numbers(SEED, Purpose::Sample, 2);
    let mut draws = (0..70).map(|seed| {
        let images = 1 + (20.0 * uniform(&mut rng)) as usize;
        let dropout = (uniform(&mut rng) - 0.2).clamp(0.0, 0.75);
        (shifted_weights(seed), batch(images, f64::from(dropout)))
    });
    let far = draws.by_ref().filter(|(weights, batch)| {
        let weights: Vec<f64> = weights.iter().copied().map(f64::from).collect();
        nearest_kink(&weights, batch) > NEAR
    });
    let compared = far
        .take(50)
        .map(|(weights, batch)| assert_same_as_burn(&weights, &batch));
    assert_eq!(compared.count(), 50);
}

/// Nothing but noise has no dark corners, and every window has a largest place.
#[test]
fn gradients_of_noise_are_burns() {
    let mut noise = batch(24, 0.5);
    let mut rng = numbers(SEED, Purpose::Sample, 1);
    noise.pixels.fill_with(|| uniform(&mut rng));
    assert_same_as_burn(&shifted_weights(SEED), &noise);
}

/// In an image of one grey all places of a window are equal, and the first is picked.
#[test]
fn gradients_of_ties_are_burns() {
    let mut grey = batch(4, 0.0);
    grey.pixels.fill(0.5);
    assert_same_as_burn(&shifted_weights(SEED), &grey);
}

/// Units that are shut everywhere have no gradient, and only the dense layer's biases move.
#[test]
fn dead_channels_have_no_gradient() {
    let mut weights = weights::initial(SEED);
    weights[CONV1_BIAS.range()].fill(-100.0);
    // Every class is as likely as any other, and of 25 images none has a tenth.
    let batch = batch(25, 0.5);
    assert_same_as_burn(&weights, &batch);
    let found = fused(&weights, &batch).sums.flat();
    assert!(found[..FC_BIAS.offset].iter().all(|by| *by == 0.0));
    assert!(found[FC_BIAS.range()].iter().all(|by| *by != 0.0));
}

#[test]
fn answers_are_burns() {
    let batch = batch(50, 0.0);
    let weights = shifted_weights(SEED);
    let found = Network::new(&weights).logits(&batch.pixels);
    let device = Device::flex();
    let expected = values(network::logits(&upload(weights, &device), batch.pixels));
    assert_eq!(found.len(), 50 * CLASSES);
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= LOGIT_TOLERANCE,
            "{found} instead of {expected}"
        );
    }
}

/// Whoever computes a shard, its gradient has the same bits, and shards are added in order.
#[test]
fn the_bits_do_not_depend_on_who_computes_which_shard() {
    let batch = batch(4 * SHARD, 0.5);
    let weights = shifted_weights(SEED);
    let whole = fused(&weights, &batch);
    let shards: Vec<Outcome> = (0..4)
        .map(|shard| {
            let first = shard * SHARD;
            let last = first + SHARD;
            let dropout = batch.dropout.as_ref().unwrap().part(first..last);
            let examples = Examples {
                pixels: &batch.pixels[first * PIXELS..last * PIXELS],
                labels: &batch.labels[first..last],
                dropout: Some(&dropout),
            };
            Network::new(&weights).gradients(examples, batch.labels.len())
        })
        .collect();
    let mut shards = shards.into_iter();
    let mut sum = shards.next().unwrap();
    for shard in shards {
        sum.add(shard);
    }
    assert_eq!(sum, whole);
}

/// A network that diverged says so.
#[test]
fn what_is_no_number_is_not_hidden() {
    let batch = batch(2, 0.5);
    for parameter in PARAMETERS {
        let mut weights = shifted_weights(SEED);
        weights[parameter.range()].fill(f32::NAN);
        let found = fused(&weights, &batch);
        assert!(
            found.logits.iter().all(|logit| logit.is_nan()),
            "{}",
            parameter.name
        );
    }
}

/// The bits of a gradient, which every platform is to find.
#[test]
fn the_bits_are_known() {
    let found = fused(&shifted_weights(SEED), &batch(32, 0.5));
    let gradient = found.sums.flat();
    let bytes: Vec<u8> = gradient
        .iter()
        .chain(&found.logits)
        .flat_map(|value| value.to_le_bytes())
        .collect();
    assert_eq!(crc32fast::hash(&bytes), BITS);
}
/// CRC-32 of gradients and logits.
const BITS: u32 = 3_448_046_650;
