//! The four update rules, each as Keras computes it, over one flat vector of parameters.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use super::transfer::upload;
use crate::checkpoint::Values;
use crate::optimizer::{BETA_1, BETA_2, EPSILON, MEAN, MEAN_SQUARE, Optimizer, RHO, VELOCITY};

/// An optimiser and its state.
#[derive(Clone, Debug)]
pub struct Update {
    rule: Rule,
    updates: u32,
}

/// A rule with its state, each tensor as long as the weights.
#[derive(Clone, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one of it in a run, and it is never moved"
)]
enum Rule {
    Adam {
        /// Share of a weight lost at rate 1.
        weight_decay: f64,
        mean: Tensor<1>,
        mean_square: Tensor<1>,
    },
    Sgd {
        momentum: f64,
        velocity: Tensor<1>,
    },
    RmsProp {
        mean_square: Tensor<1>,
    },
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
        device: &Device,
    ) -> Result<Self, &'static str> {
        let state = |name: &'static str| {
            let values = state.get(name).ok_or(name)?;
            Ok::<_, &'static str>(upload(values.0.clone(), device))
        };
        let adam = |weight_decay| {
            Ok::<_, &'static str>(Rule::Adam {
                weight_decay,
                mean: state(MEAN)?,
                mean_square: state(MEAN_SQUARE)?,
            })
        };
        let rule = match optimizer {
            Optimizer::Adam => adam(0.0)?,
            Optimizer::AdamW { weight_decay } => adam(weight_decay)?,
            Optimizer::Sgd { momentum } => Rule::Sgd {
                momentum,
                velocity: state(VELOCITY)?,
            },
            Optimizer::RmsProp => Rule::RmsProp {
                mean_square: state(MEAN_SQUARE)?,
            },
        };
        Ok(Self { rule, updates })
    }

    /// The state's tensors by their names, those of [`Optimizer::state_names`].
    pub fn state(&self) -> Vec<(&'static str, Tensor<1>)> {
        match &self.rule {
            Rule::Adam {
                mean, mean_square, ..
            } => vec![(MEAN, mean.clone()), (MEAN_SQUARE, mean_square.clone())],
            Rule::Sgd { velocity, .. } => vec![(VELOCITY, velocity.clone())],
            Rule::RmsProp { mean_square } => vec![(MEAN_SQUARE, mean_square.clone())],
        }
    }

    /// How often [`Update::apply`] was asked.
    pub fn updates(&self) -> u32 {
        self.updates
    }

    /// The weights after one update by `gradient`, both of one length.
    pub fn apply(&mut self, weights: Tensor<1>, gradient: Tensor<1>, rate: f64) -> Tensor<1> {
        self.updates += 1;
        match &mut self.rule {
            Rule::Adam {
                weight_decay,
                mean,
                mean_square,
            } => {
                // AdamW in Keras: every weight shrinks by rate · decay before Adam's own step.
                let weights = if *weight_decay == 0.0 {
                    weights
                } else {
                    weights.clone() - weights.mul_scalar(*weight_decay * rate)
                };
                adam(weights, gradient, rate, mean, mean_square, self.updates)
            }
            Rule::Sgd { momentum, velocity } => {
                // `keras.optimizers.SGD`: the rate goes into the velocity, without dampening.
                *velocity = velocity.clone().mul_scalar(*momentum) - gradient.mul_scalar(rate);
                weights + velocity.clone()
            }
            Rule::RmsProp { mean_square } => {
                // `keras.optimizers.RMSprop`: ε is added under the root.
                follow(mean_square, gradient.clone() * gradient.clone(), RHO);
                weights - gradient.mul_scalar(rate) / mean_square.clone().add_scalar(EPSILON).sqrt()
            }
        }
    }
}

/// Kingma and Ba 2015 in the order of the last lines of their section 2, which is what
/// `keras.optimizers.Adam` computes: ε is added to √v before its bias is corrected.
fn adam(
    weights: Tensor<1>,
    gradient: Tensor<1>,
    rate: f64,
    mean: &mut Tensor<1>,
    mean_square: &mut Tensor<1>,
    updates: u32,
) -> Tensor<1> {
    let updates = f64::from(updates);
    let rate = rate * (1.0 - BETA_2.powf(updates)).sqrt() / (1.0 - BETA_1.powf(updates));
    let square = gradient.clone() * gradient.clone();
    follow(mean, gradient, BETA_1);
    follow(mean_square, square, BETA_2);
    weights - mean.clone().mul_scalar(rate) / mean_square.clone().sqrt().add_scalar(EPSILON)
}

/// A running mean with this decay, one value later.
fn follow(mean: &mut Tensor<1>, value: Tensor<1>, decay: f64) {
    *mean = mean.clone() + (value - mean.clone()).mul_scalar(1.0 - decay);
}
