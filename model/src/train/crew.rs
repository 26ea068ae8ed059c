//! Those who compute a batch on the CPU, each a part of it.
//!
//! A batch is cut into at most [`MOST_SHARES`] shares of whole shards, the same ones whoever
//! computes them, and their gradients are added in order. So the bits of a run depend neither on
//! how many there are nor on who is faster.

use std::fmt::Debug;
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use super::fused::{Examples, Network, Outcome, SHARD};
use super::session::TrainError;
use crate::batch::{Draw, evaluation_pixels};
use crate::dataset::{Part, Split};

/// The most parts of a batch, and so the most who can work on one.
pub const MOST_SHARES: usize = 8;

/// An answer that is being worked out.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, TrainError>> + 'a>>;

/// Computes batches, by itself or together with others.
pub trait Crew: Debug {
    /// What each share of a batch brings, in order.
    fn train<'a>(&'a mut self, weights: &'a [f32], draw: &'a Draw) -> Pending<'a, Vec<Outcome>>;

    /// The logits `[n, 10]` of these images of a part, dropout off.
    fn logits<'a>(
        &'a mut self,
        weights: &'a [f32],
        part: Part,
        images: Range<usize>,
    ) -> Pending<'a, Vec<f32>>;
}

/// The shares of a batch of so many images: their places in it.
pub fn shares(images: usize) -> impl Iterator<Item = Range<usize>> {
    let len = images.div_ceil(SHARD).div_ceil(MOST_SHARES) * SHARD;
    let starts = (0..images).step_by(len.max(1));
    starts.map(move |start| start..(start + len).min(images))
}

/// What is to be done, cut into as many runs of neighbours as there are workers; some may get
/// nothing.
pub fn divide<T>(mut tasks: Vec<T>, workers: usize) -> Vec<Vec<T>> {
    let mut parts = Vec::with_capacity(workers);
    for left in (1..=workers).rev() {
        let rest = tasks.split_off(tasks.len().div_ceil(left));
        parts.push(std::mem::replace(&mut tasks, rest));
    }
    parts
}

/// One who computes: all images of a run, and nothing else.
///
/// Networks that nobody works with are kept, since their memory takes longer to be had than to be
/// filled.
#[derive(Clone, Debug)]
pub struct Hand {
    split: Arc<Split>,
    idle: Arc<Mutex<Vec<Network>>>,
}

impl Hand {
    /// One who has these images.
    pub fn new(split: Split) -> Self {
        Self {
            split: Arc::new(split),
            idle: Arc::default(),
        }
    }

    /// Works with a network of these weights.
    fn with_network<T>(&self, weights: &[f32], work: impl FnOnce(&mut Network) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut network = match kept {
            Some(mut network) => {
                network.load(weights);
                network
            }
            None => Network::new(weights),
        };
        let result = work(&mut network);
        idle().push(network);
        result
    }

    /// What some shares of a batch bring.
    pub fn train(&self, weights: &[f32], draw: &Draw, shares: &[Range<usize>]) -> Vec<Outcome> {
        self.with_network(weights, |network| {
            let outcome = |share: &Range<usize>| {
                let batch = draw.batch(&self.split.training, share.clone());
                let examples = Examples {
                    pixels: &batch.pixels,
                    labels: &batch.labels,
                    dropout: batch.dropout.as_deref(),
                };
                network.gradients(examples, draw.rows.len())
            };
            shares.iter().map(outcome).collect()
        })
    }

    /// The logits of these images of a part.
    pub fn logits(&self, weights: &[f32], part: Part, images: Range<usize>) -> Vec<f32> {
        let pixels = evaluation_pixels(self.split.part(part), images);
        self.with_network(weights, |network| network.logits(&pixels))
    }
}

/// One alone does all of it.
impl Crew for Hand {
    fn train<'a>(&'a mut self, weights: &'a [f32], draw: &'a Draw) -> Pending<'a, Vec<Outcome>> {
        let shares: Vec<_> = shares(draw.rows.len()).collect();
        let outcomes = Self::train(self, weights, draw, &shares);
        Box::pin(std::future::ready(Ok(outcomes)))
    }

    fn logits<'a>(
        &'a mut self,
        weights: &'a [f32],
        part: Part,
        images: Range<usize>,
    ) -> Pending<'a, Vec<f32>> {
        let logits = Self::logits(self, weights, part, images);
        Box::pin(std::future::ready(Ok(logits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_shards_and_at_most_eight() {
        let lens = |images| shares(images).map(|share| share.len()).collect::<Vec<_>>();
        assert_eq!(lens(1), [1]);
        assert_eq!(lens(40), [16, 16, 8]);
        assert_eq!(lens(128), [16; 8]);
        assert_eq!(lens(129), [32, 32, 32, 32, 1]);
        assert_eq!(lens(1_000), [128, 128, 128, 128, 128, 128, 128, 104]);
        assert!(lens(0).is_empty());
    }

    #[test]
    fn work_is_divided_evenly_and_in_order() {
        assert_eq!(divide(vec![1, 2, 3, 4, 5], 2), [vec![1, 2, 3], vec![4, 5]]);
        assert_eq!(divide(vec![1], 3), [vec![1], vec![], vec![]]);
        assert_eq!(divide(vec![1, 2, 3, 4], 3), [vec![1, 2], vec![3], vec![4]]);
    }
}
