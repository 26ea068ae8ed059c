//! A crew of threads of this process.

use std::ops::Range;
use std::thread;

use super::crew::{Crew, Hand, Pending, divide, neighbours, share_count, whole};
use super::fused::Outcome;
use super::session::TrainError;
use crate::batch::Draw;
use crate::dataset::{Part, Split};

/// Threads that share the images.
#[derive(Clone, Debug)]
pub struct Threads {
    hand: Hand,
    count: usize,
}

impl Threads {
    /// So many threads; at least one.
    pub fn new(split: Split, count: usize) -> Self {
        Self {
            hand: Hand::new(split),
            count: count.max(1),
        }
    }

    /// Does each part of some work on a thread of its own, and joins the results in order.
    fn share<R: Send>(
        &self,
        tasks: Vec<usize>,
        work: impl Fn(&Hand, Vec<usize>) -> Vec<R> + Sync,
    ) -> Result<Vec<R>, TrainError> {
        let mut parts = divide(tasks, self.count).into_iter();
        let own = parts.next().unwrap_or_default();
        thread::scope(|scope| {
            let (hand, work) = (&self.hand, &work);
            let others: Vec<_> = parts
                .filter(|part| !part.is_empty())
                .map(|part| scope.spawn(move || work(hand, part)))
                .collect();
            let mut results = work(hand, own);
            for other in others {
                let part = other.join();
                let broke = |_| TrainError::Device("a thread of the CPU broke".to_owned());
                results.extend(part.map_err(broke)?);
            }
            Ok(results)
        })
    }
}

impl Crew for Threads {
    fn train<'a>(&'a mut self, weights: &'a [f32], draw: &'a Draw) -> Pending<'a, Outcome> {
        let shares = (0..share_count(draw.rows.len())).collect();
        let branches = self.share(shares, |hand, shares| {
            hand.train(weights, draw, neighbours(&shares))
        });
        Box::pin(std::future::ready(branches.map(whole)))
    }

    fn logits<'a>(
        &'a mut self,
        weights: &'a [f32],
        part: Part,
        images: Range<usize>,
    ) -> Pending<'a, Vec<f32>> {
        let logits = self.share(images.collect(), |hand, images| {
            hand.logits(weights, part, neighbours(&images))
        });
        Box::pin(std::future::ready(logits))
    }
}
