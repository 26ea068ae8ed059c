//! What computes a run: a crew on the CPU, or a GPU.

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::Device;

use super::crew::{Crew, Hand};
use super::fused::update::{Update, norm};
#[cfg(feature = "webgpu")]
use super::gpu::{self, Gpu};
use super::session::TrainError;
use crate::batch::Draw;
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

/// Where a run computes.
#[derive(Clone, Debug)]
pub struct Place {
    /// burn's device.
    pub device: Device,
    /// How its kernels are cut; nothing to a CPU.
    pub tiles: Tiles,
}

/// How much one thread of a GPU takes on in the largest kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tiles {
    /// As much as its registers hold: some 10,000 threads to a batch of 128.
    #[default]
    Small,
    /// More: a GPU in software has its registers in memory, as all else, and more products to each
    /// load make it a fifth faster.
    Large,
}

impl Place {
    /// Whether it is the CPU, whose kernels are not burn's.
    pub fn is_cpu(&self) -> bool {
        self.device == Device::flex()
    }
}

impl From<Device> for Place {
    fn from(device: Device) -> Self {
        Self {
            device,
            tiles: Tiles::default(),
        }
    }
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
    /// On a GPU.
    #[cfg(feature = "webgpu")]
    OnDevice(gpu::Reading),
}

/// Weights and the optimiser that changes them.
#[derive(Debug)]
pub enum Engine {
    /// In memory.
    Cpu(Box<Cpu>),
    /// On a GPU.
    #[cfg(feature = "webgpu")]
    Gpu(Box<Gpu>),
}

/// A run in memory.
#[derive(Debug)]
pub struct Cpu {
    crew: Box<dyn Crew>,
    weights: Vec<f32>,
    best: Option<Vec<f32>>,
    update: Update,
}

impl Engine {
    /// The engine for a device, of a run on these images that has done so many updates.
    ///
    /// # Errors
    /// A part of the optimiser's state that is missing, or a device that launches no kernels.
    pub fn new(
        place: &Place,
        split: &Split,
        holdings: Holdings,
        optimizer: Optimizer,
        updates: u32,
    ) -> Result<Self, TrainError> {
        if place.is_cpu() {
            let update = Update::new(optimizer, &holdings.optimizer, updates);
            return Ok(Self::Cpu(Box::new(Cpu {
                crew: Box::new(Hand::new(split.clone())),
                weights: holdings.weights.0,
                best: holdings.best.map(|best| best.0),
                update: update.map_err(TrainError::OptimizerState)?,
            })));
        }
        Self::on_gpu(place, split, &holdings, optimizer, updates)
    }

    #[cfg(feature = "webgpu")]
    fn on_gpu(
        place: &Place,
        split: &Split,
        holdings: &Holdings,
        optimizer: Optimizer,
        updates: u32,
    ) -> Result<Self, TrainError> {
        let gpu = Gpu::new(place, split, holdings, optimizer, updates)?;
        Ok(Self::Gpu(Box::new(gpu)))
    }

    #[cfg(not(feature = "webgpu"))]
    fn on_gpu(
        place: &Place,
        _: &Split,
        _: &Holdings,
        _: Optimizer,
        _: u32,
    ) -> Result<Self, TrainError> {
        Err(TrainError::Device(format!(
            "nothing computes on {:?}",
            place.device
        )))
    }

    /// Has the CPU's part done by these from now on, who have the same images; another device has
    /// no use for them.
    pub fn employ(&mut self, crew: Box<dyn Crew>) {
        match self {
            Self::Cpu(cpu) => cpu.crew = crew,
            #[cfg(feature = "webgpu")]
            Self::Gpu(_) => {}
        }
    }

    /// How many images to ask [`Engine::logits`] for at once.
    pub fn measured_at_once(&self) -> usize {
        match self {
            Self::Cpu(_) => 200,
            #[cfg(feature = "webgpu")]
            Self::Gpu(gpu) => gpu.read_together(),
        }
    }

    /// Does one training step.
    ///
    /// # Errors
    /// A crew that cannot go on.
    pub async fn train(&mut self, draw: &Draw, learning_rate: f64) -> Result<Found, TrainError> {
        match self {
            Self::Cpu(cpu) => cpu.train(draw, learning_rate).await.map(Found::Known),
            #[cfg(feature = "webgpu")]
            Self::Gpu(gpu) => Ok(Found::OnDevice(gpu.train(draw, learning_rate))),
        }
    }

    /// The logits `[n, 10]` of these images of a part; dropout off.
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
            #[cfg(feature = "webgpu")]
            Self::Gpu(gpu) => gpu.logits(which, part, images).await,
        }
    }

    /// Sets the current weights aside as the best.
    pub fn keep_best(&mut self) {
        match self {
            Self::Cpu(cpu) => cpu.best = Some(cpu.weights.clone()),
            #[cfg(feature = "webgpu")]
            Self::Gpu(gpu) => gpu.keep_best(),
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
            #[cfg(feature = "webgpu")]
            Self::Gpu(gpu) => gpu.restore_best(),
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
            #[cfg(feature = "webgpu")]
            Self::Gpu(gpu) => gpu.holdings().await,
        }
    }
}

impl Cpu {
    async fn train(&mut self, draw: &Draw, learning_rate: f64) -> Result<Vec<f32>, TrainError> {
        let found = self.crew.train(&self.weights, draw).await?;
        let gradient = found.sums.flat();
        self.update
            .apply(&mut self.weights, &gradient, learning_rate);
        let mut results = found.logits;
        results.push(norm(&gradient));
        Ok(results)
    }
}

/// Reads what several steps found, by one read.
///
/// # Errors
/// A device that gives no results.
#[cfg(feature = "webgpu")]
pub async fn read(steps: Vec<Found>) -> Result<Vec<Vec<f32>>, TrainError> {
    let on_device = steps.iter().filter_map(|found| match found {
        Found::Known(_) => None,
        Found::OnDevice(reading) => Some(reading.clone()),
    });
    let mut read = gpu::read(on_device.collect()).await?.into_iter();
    let results = steps.into_iter().map(|found| match found {
        Found::Known(values) => values,
        Found::OnDevice(_) => read.next().unwrap_or_default(),
    });
    Ok(results.collect())
}

/// What several steps found.
///
/// # Errors
/// None: it is all known.
#[cfg(not(feature = "webgpu"))]
pub async fn read(steps: Vec<Found>) -> Result<Vec<Vec<f32>>, TrainError> {
    let results = steps.into_iter().map(|Found::Known(values)| values);
    Ok(results.collect())
}
