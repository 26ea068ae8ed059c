//! Those who compute a batch on the CPU, each a part of it.
//!
//! A batch is cut into at most [`MOST_SHARES`] shares of whole shards, the same ones whoever
//! computes them, and their gradients are added as in a tree: neighbours first, then neighbouring
//! pairs, then fours. So the bits of a run depend neither on how many there are nor on who is
//! faster, and whoever computes neighbours hands over one sum.

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
    /// What a batch brings.
    fn train<'a>(&'a mut self, weights: &'a [f32], draw: &'a Draw) -> Pending<'a, Outcome>;

    /// The logits `[n, 10]` of these images of a part, dropout off.
    fn logits<'a>(
        &'a mut self,
        weights: &'a [f32],
        part: Part,
        images: Range<usize>,
    ) -> Pending<'a, Vec<f32>>;
}

/// Images of a share of a batch of so many.
fn share_len(images: usize) -> usize {
    images.div_ceil(SHARD).div_ceil(MOST_SHARES).max(1) * SHARD
}

/// How many shares a batch of so many images has.
pub fn share_count(images: usize) -> usize {
    images.div_ceil(share_len(images))
}

/// What some neighbouring shares bring, joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Which shares.
    pub shares: Range<usize>,
    /// What they bring.
    pub outcome: Outcome,
}

/// The branches that neighbouring shares are joined to by whoever computes them.
pub fn branches(shares: Range<usize>) -> Vec<Range<usize>> {
    let mut all = Vec::new();
    let mut start = shares.start;
    while start < shares.end {
        let most = (shares.end - start).ilog2();
        let len = 1 << most.min(start.trailing_zeros());
        all.push(start..start + len);
        start += len;
    }
    all
}

/// Joins neighbouring branches, given in order, as far as the tree does.
fn join(found: impl IntoIterator<Item = Branch>) -> Vec<Branch> {
    let mut joined: Vec<Branch> = Vec::new();
    for mut branch in found {
        while let Some(before) = joined.pop_if(|before| are_twins(&before.shares, &branch.shares)) {
            branch = before.with(branch);
        }
        joined.push(branch);
    }
    joined
}

/// Whether two neighbours are the halves of a branch.
fn are_twins(first: &Range<usize>, second: &Range<usize>) -> bool {
    first.len() == second.len() && first.start.is_multiple_of(2 * first.len())
}

/// What a whole batch brings, of all its branches in order.
pub fn whole(found: impl IntoIterator<Item = Branch>) -> Outcome {
    let mut rest = join(found).into_iter().rev();
    let last = rest.next();
    let joined = last.map(|last| rest.fold(last, |joined, before| before.with(joined)));
    joined.map(|joined| joined.outcome).unwrap_or_default()
}

impl Branch {
    fn with(mut self, next: Self) -> Self {
        self.shares.end = next.shares.end;
        self.outcome.add(next.outcome);
        self
    }
}

/// What is to be done, cut into as many runs of neighbours as there are workers; some may get
/// nothing.
pub fn divide(mut tasks: Vec<usize>, workers: usize) -> Vec<Vec<usize>> {
    let mut parts = Vec::with_capacity(workers);
    for left in (1..=workers).rev() {
        let rest = tasks.split_off(tasks.len().div_ceil(left));
        parts.push(std::mem::replace(&mut tasks, rest));
    }
    parts
}

/// The range of neighbours in order.
pub fn neighbours(tasks: &[usize]) -> Range<usize> {
    match (tasks.first(), tasks.last()) {
        (Some(first), Some(last)) => *first..last + 1,
        _ => 0..0,
    }
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

    /// What some neighbouring shares of a batch bring, by [`branches`].
    pub fn train(&self, weights: &[f32], draw: &Draw, shares: Range<usize>) -> Vec<Branch> {
        let images = draw.rows.len();
        let len = share_len(images);
        self.with_network(weights, |network| {
            join(shares.map(|share| {
                let places = share * len..((share + 1) * len).min(images);
                let batch = draw.batch(&self.split.training, places);
                let examples = Examples {
                    pixels: &batch.pixels,
                    labels: &batch.labels,
                    dropout: batch.dropout.as_ref(),
                };
                Branch {
                    shares: share..share + 1,
                    outcome: network.gradients(examples, images),
                }
            }))
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
    fn train<'a>(&'a mut self, weights: &'a [f32], draw: &'a Draw) -> Pending<'a, Outcome> {
        let shares = 0..share_count(draw.rows.len());
        let outcome = whole(Self::train(self, weights, draw, shares));
        Box::pin(std::future::ready(Ok(outcome)))
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
    use crate::train::fused::Sums;

    #[test]
    fn shares_are_whole_shards_and_at_most_eight() {
        let cut = |images| (share_count(images), share_len(images));
        assert_eq!(cut(1), (1, 16));
        assert_eq!(cut(40), (3, 16));
        assert_eq!(cut(128), (8, 16));
        assert_eq!(cut(129), (5, 32));
        assert_eq!(cut(1_000), (8, 128));
        assert_eq!(cut(0), (0, 16));
    }

    /// A share that brings the number of its place, as the first logit and the first sum.
    fn leaf(share: usize) -> Branch {
        let mut numbers = Sums::default().numbers().to_vec();
        // Sums of such numbers depend on the order in which they are added.
        numbers[0] = 0.1_f32.powi(share as i32) / 3.0;
        Branch {
            shares: share..share + 1,
            outcome: Outcome {
                sums: Sums::of_numbers(numbers.len(), |own| own.copy_from_slice(&numbers)).unwrap(),
                logits: vec![share as f32],
            },
        }
    }

    #[test]
    fn whoever_computes_them_shares_are_added_alike() {
        for count in 1..=MOST_SHARES {
            let alone = whole((0..count).map(leaf));
            let in_order: Vec<f32> = (0..count).map(|share| share as f32).collect();
            assert_eq!(alone.logits, in_order);
            for workers in 1..=count {
                let parts = divide((0..count).collect(), workers);
                let found: Vec<Branch> = parts
                    .into_iter()
                    .flat_map(|part| {
                        let shares = part[0]..part[0] + part.len();
                        let found = join(part.into_iter().map(leaf));
                        let ranges: Vec<_> = found.iter().map(|one| one.shares.clone()).collect();
                        assert_eq!(ranges, branches(shares));
                        found
                    })
                    .collect();
                assert_eq!(whole(found), alone, "{count} by {workers}");
            }
        }
        assert_eq!(whole([]), Outcome::default());
    }

    #[test]
    fn work_is_divided_evenly_and_in_order() {
        assert_eq!(divide(vec![1, 2, 3, 4, 5], 2), [vec![1, 2, 3], vec![4, 5]]);
        assert_eq!(divide(vec![1], 3), [vec![1], vec![], vec![]]);
        assert_eq!(divide(vec![1, 2, 3, 4], 3), [vec![1, 2], vec![3], vec![4]]);
    }
}
