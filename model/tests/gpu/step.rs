//! One step: its gradients, its logits, its norm, the update.

use std::collections::BTreeMap;

use kiln_model::batch::Batch;
use kiln_model::checkpoint::Values;
use kiln_model::optimizer::{MEAN, MEAN_SQUARE, Optimizer, VELOCITY};
use kiln_model::random::{Purpose, numbers, uniform};
use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};
use kiln_model::train::engine::Holdings;
use kiln_model::train::fused::update::{Update, norm};
use kiln_model::train::fused::{Examples, Network, Outcome};
use kiln_model::train::gpu::Gpu;

use crate::{PLAIN, batches, device, holdings, read, shifted_weights, split, start};

/// How far a gradient may lie from the CPU's, as a share of the largest of its parameter. Sums of
/// up to 150,000 terms in other orders, and activations that lack their lowest two bits, are off
/// by some 1e-6; where two places of a window are that close, another one is picked now and then,
/// which moves the gradient of one image's one unit.
const GRADIENT_TOLERANCE: f32 = 1e-4;

/// Largest difference between logits up to 3: 1,600 products, each off by up to 2⁻²².
const LOGIT_TOLERANCE: f32 = 1e-5;

/// As a share of the norm.
const NORM_TOLERANCE: f32 = 1e-5;

/// As a share of a value. Quotients and roots of a GPU may be off by 2.5 units of their last place
/// (WGSL, accuracy of built-in functions), sums and products by a half.
const UPDATE_TOLERANCE: f32 = 1e-6;

fn on_cpu(weights: &[f32], batch: &Batch) -> Outcome {
    let examples = Examples {
        pixels: &batch.pixels,
        labels: &batch.labels,
        dropout: batch.dropout.as_ref(),
    };
    Network::new(weights).gradients(examples, batch.labels.len())
}

fn assert_same_step(gpu: &mut Gpu, images: usize, dropout: f64, step: u32) {
    const RATE: f64 = 0.01;
    let mut batches = batches(images, dropout);
    let draw = batches.draw(step);
    let expected = on_cpu(&holdings(gpu).weights.0, &draw.whole(&split().training));
    let results = read(gpu.train(&draw, RATE));
    let found = &holdings(gpu).optimizer[VELOCITY].0;
    let gradient = expected.sums.flat();
    for parameter in PARAMETERS {
        let expected = &gradient[parameter.range()];
        let largest = expected.iter().fold(0.0_f32, |most, by| most.max(by.abs()));
        for (found, expected) in found[parameter.range()].iter().zip(expected) {
            let found = -found / RATE as f32;
            assert!(
                (found - expected).abs() <= GRADIENT_TOLERANCE * largest,
                "{} of {images} images: {found} instead of {expected}, the largest {largest}",
                parameter.name
            );
        }
    }
    let (found, logits) = results.split_last().unwrap();
    for (found, expected) in logits.iter().zip(&expected.logits) {
        assert!(
            (found - expected).abs() <= LOGIT_TOLERANCE,
            "{found} instead of {expected}"
        );
    }
    assert_eq!(logits.len(), expected.logits.len());
    let expected = norm(&gradient);
    assert!(
        (found - expected).abs() <= NORM_TOLERANCE * expected,
        "a norm of {found} instead of {expected}"
    );
}

#[test]
fn a_step_is_the_cpus_at_any_batch_size() {
    // Down and up: nothing of a larger batch may stay in a smaller one.
    let mut gpu = start(shifted_weights(), PLAIN);
    for (step, images) in [1_000, 128, 100, 32, 7, 1, 33, 129].into_iter().enumerate() {
        assert_same_step(&mut gpu, images, 0.5, step as u32 % 5);
    }
}

#[test]
fn a_step_is_the_cpus_without_dropout() {
    let mut gpu = start(shifted_weights(), PLAIN);
    for images in [128, 5] {
        assert_same_step(&mut gpu, images, 0.0, 0);
    }
}

#[test]
fn the_four_rules_are_the_cpus() {
    let random = |counter, scale: f32| {
        let mut rng = numbers(1, Purpose::Sample, counter);
        let values = (0..PARAMETER_COUNT).map(|_| scale * uniform(&mut rng));
        Values(values.collect())
    };
    let state = BTreeMap::from([
        (MEAN.to_owned(), random(0, 1e-3)),
        (MEAN_SQUARE.to_owned(), random(1, 1e-6)),
        (VELOCITY.to_owned(), random(2, 1e-3)),
    ]);
    let mut batches = batches(16, 0.5);
    let draw = batches.draw(0);
    let mut plain = start(shifted_weights(), PLAIN);
    read(plain.train(&draw, 1.0));
    let gradient = &holdings(&plain).optimizer[VELOCITY].0;
    let gradient: Vec<f32> = gradient.iter().map(|velocity| -velocity).collect();

    const UPDATES: u32 = 5;
    const RATE: f64 = 0.002;
    for optimizer in Optimizer::ALL {
        let names = optimizer.state_names();
        let before = Holdings {
            weights: Values(shifted_weights()),
            optimizer: names
                .iter()
                .map(|name| ((*name).to_owned(), state[*name].clone()))
                .collect(),
            best: None,
        };
        let mut gpu = Gpu::new(&device().into(), &split(), &before, optimizer, UPDATES).unwrap();
        read(gpu.train(&draw, RATE));
        let found = holdings(&gpu);

        let mut update = Update::new(optimizer, &before.optimizer, UPDATES).unwrap();
        let mut weights = before.weights.0;
        update.apply(&mut weights, &gradient, RATE);
        assert_close(&found.weights.0, &weights, optimizer);
        for (name, expected) in update.state() {
            assert_close(&found.optimizer[name].0, expected, optimizer);
        }
    }
}

fn assert_close(found: &[f32], expected: &[f32], optimizer: Optimizer) {
    assert_eq!(found.len(), expected.len());
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= UPDATE_TOLERANCE * expected.abs().max(1e-3),
            "{optimizer:?}, value {index}: {found} instead of {expected}"
        );
    }
}

#[test]
fn several_steps_are_read_at_once() {
    let mut one = start(shifted_weights(), PLAIN);
    let mut other = start(shifted_weights(), PLAIN);
    let mut batches = batches(8, 0.5);
    let mut steps = Vec::new();
    let mut expected = Vec::new();
    for step in 0..6 {
        let draw = batches.draw(step);
        steps.push(one.train(&draw, 0.1));
        expected.push(read(other.train(&draw, 0.1)));
    }
    let found = pollster::block_on(kiln_model::train::gpu::read(steps)).unwrap();
    assert_eq!(found, expected);
}

#[test]
fn a_device_that_computes_right_is_taken() {
    pollster::block_on(kiln_model::train::gpu::check(&device().into())).unwrap();
}

#[test]
fn what_is_no_number_is_not_hidden() {
    for parameter in PARAMETERS {
        let mut weights = shifted_weights();
        weights[parameter.offset] = f32::NAN;
        let mut gpu = start(weights, PLAIN);
        let results = read(gpu.train(&batches(4, 0.5).draw(0), 0.1));
        let is_hidden = results[..40].iter().all(|logit| logit.is_finite());
        assert!(!is_hidden, "{} in {results:?}", parameter.name);
        assert!(results[40].is_nan(), "{} in {results:?}", parameter.name);
    }
}
