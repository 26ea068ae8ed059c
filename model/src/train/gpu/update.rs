//! An optimiser whose state is on the device; the arithmetic is in `adam.wgsl`, `sgd.wgsl` and
//! `rms_prop.wgsl`, a kernel each over the flat vector.

use std::collections::BTreeMap;

use super::job::Rates;
use super::kernel::{ADAM, Kernel, RMS_PROP, SGD};
use super::queue::{Buffer, Queue};
use crate::checkpoint::Values;
use crate::optimizer::{BETA_1, BETA_2, EPSILON, Optimizer, RHO};
use crate::train::fused::update::adam_rate;

/// An optimiser and its state.
#[derive(Debug)]
pub struct Update {
    optimizer: Optimizer,
    /// In the order of [`Optimizer::state_names`], each as long as the weights.
    state: Vec<Buffer>,
    updates: u32,
}

impl Update {
    /// An optimiser as it is after `updates` updates, with the state it has then.
    ///
    /// # Errors
    /// A part of the state that is missing, by its name.
    pub fn new(
        queue: &Queue,
        optimizer: Optimizer,
        state: &BTreeMap<String, Values>,
        updates: u32,
    ) -> Result<Self, &'static str> {
        let part = |name: &&'static str| {
            let values = state.get(*name).ok_or(*name)?;
            Ok::<_, &'static str>(queue.upload(bytemuck::cast_slice(&values.0)))
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

    /// The names of the state and, in their order, its buffers.
    pub fn state(&self) -> (&'static [&'static str], &[Buffer]) {
        (self.optimizer.state_names(), &self.state)
    }

    /// Counts one more update, at this learning rate, and says how it goes.
    pub fn next(&mut self, rate: f64) -> Rates {
        self.updates += 1;
        let adam = |decay| Rates {
            rate: adam_rate(rate, self.updates),
            mean_share: 1.0 - BETA_1,
            square_share: 1.0 - BETA_2,
            decay,
            epsilon: EPSILON,
        };
        match self.optimizer {
            Optimizer::Adam => adam(0.0),
            Optimizer::AdamW { weight_decay } => adam(weight_decay * rate),
            Optimizer::Sgd { momentum } => Rates {
                rate,
                decay: momentum,
                ..Rates::default()
            },
            Optimizer::RmsProp => Rates {
                rate,
                square_share: 1.0 - RHO,
                epsilon: EPSILON,
                ..Rates::default()
            },
        }
    }

    /// The kernel of the optimiser; behind the weights it takes the state.
    pub fn kernel(&self) -> Kernel {
        match self.optimizer {
            Optimizer::Adam | Optimizer::AdamW { .. } => ADAM,
            Optimizer::Sgd { .. } => SGD,
            Optimizer::RmsProp => RMS_PROP,
        }
    }
}
