//! The whole training step on a GPU, in fourteen kernels of our own, with the data on the device.
//!
//! [`Gpu`] holds data, weights and the optimiser's state. A step, or a look at other images, uploads
//! where its images stand and a few numbers ([`job`]). A step's logits and its gradient's norm stay
//! on the device until several steps' are read at once. `kernel.rs` has the kernels, a `.wgsl` file each:
//!
//! | Kernels | do |
//! |---|---|
//! | `mask` | dropout's bits, drawn as the CPU draws them |
//! | `conv1`, `conv2` | convolution, bias, ReLU and pooling in one |
//! | `partial`, `logits`, `loss` | dense layer, softmax and the gradient of cross-entropy |
//! | `dense_back`, `conv2_weights`, `conv2_input`, `conv1_weights` | everything back |
//! | `gradient`, `squares`, `norm` | the parts of the gradient, added; its length |
//! | `adam`, `sgd`, `rms_prop` | the update, in place |
//!
//! No kernel waits for another thread: what threads have in common they leave in parts, which the
//! next kernel adds in order. So the same step has the same bits each time on one device. No size
//! of a batch is in a kernel's text; none compiles anew for another.

mod check;
mod job;
mod kernel;
mod maps;
mod queue;
mod unrolled;
mod update;

use std::ops::Range;
use std::time::Duration;

use web_time::Instant;

pub use self::check::check;
use self::kernel::{
    CONV1, CONV1_WEIGHTS, CONV2, CONV2_INPUT, CONV2_WEIGHTS, DENSE_BACK, GRADIENT, LOGITS, LOSS,
    MASK, NORM, PARTIAL, SQUARED, TAKE,
};
use self::maps::{Backward, Forward};
use self::queue::{Buffer, Queue};
use self::update::Update;
use super::engine::{Holdings, Place, Tiles, Which};
use super::fused::{SIDE_1, SIDE_2};
use super::session::TrainError;
use crate::batch::Draw;
use crate::checkpoint::Values;
use crate::dataset::{Part, Split};
use crate::optimizer::Optimizer;
use crate::spec::{
    CLASSES, CONV1_CHANNELS, CONV2_CHANNELS, CONV2_WEIGHT, FC_WEIGHT, FEATURES, PARAMETER_COUNT,
};

/// Words of an image's dropout bits.
const MASK_WORDS: usize = FEATURES / 32;
/// Threads that share the sum of a logit.
const LANES: usize = 64;
/// Most parts of the convolutions' gradients, of 256 threads each: enough to keep a GPU busy, and
/// few enough to be added soon.
const CONV_PARTS: usize = 48;
/// Most parts of the dense layer's gradient, of 400 threads each.
const DENSE_PARTS: usize = 16;
/// Images that are looked at together when they are only to be answered.
const SEEN_TOGETHER: usize = 1_000;
/// Most images whose answers are read together.
const MOST_READ_TOGETHER: usize = 10_000;
/// Reads that take less are joined, since a device idles while one is awaited; those that take four
/// times as long are parted, since whoever presses Pause waits for one.
const SHORT_READ: Duration = Duration::from_millis(100);
/// Values of a part of the first block's gradient.
const CONV1_PART: usize = CONV2_WEIGHT.offset;
/// Values of a part of the second block's gradient.
const CONV2_PART: usize = FC_WEIGHT.offset - CONV2_WEIGHT.offset;
/// Values of a part of the dense layer's gradient, in whole vectors of four.
const DENSE_PART: usize = (PARAMETER_COUNT - FC_WEIGHT.offset).next_multiple_of(4);
/// Threads that share the gradient's length.
const SQUARES: usize = 256;

/// How many images' answers to read together after so many took so long.
fn next_read(images: usize, took: Duration) -> usize {
    let next = if took < SHORT_READ {
        2 * images
    } else if took > 4 * SHORT_READ {
        images / 2
    } else {
        images
    };
    next.clamp(SEEN_TOGETHER, MOST_READ_TOGETHER)
}

/// Images whose gradients by the convolutions' parameters one part has.
const fn conv_images(images: usize) -> usize {
    let share = images.div_ceil(CONV_PARTS);
    if share < 2 { 2 } else { share }
}

/// Images whose gradients by the dense layer's parameters one part has.
const fn dense_images(images: usize) -> usize {
    let share = images.div_ceil(DENSE_PARTS);
    if share < 4 { 4 } else { share }
}

const _: () = assert!(
    FC_WEIGHT.offset.is_multiple_of(4),
    "a kernel reads the dense layer's weights four at a time"
);

/// A run on a GPU.
#[derive(Debug)]
pub struct Gpu {
    queue: Queue,
    split: Split,
    /// `[images, 196]`: the training images, four pixels to a word.
    pixels: Buffer,
    /// The same of the images it is validated on, once it was.
    validation: Option<Buffer>,
    /// The same of the test images, once it was scored.
    test: Option<Buffer>,
    /// `[images]`.
    labels: Buffer,
    weights: Weights,
    best: Option<Weights>,
    update: Update,
    forward: Forward,
    backward: Backward,
    read_together: usize,
    tiles: Tiles,
}

/// What a step left on the device: the logits, row by row, and behind them the gradient's norm.
#[derive(Clone, Debug)]
pub struct Reading {
    queue: Queue,
    results: Buffer,
}

/// Weights as the kernels read them.
#[derive(Debug)]
struct Weights {
    /// `[34826]`.
    flat: Buffer,
    /// The second convolution's kernels once more, `[32, 9, 64]`.
    turned: Buffer,
}

impl Weights {
    /// A copy of flat weights.
    fn of(queue: &Queue, flat: &Buffer) -> Self {
        let copy = Self {
            flat: queue.room(PARAMETER_COUNT),
            turned: queue.room(CONV2_WEIGHT.len()),
        };
        copy.take(queue, flat);
        copy
    }

    /// Takes on the values of flat weights.
    fn take(&self, queue: &Queue, flat: &Buffer) {
        queue.launch(TAKE, PARAMETER_COUNT, &[flat, &self.flat, &self.turned]);
    }
}

impl Gpu {
    /// A run on these images that has done so many updates.
    ///
    /// # Errors
    /// A part of the optimiser's state that is missing, or a device that launches no kernels.
    pub fn new(
        place: &Place,
        split: &Split,
        holdings: &Holdings,
        optimizer: Optimizer,
        updates: u32,
    ) -> Result<Self, TrainError> {
        let queue = Queue::new(&place.device)?;
        let training = split.training.images();
        let labels: Vec<u32> = training
            .labels()
            .iter()
            .map(|label| (*label).into())
            .collect();
        let weights = |values: &Values| {
            let flat = queue.upload(bytemuck::cast_slice(&values.0));
            Weights::of(&queue, &flat)
        };
        Ok(Self {
            pixels: queue.upload(training.bytes().0),
            validation: None,
            test: None,
            labels: queue.upload(bytemuck::cast_slice(&labels)),
            weights: weights(&holdings.weights),
            best: holdings.best.as_ref().map(weights),
            update: Update::new(&queue, optimizer, &holdings.optimizer, updates)
                .map_err(TrainError::OptimizerState)?,
            forward: Forward::new(&queue, 1),
            backward: Backward::new(&queue, 1),
            split: split.clone(),
            read_together: SEEN_TOGETHER,
            tiles: place.tiles,
            queue,
        })
    }

    /// Does one training step on the images that are drawn.
    pub fn train(&mut self, draw: &Draw, learning_rate: f64) -> Reading {
        let images = draw.rows.len();
        self.forward.fit(&self.queue, images);
        self.backward.fit(&self.queue, images);
        let rates = self.update.next(learning_rate);
        let job = job::step(&self.queue, draw, rates);
        let results = self.queue.room(images * CLASSES + 1);
        if draw.dropout > 0.0 {
            let buffers = [&job, &self.forward.mask];
            self.queue.launch(MASK, images * MASK_WORDS, &buffers);
        }
        self.look(&job, images, &self.pixels, &self.weights, &results);
        self.learn(&job, images, &results);
        self.apply(&job, &results);
        Reading {
            queue: self.queue.clone(),
            results,
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
        let began = Instant::now();
        let count = images.len();
        let pixels = self.pixels_of(part);
        self.forward.fit(&self.queue, count.min(SEEN_TOGETHER));
        let best = self.best.as_ref().filter(|_| which == Which::Best);
        let weights = best.unwrap_or(&self.weights);
        let look = |first: usize| {
            let some = first..(first + SEEN_TOGETHER).min(images.end);
            let results = self.queue.room(some.len() * CLASSES);
            let job = job::look(&self.queue, some.clone());
            self.look(&job, some.len(), &pixels, weights, &results);
            results
        };
        let results = images.clone().step_by(SEEN_TOGETHER).map(look).collect();
        let read = self.queue.read(results).await?;
        if count == self.read_together {
            self.read_together = next_read(count, began.elapsed());
        }
        Ok(read.concat())
    }

    /// How many images to ask [`Gpu::logits`] for at once.
    pub fn read_together(&self) -> usize {
        self.read_together
    }

    /// The images of a part, uploaded when they are first asked for.
    fn pixels_of(&mut self, part: Part) -> Buffer {
        let pixels = match part {
            Part::Training => return self.pixels.clone(),
            Part::Validation => &mut self.validation,
            Part::Test => &mut self.test,
        };
        let upload = || self.queue.upload(self.split.part(part).bytes().0);
        pixels.get_or_insert_with(upload).clone()
    }

    /// Sets the current weights aside as the best.
    pub fn keep_best(&mut self) {
        let current = &self.weights.flat;
        match &self.best {
            Some(best) => best.take(&self.queue, current),
            None => self.best = Some(Weights::of(&self.queue, current)),
        }
    }

    /// Goes back to the best weights, where there are any.
    pub fn restore_best(&mut self) {
        if let Some(best) = &self.best {
            self.weights.take(&self.queue, &best.flat);
        }
    }

    /// All that the run computes with, as it is now, by one read.
    ///
    /// # Errors
    /// A device that gives no results.
    pub async fn holdings(&self) -> Result<Holdings, TrainError> {
        let (names, state) = self.update.state();
        let best = self.best.iter().map(|best| &best.flat);
        let buffers = [&self.weights.flat].into_iter().chain(state).chain(best);
        let read = self.queue.read(buffers.cloned().collect()).await?;
        let mut read = read.into_iter().map(Values);
        Ok(Holdings {
            weights: read.next().unwrap_or_default(),
            optimizer: names
                .iter()
                .map(|name| (*name).to_owned())
                .zip(&mut read)
                .collect(),
            best: read.next(),
        })
    }

    /// From the pixels to the logits, which go to the start of `results`.
    fn look(
        &self,
        job: &Buffer,
        images: usize,
        pixels: &Buffer,
        weights: &Weights,
        results: &Buffer,
    ) {
        let (queue, maps, flat) = (&self.queue, &self.forward, &weights.flat);
        queue.launch(
            CONV1,
            images * SIDE_1 * CONV1_CHANNELS / 4,
            &[job, pixels, flat, &maps.first],
        );
        queue.launch(
            CONV2.cut(self.tiles),
            images * SIDE_2 / unrolled::window_rows(self.tiles) * CONV2_CHANNELS / 4,
            &[job, &maps.first, &weights.turned, flat, &maps.features],
        );
        queue.launch(
            PARTIAL,
            images.div_ceil(4) * LANES,
            &[job, &maps.features, &maps.mask, flat, &maps.partial],
        );
        queue.launch(
            LOGITS,
            images * CLASSES,
            &[job, &maps.partial, flat, results],
        );
    }

    /// From the logits back to the gradient.
    fn learn(&self, job: &Buffer, images: usize, results: &Buffer) {
        let (queue, maps, back) = (&self.queue, &self.forward, &self.backward);
        let flat = &self.weights.flat;
        let conv_parts = images.div_ceil(conv_images(images));
        let dense_parts = images.div_ceil(dense_images(images));
        queue.launch(LOSS, images, &[job, &self.labels, results, &back.by_logits]);
        queue.launch(
            DENSE_BACK,
            dense_parts * FEATURES / 4,
            &[
                job,
                &maps.features,
                &maps.mask,
                flat,
                &back.by_logits,
                &back.by_features,
                &back.dense_parts,
            ],
        );
        queue.launch(
            CONV2_WEIGHTS.cut(self.tiles),
            conv_parts * CONV1_CHANNELS * CONV2_CHANNELS / unrolled::outs(self.tiles),
            &[job, &maps.first, &back.by_features, &back.conv2_parts],
        );
        queue.launch(
            CONV2_INPUT,
            images * CONV1_CHANNELS / 2 * SIDE_1 / 4,
            &[job, &maps.first, &back.by_features, flat, &back.by_first],
        );
        queue.launch(
            CONV1_WEIGHTS,
            conv_parts * 2 * CONV1_CHANNELS,
            &[job, &self.pixels, &back.by_first, &back.conv1_parts],
        );
        queue.launch(
            GRADIENT,
            PARAMETER_COUNT,
            &[
                job,
                &back.conv1_parts,
                &back.conv2_parts,
                &back.dense_parts,
                &back.gradient,
            ],
        );
    }

    /// Changes the weights by the gradient, and puts its norm behind the logits.
    fn apply(&self, job: &Buffer, results: &Buffer) {
        let (queue, weights) = (&self.queue, &self.weights);
        let gradient = &self.backward.gradient;
        let squares = &self.backward.squares;
        queue.launch(SQUARED, SQUARES, &[gradient, squares]);
        queue.launch(NORM, 1, &[job, squares, results]);
        let (_, state) = self.update.state();
        let mut buffers = vec![job, gradient, &weights.flat, &weights.turned];
        buffers.extend(state);
        queue.launch(self.update.kernel(), PARAMETER_COUNT, &buffers);
    }
}

/// What several steps left, by one read.
///
/// # Errors
/// A device that gives no results.
pub async fn read(steps: Vec<Reading>) -> Result<Vec<Vec<f32>>, TrainError> {
    let Some(queue) = steps.first().map(|step| step.queue.clone()) else {
        return Ok(Vec::new());
    };
    queue
        .read(steps.into_iter().map(|step| step.results).collect())
        .await
}

#[cfg(test)]
mod tests;
