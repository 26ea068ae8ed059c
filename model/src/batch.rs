//! What one step sees, drawn by seed and step alone.

use rand::seq::SliceRandom as _;

use crate::dataset::{Images, TrainingImages};
use crate::random::{Purpose, numbers, uniform};
use crate::spec::{FEATURES, PIXELS};

/// The largest value of a pixel; the network sees 0 to 1.
const WHITE: f32 = 255.0;

/// The images of one training step.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[images, 28, 28]`, 0 to 1.
    pub pixels: Vec<f32>,
    /// The digits, 0 to 9.
    pub labels: Vec<u8>,
    /// `[images, 1600]`: what each feature is multiplied by, 0 where dropout drops it and
    /// 1 / (1 − rate) where it keeps it; `None` at rate 0.
    pub dropout: Option<Vec<f32>>,
}

impl Batch {
    /// The same images in parts of at most `most`, in order.
    pub fn parts(&self, most: usize) -> impl Iterator<Item = Self> {
        (0..self.labels.len()).step_by(most).map(move |first| {
            let last = (first + most).min(self.labels.len());
            Self {
                pixels: self.pixels[first * PIXELS..last * PIXELS].to_vec(),
                labels: self.labels[first..last].to_vec(),
                dropout: self
                    .dropout
                    .as_ref()
                    .map(|factors| factors[first * FEATURES..last * FEATURES].to_vec()),
            }
        })
    }
}

/// Draws the training batches of one run.
#[derive(Clone, Debug)]
pub struct Batches {
    images: TrainingImages,
    batch_size: usize,
    steps_per_epoch: u32,
    dropout: f64,
    seed: u32,
    /// The epoch that `order` is for.
    epoch: u32,
    order: Vec<u32>,
}

impl Batches {
    /// Batches of `batch_size` images, at most as many as there are.
    pub fn new(images: TrainingImages, batch_size: usize, dropout: f64, seed: u32) -> Self {
        let len = images.images().len();
        let batch_size = batch_size.clamp(1, len.max(1));
        Self {
            steps_per_epoch: (len / batch_size) as u32,
            order: order(len, seed, 0),
            images,
            batch_size,
            dropout,
            seed,
            epoch: 0,
        }
    }

    /// What the step after `steps_done` sees.
    pub fn draw(&mut self, steps_done: u32) -> Draw<'_> {
        let epoch = steps_done / self.steps_per_epoch;
        if epoch != self.epoch {
            self.epoch = epoch;
            self.order = order(self.images.images().len(), self.seed, epoch);
        }
        let start = (steps_done % self.steps_per_epoch) as usize * self.batch_size;
        Draw {
            images: self.images.images(),
            rows: &self.order[start..start + self.batch_size],
            dropout: self.dropout,
            seed: self.seed,
            steps_done,
        }
    }

    /// The batch of the step after `steps_done`.
    pub fn next(&mut self, steps_done: u32) -> Batch {
        self.draw(steps_done).batch()
    }
}

/// What a step sees, in a few numbers: a device that has the images makes the batch itself.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// All training images.
    pub images: &'a Images,
    /// Which of them the step sees, in order.
    pub rows: &'a [u32],
    /// The share of features that dropout drops, 0 to 0.9.
    pub dropout: f64,
    /// The run's seed.
    pub seed: u32,
    /// Steps before this one.
    pub steps_done: u32,
}

impl Draw<'_> {
    /// The digits, 0 to 9.
    pub fn labels(&self) -> Vec<u8> {
        let labels = self.images.labels();
        self.rows.iter().map(|row| labels[*row as usize]).collect()
    }

    /// The images themselves, with dropout's factors.
    pub fn batch(&self) -> Batch {
        let mut pixels = Vec::with_capacity(self.rows.len() * PIXELS);
        for row in self.rows {
            push_pixels(&mut pixels, self.images, *row as usize);
        }
        Batch {
            pixels,
            labels: self.labels(),
            dropout: dropout(self.rows.len(), self.dropout, self.seed, self.steps_done),
        }
    }
}

/// The order in which an epoch, counted from 0, sees `len` images.
fn order(len: usize, seed: u32, epoch: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.shuffle(&mut numbers(seed, Purpose::Order, epoch.into()));
    order
}

/// Dropout's factors for a step, row after row.
fn dropout(rows: usize, rate: f64, seed: u32, steps_done: u32) -> Option<Vec<f32>> {
    if rate == 0.0 {
        return None;
    }
    let rate = rate as f32;
    let kept = 1.0 / (1.0 - rate);
    let mut rng = numbers(seed, Purpose::Dropout, steps_done.into());
    Some(
        (0..rows * FEATURES)
            .map(|_| if uniform(&mut rng) < rate { 0.0 } else { kept })
            .collect(),
    )
}

/// The pixels of `rows` images from `first` on, `[rows, 28, 28]`, 0 to 1; blank beyond the last.
pub fn evaluation_pixels(images: &Images, first: usize, rows: usize) -> Vec<f32> {
    let mut pixels = Vec::with_capacity(rows * PIXELS);
    for index in first..(first + rows).min(images.len()) {
        push_pixels(&mut pixels, images, index);
    }
    pixels.resize(rows * PIXELS, 0.0);
    pixels
}

fn push_pixels(pixels: &mut Vec<f32>, images: &Images, index: usize) {
    pixels.extend(
        images
            .pixels(index)
            .iter()
            .map(|pixel| f32::from(*pixel) / WHITE),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ValidateOn;
    use crate::dataset::Dataset;
    use crate::spec::IMAGE_SIDE;

    /// Ten training images of which image i is labelled i and has the value i everywhere.
    fn digits() -> TrainingImages {
        let count = 10_u32.to_be_bytes();
        let side = (IMAGE_SIDE as u32).to_be_bytes();
        let mut images = [[0, 0, 8, 3], count, side, side].concat();
        images.extend((0..10).flat_map(|digit| [digit; PIXELS]));
        let mut labels = [[0, 0, 8, 1], count].concat();
        labels.extend(0..10);
        let images = Images::from_idx(&images, &labels).unwrap();
        Dataset::new(images.clone(), images, "digits")
            .split(10, 0, ValidateOn::TestSet)
            .training
    }

    #[test]
    fn an_epoch_sees_every_image_once_in_a_new_order() {
        let mut batches = Batches::new(digits(), 5, 0.0, 42);
        let mut epoch = |first| {
            let mut labels = batches.next(first).labels;
            labels.extend(batches.next(first + 1).labels);
            labels
        };
        let (first, second) = (epoch(0), epoch(2));
        assert_ne!(first, second);
        for mut labels in [first, second] {
            labels.sort_unstable();
            assert_eq!(labels, Vec::from_iter(0..10));
        }
    }

    #[test]
    fn pixels_follow_their_labels_and_are_scaled() {
        let batch = Batches::new(digits(), 3, 0.0, 42).next(0);
        for (label, pixels) in batch.labels.iter().zip(batch.pixels.chunks(PIXELS)) {
            let value = f32::from(*label) / 255.0;
            assert!(pixels.iter().all(|pixel| *pixel == value), "{label}");
        }
    }

    #[test]
    fn a_batch_depends_on_its_step_alone() {
        let mut one = Batches::new(digits(), 4, 0.5, 42);
        for step in 0..5 {
            one.next(step);
        }
        assert_eq!(one.next(5), Batches::new(digits(), 4, 0.5, 42).next(5));
    }

    #[test]
    fn dropout_drops_its_share_and_keeps_the_mean() {
        let rate = 0.3;
        let mask = dropout(128, rate, 42, 0).unwrap();
        let count = mask.len() as f64;
        let dropped = mask.iter().filter(|factor| **factor == 0.0).count() as f64;
        let deviation = (rate * (1.0 - rate) / count).sqrt();
        assert!(
            (dropped / count - rate).abs() < 4.0 * deviation,
            "{}",
            dropped / count
        );
        let kept = mask.iter().find(|factor| **factor != 0.0);
        assert_eq!(kept, Some(&(1.0 / (1.0 - rate as f32))));
        assert_eq!(dropout(128, 0.0, 42, 0), None);
    }

    #[test]
    fn evaluation_pads_the_last_batch() {
        let images = digits();
        let pixels = evaluation_pixels(images.images(), 8, 4);
        assert_eq!(pixels.len(), 4 * PIXELS);
        assert_eq!(pixels[PIXELS], 9.0 / 255.0);
        assert_eq!(pixels[2 * PIXELS..], [0.0; 2 * PIXELS]);
    }
}
