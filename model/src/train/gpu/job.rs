//! What a launch is told: a few numbers and which images, the only upload of a step.

use std::ops::Range;

use super::queue::{Buffer, Queue};
use super::{conv_images, dense_images};
use crate::batch::Draw;
use crate::random::below;

/// How an update goes, in the numbers that kernels read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// How far a weight goes at a gradient, or a mean, of one.
    pub rate: f64,
    /// How far the running mean goes to a gradient.
    pub mean_share: f64,
    /// How far the running mean square goes to a gradient's square.
    pub square_share: f64,
    /// What a weight loses, or the share of the velocity that stays.
    pub decay: f64,
    /// Keeps divisions away from zero.
    pub epsilon: f64,
}

/// The numbers of `Job` in `common.wgsl`, in its order, before the rows.
struct Numbers {
    images: u32,
    seed: u32,
    steps_done: u32,
    dropped: u32,
    factor: f32,
    rates: Rates,
}

impl Numbers {
    fn with_rows(&self, rows: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let images = self.images as usize;
        let rates = self.rates;
        let of_rates = [
            rates.rate,
            rates.mean_share,
            rates.square_share,
            rates.decay,
            rates.epsilon,
        ];
        let integers = [self.images, self.seed, self.steps_done, self.dropped];
        let floats = [self.factor, 1.0 / images as f32];
        integers
            .into_iter()
            .chain(floats.map(f32::to_bits))
            .chain(of_rates.map(|value| (value as f32).to_bits()))
            .chain([conv_images(images), dense_images(images)].map(|each| each as u32))
            .chain(rows)
            .collect()
    }
}

/// One training step.
pub fn step(queue: &Queue, draw: &Draw, rates: Rates) -> Buffer {
    let rate = draw.dropout as f32;
    let numbers = Numbers {
        images: draw.rows.len() as u32,
        seed: draw.seed,
        steps_done: draw.steps_done,
        dropped: below(rate),
        factor: 1.0 / (1.0 - rate),
        rates,
    };
    let words = numbers.with_rows(draw.rows.iter().copied());
    queue.upload(bytemuck::cast_slice(&words))
}

/// A look at these images of a part, dropout off.
pub fn look(queue: &Queue, images: Range<usize>) -> Buffer {
    let numbers = Numbers {
        images: images.len() as u32,
        seed: 0,
        steps_done: 0,
        dropped: 0,
        factor: 1.0,
        rates: Rates::default(),
    };
    let words = numbers.with_rows(images.start as u32..images.end as u32);
    queue.upload(bytemuck::cast_slice(&words))
}
