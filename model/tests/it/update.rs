//! The update rules against Keras: `fixtures/optimizers.py` wrote what it computed.

use burn::tensor::{Device, Tensor, TensorData};
use kiln_model::optimizer::Optimizer;
use kiln_model::train::update::Update;
use serde_json::Value;

use crate::values;

const COUNT: u32 = 40;
const STEPS: u32 = 5;
const LEARNING_RATE: f64 = 0.1;
const START: f64 = 0.01;

/// Of the way that a weight went: Keras works out the rate with 32-bit powers of β, and
/// 1 − 0.999 alone is off by 1.3e-5 in 32 bits, half of which is left under the root.
const RELATIVE_TOLERANCE: f64 = 1e-5;
/// The 32-bit spacing of the largest weights, 0.5, for each of five updates.
const ABSOLUTE_TOLERANCE: f64 = 5.0 * 3e-8;

/// A number from −1 to 1 for each index: the finaliser of `MurmurHash3`, top 24 bits.
fn uniform(index: u32) -> f64 {
    let mut word = index + 1;
    word = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
    word ^= word >> 16;
    f64::from(word >> 8) / f64::from(1 << 23) - 1.0
}

fn tensor(value: impl Fn(u32) -> f64) -> Tensor<1> {
    let values: Vec<f32> = (0..COUNT).map(|index| value(index) as f32).collect();
    Tensor::from_data(TensorData::new(values, [COUNT as usize]), &Device::flex())
}

fn check(optimizer: Optimizer, key: &str) {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/optimizers.json")).unwrap();
    let state = optimizer.initial_state(COUNT as usize);
    let mut update = Update::new(optimizer, &state, 0, &Device::flex()).unwrap();
    let mut weights = tensor(|index| START * uniform(index));
    let mut before: Vec<f64> = (0..COUNT).map(|index| START * uniform(index)).collect();
    let mut ways = vec![0.0; COUNT as usize];
    for step in 0..STEPS {
        let gradient = tensor(|index| {
            let size = 10.0_f64.powi(-((index % 8) as i32));
            uniform(index + COUNT * (step + 1)) * size
        });
        weights = update.apply(weights, gradient, LEARNING_RATE);
        let expected = fixture[key][step as usize].as_array().unwrap();
        assert_eq!(expected.len(), COUNT as usize);
        for (index, (found, expected)) in values(weights.clone()).iter().zip(expected).enumerate() {
            let (found, expected) = (f64::from(*found), expected.as_f64().unwrap());
            ways[index] += (expected - before[index]).abs();
            before[index] = expected;
            let tolerance = RELATIVE_TOLERANCE * ways[index] + ABSOLUTE_TOLERANCE;
            assert!(
                (found - expected).abs() <= tolerance,
                "{key}, weight {index} after update {}: {found} instead of {expected}",
                step + 1
            );
        }
    }
    assert_eq!(update.updates(), STEPS);
}

#[test]
fn adam_is_keras() {
    check(Optimizer::Adam, "adam");
}

#[test]
fn sgd_with_momentum_is_keras() {
    check(Optimizer::Sgd { momentum: 0.9 }, "sgd");
}

#[test]
fn sgd_without_momentum_is_keras() {
    check(Optimizer::Sgd { momentum: 0.0 }, "sgd_without_momentum");
}

#[test]
fn adam_w_is_keras() {
    let weight_decay = 0.004;
    check(Optimizer::AdamW { weight_decay }, "adam_w");
}

#[test]
fn rms_prop_is_keras() {
    check(Optimizer::RmsProp, "rms_prop");
}
