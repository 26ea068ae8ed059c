//! The four update rules over plain numbers, each in one pass, with the same bits on any platform:
//! every operation is one that IEEE 754 rounds exactly, and powers are those of the crate `libm`.
//!
//! The running means of units that have died fall by a constant share at each step, until they are
//! so small that processors compute them ten and more times slower. What is nearer to zero than
//! [`SMALLEST`] is zero here.

use std::collections::BTreeMap;

use wide::f32x4;

use super::LANES;
use crate::checkpoint::Values;
use crate::optimizer::{BETA_1, BETA_2, EPSILON, Optimizer, RHO};

/// Running means nearer to zero are zero. Adam's step by such a mean would be 1e-23 of the rate.
const SMALLEST: f32 = 1e-30;

/// An optimiser and its state.
#[derive(Clone, Debug)]
pub struct Update {
    optimizer: Optimizer,
    /// In the order of [`Optimizer::state_names`], each as long as the weights.
    state: Vec<Vec<f32>>,
    updates: u32,
}

impl Update {
    /// An optimiser as it is after `updates` updates, with the state it has then; before the first
    /// update that is [`Optimizer::initial_state`].
    ///
    /// # Errors
    /// A part of the state that is missing, by its name.
    pub fn new(
        optimizer: Optimizer,
        state: &BTreeMap<String, Values>,
        updates: u32,
    ) -> Result<Self, &'static str> {
        let part = |name: &&'static str| {
            let values = state.get(*name).ok_or(*name)?;
            Ok::<_, &'static str>(values.0.clone())
        };
        Ok(Self {
            optimizer,
            state: optimizer
                .state_names()
                .iter()
                .map(part)
                .collect::<Result<_, _>>()?,
            updates,
        })
    }

    /// The state by its names.
    pub fn state(&self) -> impl Iterator<Item = (&'static str, &[f32])> {
        let names = self.optimizer.state_names().iter().copied();
        names.zip(self.state.iter().map(Vec::as_slice))
    }

    /// How often [`Update::apply`] was asked.
    pub fn updates(&self) -> u32 {
        self.updates
    }

    /// Updates the weights by `gradient`, both of one length.
    pub fn apply(&mut self, weights: &mut [f32], gradient: &[f32], rate: f64) {
        self.updates += 1;
        match (self.optimizer, self.state.as_mut_slice()) {
            (Optimizer::Adam, [mean, mean_square]) => {
                let rate = adam_rate(rate, self.updates);
                adam(weights, gradient, [mean, mean_square], rate, 0.0);
            }
            (Optimizer::AdamW { weight_decay }, [mean, mean_square]) => {
                let decay = weight_decay * rate;
                let rate = adam_rate(rate, self.updates);
                adam(weights, gradient, [mean, mean_square], rate, decay);
            }
            (Optimizer::Sgd { momentum }, [velocity]) => {
                let [momentum, rate] = [momentum, rate].map(splat);
                // `keras.optimizers.SGD`: the rate goes into the velocity, without dampening.
                each([weights, velocity], gradient, |[weight, velocity], by| {
                    let velocity = flush(velocity * momentum - by * rate);
                    [weight + velocity, velocity]
                });
            }
            (Optimizer::RmsProp, [mean_square]) => {
                let [share, rate, epsilon] = [1.0 - RHO, rate, EPSILON].map(splat);
                // `keras.optimizers.RMSprop`: ε is added under the root.
                each([weights, mean_square], gradient, |[weight, square], by| {
                    let square = flush(square + (by * by - square) * share);
                    [weight - by * rate / (square + epsilon).sqrt(), square]
                });
            }
            // `new` took as many parts as the optimiser has names for.
            _ => {}
        }
    }
}

/// Adam's learning rate at an update counted from 1, corrected for the bias of both means.
pub fn adam_rate(rate: f64, update: u32) -> f64 {
    let update = f64::from(update);
    let bias_2 = 1.0 - libm::pow(BETA_2, update);
    rate * bias_2.sqrt() / (1.0 - libm::pow(BETA_1, update))
}

/// Kingma and Ba 2015 in the order of the last lines of their section 2, which is what
/// `keras.optimizers.Adam` computes: ε is added to √v before its bias is corrected. As in
/// `keras.optimizers.AdamW` every weight first loses its share `decay`.
fn adam(
    weights: &mut [f32],
    gradient: &[f32],
    [mean, mean_square]: [&mut [f32]; 2],
    rate: f64,
    decay: f64,
) {
    let [share_1, share_2] = [1.0 - BETA_1, 1.0 - BETA_2].map(splat);
    let [rate, decay, epsilon] = [rate, decay, EPSILON].map(splat);
    each(
        [weights, mean, mean_square],
        gradient,
        |[weight, mean, square], by| {
            let mean = flush(mean + (by - mean) * share_1);
            let square = flush(square + (by * by - square) * share_2);
            let weight = weight - weight * decay;
            [
                weight - mean * rate / (square.sqrt() + epsilon),
                mean,
                square,
            ]
        },
    );
}

fn splat(value: f64) -> f32x4 {
    f32x4::splat(value as f32)
}

/// 0 where a value is nearer to it than [`SMALLEST`]; what is no number stays so.
#[inline(always)]
fn flush(value: f32x4) -> f32x4 {
    let is_small = value.abs().simd_lt(f32x4::splat(SMALLEST));
    is_small.bitselect(f32x4::ZERO, value)
}

/// Puts new numbers in the place of the old, four at a time, each by its gradient.
#[inline(always)]
fn each<const N: usize>(
    numbers: [&mut [f32]; N],
    gradient: &[f32],
    rule: impl Fn([f32x4; N], f32x4) -> [f32x4; N],
) {
    let (fours, rest) = gradient.as_chunks::<LANES>();
    let mut numbers = numbers.map(|numbers| numbers.as_chunks_mut::<LANES>());
    for (index, by) in fours.iter().enumerate() {
        let old = std::array::from_fn(|part| f32x4::new(numbers[part].0[index]));
        let new = rule(old, f32x4::new(*by));
        for ((numbers, _), new) in numbers.iter_mut().zip(new) {
            numbers[index] = new.to_array();
        }
    }
    let old = std::array::from_fn(|part| some(numbers[part].1));
    let new = rule(old, some(rest));
    for ((_, numbers), new) in numbers.iter_mut().zip(new) {
        for (number, new) in numbers.iter_mut().zip(new.to_array()) {
            *number = new;
        }
    }
}

/// Less than four values; 0 where there are none.
fn some(values: &[f32]) -> f32x4 {
    f32x4::new(std::array::from_fn(|lane| {
        values.get(lane).copied().unwrap_or_default()
    }))
}

/// The length of a gradient, the root of the sum of its squares: of every fourth value a sum in
/// 64 bits, added in order.
pub fn norm(gradient: &[f32]) -> f32 {
    let mut sums = [0.0_f64; LANES];
    for values in gradient.chunks(LANES) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    let [a, b, c, d] = sums;
    ((a + b) + (c + d)).sqrt() as f32
}
