//! The update rules against Keras: `fixtures/optimizers.py` wrote what it computed.

use burn::tensor::{Device, Tensor, TensorData};
use kiln_model::optimizer::Optimizer;
use kiln_model::train::fused::update::{Update as Fused, norm};
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

fn gradient(step: u32, index: u32) -> f64 {
    let size = 10.0_f64.powi(-((index % 8) as i32));
    uniform(index + COUNT * (step + 1)) * size
}

/// Holds both ways to compute a rule against Keras.
fn check(optimizer: Optimizer, key: &str) {
    let state = optimizer.initial_state(COUNT as usize);
    let mut update = Update::new(optimizer, &state, 0, &Device::flex()).unwrap();
    let mut weights = tensor(|index| START * uniform(index));
    check_steps(key, |step| {
        let gradient = tensor(|index| gradient(step, index));
        weights = update.apply(weights.clone(), gradient, LEARNING_RATE);
        values(weights.clone())
    });
    assert_eq!(update.updates(), STEPS);

    let mut update = Fused::new(optimizer, &state, 0).unwrap();
    let mut weights = values(tensor(|index| START * uniform(index)));
    check_steps(key, |step| {
        let gradient = values(tensor(|index| gradient(step, index)));
        update.apply(&mut weights, &gradient, LEARNING_RATE);
        weights.clone()
    });
    assert_eq!(update.updates(), STEPS);
}

/// Holds the weights after each step against Keras'.
fn check_steps(key: &str, mut weights_after: impl FnMut(u32) -> Vec<f32>) {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/optimizers.json")).unwrap();
    let mut before: Vec<f64> = (0..COUNT).map(|index| START * uniform(index)).collect();
    let mut ways = vec![0.0; COUNT as usize];
    for step in 0..STEPS {
        let expected = fixture[key][step as usize].as_array().unwrap();
        assert_eq!(expected.len(), COUNT as usize);
        for (index, (found, expected)) in weights_after(step).iter().zip(expected).enumerate() {
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

/// Each way to compute a rule has the state of the other, within a few roundings, and by its names.
#[test]
fn both_ways_keep_the_same_state() {
    for optimizer in Optimizer::ALL {
        let state = optimizer.initial_state(COUNT as usize);
        let mut burns = Update::new(optimizer, &state, 0, &Device::flex()).unwrap();
        let mut fused = Fused::new(optimizer, &state, 0).unwrap();
        let mut weights = values(tensor(uniform));
        for step in 0..STEPS {
            let gradient = tensor(|index| gradient(step, index));
            burns.apply(tensor(uniform), gradient.clone(), LEARNING_RATE);
            fused.apply(&mut weights, &values(gradient), LEARNING_RATE);
        }
        for ((name, found), (expected_name, expected)) in fused.state().zip(burns.state()) {
            assert_eq!(name, expected_name);
            for (found, expected) in found.iter().zip(values(expected)) {
                let difference = (found - expected).abs();
                assert!(
                    difference <= 1e-6 * expected.abs(),
                    "{found} instead of {expected}"
                );
            }
        }
        assert_eq!(fused.state().count(), optimizer.state_names().len());
    }
}

#[test]
fn a_part_of_the_state_that_is_missing_is_named() {
    let state = Optimizer::RmsProp.initial_state(COUNT as usize);
    let missing = Fused::new(Optimizer::Adam, &state, 0);
    assert_eq!(missing.map(|update| update.updates()), Err("mean"));
}

/// From 2e-30 the mean is below 1e-30 after 7 updates, the mean square after 700.
#[test]
fn means_of_the_dead_become_zero() {
    let mut state = Optimizer::Adam.initial_state(1);
    state.values_mut().for_each(|values| values.0 = vec![2e-30]);
    let mut update = Fused::new(Optimizer::Adam, &state, 1_000).unwrap();
    let mut weights = [1.0];
    for _ in 0..1_000 {
        update.apply(&mut weights, &[0.0], LEARNING_RATE);
    }
    assert!(update.state().all(|(_, values)| values == [0.0]));
}

#[test]
fn weights_that_are_no_numbers_stay_so() {
    for optimizer in Optimizer::ALL {
        let state = optimizer.initial_state(5);
        let mut update = Fused::new(optimizer, &state, 0).unwrap();
        let mut weights = [1.0; 5];
        update.apply(
            &mut weights,
            &[0.0, f32::NAN, 0.0, 0.0, f32::NAN],
            LEARNING_RATE,
        );
        assert_eq!(weights.map(f32::is_nan), [false, true, false, false, true]);
    }
}

#[test]
fn a_norm_is_a_length() {
    assert_eq!(norm(&[3.0, 0.0, 0.0, 0.0, 4.0]), 5.0);
    assert_eq!(norm(&[]), 0.0);
    assert!(norm(&[1.0, f32::NAN]).is_nan());
}
