//! Adam as Keras computes it.

use burn::tensor::{Device, Tensor};

use crate::spec::PARAMETER_COUNT;

/// Decay of the mean gradient.
pub const BETA_1: f64 = 0.9;
/// Decay of the mean squared gradient.
pub const BETA_2: f64 = 0.999;
/// Keeps the division away from zero.
pub const EPSILON: f64 = 1e-7;

/// Adam and its state, over one flat vector of parameters.
#[derive(Clone, Debug)]
pub struct Adam {
    mean: Tensor<1>,
    mean_square: Tensor<1>,
    updates: u32,
}

impl Adam {
    /// Adam before its first update.
    pub fn new(device: &Device) -> Self {
        Self {
            mean: Tensor::zeros([PARAMETER_COUNT], device),
            mean_square: Tensor::zeros([PARAMETER_COUNT], device),
            updates: 0,
        }
    }

    /// The weights after one update by `gradient`; both are `[34826]`.
    ///
    /// Kingma and Ba 2015 in the order of the last lines of their section 2, which is what
    /// `keras.optimizers.Adam` computes: ε is added to √v before its bias is corrected.
    pub fn apply(
        &mut self,
        weights: Tensor<1>,
        gradient: Tensor<1>,
        learning_rate: f64,
    ) -> Tensor<1> {
        self.updates += 1;
        let updates = f64::from(self.updates);
        let rate =
            learning_rate * (1.0 - BETA_2.powf(updates)).sqrt() / (1.0 - BETA_1.powf(updates));
        let square = gradient.clone() * gradient.clone();
        self.mean = self.mean.clone() + (gradient - self.mean.clone()).mul_scalar(1.0 - BETA_1);
        self.mean_square =
            self.mean_square.clone() + (square - self.mean_square.clone()).mul_scalar(1.0 - BETA_2);
        weights
            - self.mean.clone().mul_scalar(rate)
                / self.mean_square.clone().sqrt().add_scalar(EPSILON)
    }
}
