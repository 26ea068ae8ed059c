//! The optimisers a run can use, and what their state is called; the arithmetic is in
//! `train/update.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::Values;

/// Decay of Adam's mean gradient (β₁).
pub const BETA_1: f64 = 0.9;
/// Decay of Adam's mean squared gradient (β₂).
pub const BETA_2: f64 = 0.999;
/// Decay of `RMSprop`'s mean squared gradient (ρ).
pub const RHO: f64 = 0.9;
/// Keeps divisions away from zero (ε), Keras' default.
pub const EPSILON: f64 = 1e-7;

/// The momentum that [`Optimizer::Sgd`] starts with.
pub const DEFAULT_MOMENTUM: f64 = 0.9;
/// The weight decay that [`Optimizer::AdamW`] starts with, Keras' default.
pub const DEFAULT_WEIGHT_DECAY: f64 = 0.004;

/// Running mean of the gradients.
pub const MEAN: &str = "mean";
/// Running mean of the squared gradients.
pub const MEAN_SQUARE: &str = "mean_square";
/// The last step, of which momentum keeps a share.
pub const VELOCITY: &str = "velocity";

/// What turns gradients into steps, with Keras' defaults where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Optimizer {
    /// Kingma and Ba 2015.
    Adam,
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Share of the last step that goes on, 0 to 0.99.
        momentum: f64,
    },
    /// Adam with weight decay beside the gradient, Loshchilov and Hutter 2019.
    AdamW {
        /// Share of a weight lost at rate 1, 0 to 0.1.
        weight_decay: f64,
    },
    /// Hinton 2012.
    RmsProp,
}

impl Optimizer {
    /// Every optimiser, with its defaults.
    pub const ALL: [Self; 4] = [
        Self::Adam,
        Self::Sgd {
            momentum: DEFAULT_MOMENTUM,
        },
        Self::AdamW {
            weight_decay: DEFAULT_WEIGHT_DECAY,
        },
        Self::RmsProp,
    ];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Adam => "Adam",
            Self::Sgd { .. } => "SGD",
            Self::AdamW { .. } => "AdamW",
            Self::RmsProp => "RMSprop",
        }
    }

    /// The names of its state, each a vector as long as the weights.
    pub const fn state_names(self) -> &'static [&'static str] {
        match self {
            Self::Adam | Self::AdamW { .. } => &[MEAN, MEAN_SQUARE],
            Self::Sgd { .. } => &[VELOCITY],
            Self::RmsProp => &[MEAN_SQUARE],
        }
    }

    /// The state before the first update, for so many parameters.
    pub fn initial_state(self, len: usize) -> BTreeMap<String, Values> {
        let zeros = |name: &&str| ((*name).to_owned(), Values(vec![0.0; len]));
        self.state_names().iter().map(zeros).collect()
    }
}
