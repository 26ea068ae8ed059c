//! What computes a run: the CPU's own kernels, or burn where the device is another.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::{Device, Tensor};

use super::crew::{Crew, Hand};
use super::fused::update::{Update as CpuUpdate, norm};
use super::network;
use super::session::TrainError;
use super::transfer::{download, download_all, upload};
use super::update::Update;
use crate::batch::{Draw, evaluation_pixels};
use crate::checkpoint::Values;
use crate::dataset::{Part, Split};
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
    crew: Box<dyn Crew>,
    weights: Vec<f32>,
    best: Option<Vec<f32>>,
    update: CpuUpdate,
}

/// A run on a device of burn's.
#[derive(Debug)]
pub struct Burn {
    split: Split,
    weights: Tensor<1>,
    best: Option<Tensor<1>>,
    update: Update,
}

impl Engine {
    /// The engine for a device, of a run on these images that has done so many updates.
    ///
    /// # Errors
    /// A part of the optimiser's state that is missing, by its name.
    pub fn new(
        device: &Device,
        split: Split,
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
                crew: Box::new(Hand::new(split)),
                weights: weights.0,
                best: best.map(|best| best.0),
                update: CpuUpdate::new(optimizer, &state, updates)?,
            }))
        } else {
            Self::Burn(Box::new(Burn {
                split,
                weights: upload(weights.0, device),
                best: best.map(|best| upload(best.0, device)),
                update: Update::new(optimizer, &state, updates, device)?,
            }))
        })
    }

    /// Has the CPU's part done by these from now on, who have the same images; another device has
    /// no use for them.
    pub fn employ(&mut self, crew: Box<dyn Crew>) {
        if let Self::Cpu(cpu) = self {
            cpu.crew = crew;
        }
    }

    /// Does one training step.
    ///
    /// # Errors
    /// A device that finds no gradient.
    pub async fn train(&mut self, draw: &Draw, learning_rate: f64) -> Result<Found, TrainError> {
        match self {
            Self::Cpu(cpu) => cpu.train(draw, learning_rate).await.map(Found::Known),
            Self::Burn(burn) => burn
                .train(draw, learning_rate)
                .map(|found| Found::OnDevice(Box::new(found))),
        }
    }

    /// The logits `[n, 10]` of these images of a part, dropout off.
    ///
    /// # Errors
    /// A device that gives no results.
    pub async fn logits(
        &mut self,
        which: Which,
        part: Part,
        images: Range<usize>,
    ) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Cpu(cpu) => {
                let best = cpu.best.as_ref().filter(|_| which == Which::Best);
                let weights = best.unwrap_or(&cpu.weights);
                cpu.crew.logits(weights, part, images).await
            }
            Self::Burn(burn) => {
                let best = burn.best.as_ref().filter(|_| which == Which::Best);
                let pixels = evaluation_pixels(burn.split.part(part), images);
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
    async fn train(&mut self, draw: &Draw, learning_rate: f64) -> Result<Vec<f32>, TrainError> {
        let mut shares = self.crew.train(&self.weights, draw).await?.into_iter();
        let mut found = shares.next().unwrap_or_default();
        for share in shares {
            found.add(share);
        }
        self.update
            .apply(&mut self.weights, &found.gradient, learning_rate);
        let mut results = found.logits;
        results.push(norm(&found.gradient));
        Ok(results)
    }
}

impl Burn {
    fn train(&mut self, draw: &Draw, learning_rate: f64) -> Result<Tensor<1>, TrainError> {
        let count = draw.rows.len();
        let batch = draw.batch(&self.split.training, 0..count);
        let found = network::gradients(&self.weights, &batch, count)
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
