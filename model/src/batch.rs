//! What one step sees, drawn by seed and step alone.

use std::ops::Range;

use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};

use crate::dataset::{Images, TrainingImages};
use crate::random::{Purpose, below, numbers, reached};
use crate::spec::{CONV2_CHANNELS, FEATURES, PIXELS};

/// The largest value of a pixel; the network sees 0 to 1.
const WHITE: f32 = 255.0;

/// The images of one training step.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[images, 28, 28]`, 0 to 1.
    pub pixels: Vec<f32>,
    /// The digits, 0 to 9.
    pub labels: Vec<u8>,
    /// What dropout keeps; `None` at rate 0.
    pub dropout: Option<Dropout>,
}

/// Which features of some images dropout keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropout {
    /// Those of each image.
    pub kept: Vec<Kept>,
    /// What they are multiplied by, 1 / (1 − rate).
    pub factor: f32,
}

/// Which of an image's features dropout keeps: a bit each in their order, in each word the lowest
/// first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept(pub [u64; FEATURES / WORD]);

/// Bits of a word.
const WORD: usize = u64::BITS as usize;
/// Blocks of random numbers that [`reached`] takes for a word.
const BLOCKS: u64 = 4;
/// Windows of a channel, which are neighbours among the features.
const WINDOWS: usize = FEATURES / CONV2_CHANNELS;
const _: () = assert!(FEATURES.is_multiple_of(WORD) && CONV2_CHANNELS == WORD);

impl Dropout {
    /// `[images, 1600]`: what each feature is multiplied by.
    pub fn factors(&self) -> Vec<f32> {
        let words = self.kept.iter().flat_map(|kept| kept.0);
        let factor = |word: u64| {
            (0..WORD).map(move |bit| {
                if word >> bit & 1 == 1 {
                    self.factor
                } else {
                    0.0
                }
            })
        };
        words.flat_map(factor).collect()
    }

    /// The part of these images.
    pub fn part(&self, images: Range<usize>) -> Self {
        Self {
            kept: self.kept[images].to_vec(),
            factor: self.factor,
        }
    }
}

impl Kept {
    /// For each pooling window a bit for each of the 64 channels.
    pub fn by_window(&self) -> [u64; WINDOWS] {
        let mut rows = [0; WORD];
        for (channel, row) in rows.iter_mut().enumerate() {
            let (word, bit) = (channel * WINDOWS / WORD, channel * WINDOWS % WORD);
            let next = self.0.get(word + 1).copied().unwrap_or_default();
            *row = self.0[word] >> bit | (next << (WORD - 1 - bit)) << 1;
        }
        transpose(&mut rows);
        std::array::from_fn(|window| rows[window])
    }
}

/// Makes column i of the bits row i, by exchanging ever smaller blocks (Warren, "Hacker's Delight",
/// section 7-3).
fn transpose(rows: &mut [u64; WORD]) {
    let mut mask = u64::from(u32::MAX);
    let mut size = WORD / 2;
    while size > 0 {
        for row in (0..WORD).filter(|row| row & size == 0) {
            let exchanged = (rows[row] >> size ^ rows[row + size]) & mask;
            rows[row] ^= exchanged << size;
            rows[row + size] ^= exchanged;
        }
        size /= 2;
        mask ^= mask << size;
    }
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
                    .map(|dropout| dropout.part(first..last)),
            }
        })
    }
}

/// What one training step sees, by number: whoever has the images makes any part of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// Places of the images among the training images.
    #[serde(with = "rows_as_bytes")]
    pub rows: Vec<u32>,
    /// Share of the features that dropout drops.
    pub dropout: f64,
    /// The run's seed.
    pub seed: u32,
    /// Steps before this one.
    pub steps_done: u32,
}

/// As bytes numbers go from worker to worker in one piece, at every step.
mod rows_as_bytes {
    use serde::{Deserializer, Serializer};
    use serde_bytes::{ByteBuf, Bytes};

    pub fn serialize<S: Serializer>(rows: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
        serde_bytes::serialize(Bytes::new(&bytes), serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let bytes: ByteBuf = serde_bytes::deserialize(deserializer)?;
        let (rows, _) = bytes.as_chunks();
        Ok(rows.iter().map(|row| u32::from_le_bytes(*row)).collect())
    }
}

impl Draw {
    /// The digits, 0 to 9.
    pub fn labels(&self, images: &TrainingImages) -> Vec<u8> {
        labels(images.images(), &self.rows)
    }

    /// All images of the batch.
    pub fn whole(&self, images: &TrainingImages) -> Batch {
        self.batch(images, 0..self.rows.len())
    }

    /// The images of these places in the batch.
    pub fn batch(&self, images: &TrainingImages, places: Range<usize>) -> Batch {
        let images = images.images();
        let rows = &self.rows[places.clone()];
        let mut pixels = Vec::with_capacity(rows.len() * PIXELS);
        for row in rows {
            push_pixels(&mut pixels, images, *row as usize);
        }
        Batch {
            pixels,
            labels: labels(images, rows),
            dropout: dropout(places, self.dropout, self.seed, self.steps_done),
        }
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
    pub fn draw(&mut self, steps_done: u32) -> Draw {
        let epoch = steps_done / self.steps_per_epoch;
        if epoch != self.epoch {
            self.epoch = epoch;
            self.order = order(self.images.images().len(), self.seed, epoch);
        }
        let start = (steps_done % self.steps_per_epoch) as usize * self.batch_size;
        Draw {
            rows: self.order[start..start + self.batch_size].to_vec(),
            dropout: self.dropout,
            seed: self.seed,
            steps_done,
        }
    }

    /// The batch of the step after `steps_done`.
    pub fn next(&mut self, steps_done: u32) -> Batch {
        let draw = self.draw(steps_done);
        draw.whole(&self.images)
    }
}

/// The order in which an epoch, counted from 0, sees `len` images.
fn order(len: usize, seed: u32, epoch: u32) -> Vec<u32> {
    let mut order: Vec<u32> = (0..len as u32).collect();
    order.shuffle(&mut numbers(seed, Purpose::Order, epoch.into()));
    order
}

/// What dropout keeps at these places of a step's batch.
fn dropout(places: Range<usize>, rate: f64, seed: u32, steps_done: u32) -> Option<Dropout> {
    if rate == 0.0 {
        return None;
    }
    let rate = rate as f32;
    let of = (seed, Purpose::Dropout, steps_done.into());
    let below = below(rate);
    // A number a feature, so that every image begins with a block of its own.
    let words = (FEATURES / WORD) as u64;
    let kept = |place: usize| {
        let first = place as u64 * words;
        let word = |word: usize| reached(of, BLOCKS * (first + word as u64), below);
        Kept(std::array::from_fn(word))
    };
    Some(Dropout {
        kept: places.map(kept).collect(),
        factor: 1.0 / (1.0 - rate),
    })
}

/// The pixels of these images, `[n, 28, 28]`, 0 to 1; blank beyond the last.
pub fn evaluation_pixels(images: &Images, range: Range<usize>) -> Vec<f32> {
    let mut pixels = Vec::with_capacity(range.len() * PIXELS);
    for index in range.start..range.end.min(images.len()) {
        push_pixels(&mut pixels, images, index);
    }
    pixels.resize(range.len() * PIXELS, 0.0);
    pixels
}

fn labels(images: &Images, rows: &[u32]) -> Vec<u8> {
    let label = |row: &u32| images.labels()[*row as usize];
    rows.iter().map(label).collect()
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
        let images = Images::from_idx(images, &labels).unwrap();
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
    fn a_draw_comes_back_as_it_went() {
        let draw = Draw {
            rows: vec![0, 1, 59_999, u32::MAX],
            dropout: 0.5,
            seed: 42,
            steps_done: 7,
        };
        let text = serde_json::to_string(&draw).unwrap();
        assert_eq!(serde_json::from_str::<Draw>(&text).unwrap(), draw);
    }

    #[test]
    fn any_part_of_a_batch_is_drawn_alike() {
        let images = digits();
        let draw = Batches::new(images.clone(), 8, 0.5, 42).draw(0);
        let whole = draw.batch(&images, 0..8);
        let part = draw.batch(&images, 3..5);
        assert_eq!(part.pixels, whole.pixels[3 * PIXELS..5 * PIXELS]);
        assert_eq!(part.labels, whole.labels[3..5]);
        assert_eq!(part.dropout.unwrap(), whole.dropout.unwrap().part(3..5));
    }

    #[test]
    fn dropout_drops_its_share_and_keeps_the_mean() {
        let rate = 0.3;
        let mask = dropout(0..128, rate, 42, 0).unwrap().factors();
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
        assert_eq!(dropout(0..128, 0.0, 42, 0), None);
    }

    #[test]
    fn evaluation_pads_the_last_batch() {
        let images = digits();
        let pixels = evaluation_pixels(images.images(), 8..12);
        assert_eq!(pixels.len(), 4 * PIXELS);
        assert_eq!(pixels[PIXELS], 9.0 / 255.0);
        assert_eq!(pixels[2 * PIXELS..], [0.0; 2 * PIXELS]);
    }
}
