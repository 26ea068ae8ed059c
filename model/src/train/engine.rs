//! What computes a run: the CPU's own kernels, or burn where the device is another.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};

use super::fused::update::{Update as CpuUpdate, norm};
use super::fused::{Examples, Network};
use super::network;
use super::session::TrainError;
use super::transfer::{download, download_all, upload};
use super::update::Update;
use crate::batch::Batch;
use crate::checkpoint::Values;
use crate::optimizer::Optimizer;

/// Which of a run's weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those after the last step.
    Current,
    /// Those that were set aside as the best; the current ones where none were.
    Best,
}

/// What a run computes with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holdings {
    /// The weights after the last step.
    pub weights: Values,
    /// The optimiser's state by its names.
    pub optimizer: BTreeMap<String, Values>,
    /// The weights that were set aside as the best.
    pub best: Option<Values>,
}

/// What a training step found, perhaps still on its device: the logits, row by row, and behind
/// them the gradient's norm.
#[derive(Clone, Debug)]
pub enum Found {
    /// Known already.
    Known(Vec<f32>),
    /// On a device of burn's.
    OnDevice(Box<Tensor<1>>),
}

/// Weights and the optimiser that changes them.
#[derive(Debug)]
pub enum Engine {
    /// In memory, by kernels of our own.
    Cpu(Box<Cpu>),
    /// On any device, by burn.
    Burn(Box<Burn>),
}

/// A run in memory.
#[derive(Debug)]
pub struct Cpu {
    weights: Vec<f32>,
    best: Option<Vec<f32>>,
    update: CpuUpdate,
}

/// A run on a device of burn's.
#[derive(Debug)]
pub struct Burn {
    weights: Tensor<1>,
    best: Option<Tensor<1>>,
    update: Update,
}

impl Engine {
    /// The engine for a device, of a run that has done so many updates.
    ///
    /// # Errors
    /// A part of the optimiser's state that is missing, by its name.
    pub fn new(
        device: &Device,
        holdings: Holdings,
        optimizer: Optimizer,
        updates: u32,
    ) -> Result<Self, &'static str> {
        let Holdings {
            weights,
            optimizer: state,
            best,
        } = holdings;
        Ok(if *device == Device::flex() {
            Self::Cpu(Box::new(Cpu {
                weights: weights.0,
                best: best.map(|best| best.0),
                update: CpuUpdate::new(optimizer, &state, updates)?,
            }))
        } else {
            Self::Burn(Box::new(Burn {
                weights: upload(weights.0, device),
                best: best.map(|best| upload(best.0, device)),
                update: Update::new(optimizer, &state, updates, device)?,
            }))
        })
    }

    /// Does one training step on all images of a batch.
    ///
    /// # Errors
    /// A device that finds no gradient.
    pub fn train(&mut self, batch: &Batch, learning_rate: f64) -> Result<Found, TrainError> {
        match self {
            Self::Cpu(cpu) => Ok(Found::Known(cpu.train(batch, learning_rate))),
            Self::Burn(burn) => burn
                .train(batch, learning_rate)
                .map(|found| Found::OnDevice(Box::new(found))),
        }
    }

    /// The logits `[n, 10]` of images `[n, 28, 28]` with values 0 to 1, dropout off.
    ///
    /// # Errors
    /// A device that gives no results.
    pub async fn logits(&self, which: Which, pixels: Vec<f32>) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Cpu(cpu) => {
                let best = cpu.best.as_ref().filter(|_| which == Which::Best);
                Ok(Network::new(best.unwrap_or(&cpu.weights)).logits(&pixels))
            }
            Self::Burn(burn) => {
                let best = burn.best.as_ref().filter(|_| which == Which::Best);
                download(network::logits(best.unwrap_or(&burn.weights), pixels)).await
            }
        }
    }

    /// Sets the current weights aside as the best.
    pub fn keep_best(&mut self) {
        match self {
            Self::Cpu(cpu) => cpu.best = Some(cpu.weights.clone()),
            Self::Burn(burn) => burn.best = Some(burn.weights.clone()),
        }
    }

    /// Goes back to the best weights, where there are any.
    pub fn restore_best(&mut self) {
        match self {
            Self::Cpu(cpu) => {
                if let Some(best) = &cpu.best {
                    cpu.weights.clone_from(best);
                }
            }
            Self::Burn(burn) => {
                if let Some(best) = &burn.best {
                    burn.weights = best.clone();
                }
            }
        }
    }

    /// All that the run computes with, as it is now.
    ///
    /// # Errors
    /// A device that gives no results.
    pub async fn holdings(&self) -> Result<Holdings, TrainError> {
        match self {
            Self::Cpu(cpu) => Ok(Holdings {
                weights: Values(cpu.weights.clone()),
                optimizer: cpu
                    .update
                    .state()
                    .map(|(name, values)| (name.to_owned(), Values(values.to_vec())))
                    .collect(),
                best: cpu.best.clone().map(Values),
            }),
            Self::Burn(burn) => burn.holdings().await,
        }
    }
}

impl Cpu {
    fn train(&mut self, batch: &Batch, learning_rate: f64) -> Vec<f32> {
        let examples = Examples {
            pixels: &batch.pixels,
            labels: &batch.labels,
            dropout: batch.dropout.as_deref(),
        };
        let found = Network::new(&self.weights).gradients(examples, batch.labels.len());
        self.update
            .apply(&mut self.weights, &found.gradient, learning_rate);
        let mut results = found.logits;
        results.push(norm(&found.gradient));
        results
    }
}

impl Burn {
    fn train(&mut self, batch: &Batch, learning_rate: f64) -> Result<Tensor<1>, TrainError> {
        let found = network::gradients(&self.weights, batch, batch.labels.len())
            .ok_or_else(|| TrainError::Device("a parameter has no gradient".to_owned()))?;
        let norm = (found.gradient.clone() * found.gradient.clone())
            .sum()
            .sqrt();
        self.weights = self
            .update
            .apply(self.weights.clone(), found.gradient, learning_rate);
        Ok(Tensor::cat(vec![found.logits.flatten(0, 1), norm], 0))
    }

    async fn holdings(&self) -> Result<Holdings, TrainError> {
        let (names, state): (Vec<_>, Vec<_>) = self.update.state().into_iter().unzip();
        let tensors = [self.weights.clone()].into_iter().chain(state);
        let tensors = tensors.chain(self.best.clone());
        let mut read = download_all(tensors.collect())
            .await?
            .into_iter()
            .map(Values);
        Ok(Holdings {
            weights: read.next().unwrap_or_default(),
            optimizer: names
                .into_iter()
                .map(str::to_owned)
                .zip(&mut read)
                .collect(),
            best: read.next(),
        })
    }
}

/// Reads what several steps found, by one read.
///
/// # Errors
/// A device that gives no results.
pub async fn read(steps: Vec<Found>) -> Result<Vec<Vec<f32>>, TrainError> {
    let on_device = steps.iter().filter_map(|found| match found {
        Found::Known(_) => None,
        Found::OnDevice(tensor) => Some(Tensor::clone(tensor)),
    });
    let on_device: Vec<_> = on_device.collect();
    let mut read = if on_device.is_empty() {
        Vec::new().into_iter()
    } else {
        download_all(on_device).await?.into_iter()
    };
    let results = steps.into_iter().map(|found| match found {
        Found::Known(values) => values,
        Found::OnDevice(_) => read.next().unwrap_or_default(),
    });
    Ok(results.collect())
}
