//! Randomness that any worker, thread or device draws alike.
//!
//! A ChaCha8 block is a pure function of key and counter. The key holds the run's seed and what
//! the numbers are for, the stream holds the step or epoch, the position holds row and element.

use crate::chacha::{FOUR_BLOCKS, four_blocks};
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for; each purpose has numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights; the counter is the parameter's index.
    Weights = 1,
    /// The order of training images; the counter is the epoch.
    Order = 2,
    /// Which features dropout keeps; the counter is the step.
    Dropout = 3,
    /// Which images are shown to a person; the counter is 0.
    Sample = 4,
}

/// The random numbers for one purpose of a run at one counter.
pub fn numbers(seed: u32, purpose: Purpose, counter: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&seed.to_le_bytes());
    key[4] = purpose as u8;
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(counter);
    rng
}

/// How many random numbers there are.
const NUMBERS: f32 = (1 << 24) as f32;

/// The next number, uniform in `[0, 1)` on a grid of 2⁻²⁴; takes one 32-bit word.
pub fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / NUMBERS
}

/// Of the 2²⁴ random numbers, how many [`uniform`] makes less than a rate.
///
/// Exact: the product is by a power of two, and a whole number is below another number if it is
/// below the next whole one.
pub fn below(rate: f32) -> u32 {
    (rate * NUMBERS).ceil() as u32
}

/// Sets each place to a factor, or to zero where [`uniform`] would make less than the rate that has
/// so many numbers [`below`]. The places take the numbers from block `first` on, a word each.
///
/// Without a branch, of which nobody could foresee which way it goes.
pub fn drop_out(
    (seed, purpose, counter): (u32, Purpose, u64),
    first: u64,
    below: u32,
    factor: f32,
    places: &mut [f32],
) {
    let key = [seed, purpose as u32, 0, 0, 0, 0, 0, 0];
    let factor = factor.to_bits();
    for (group, places) in (0..).zip(places.chunks_mut(FOUR_BLOCKS)) {
        let words = four_blocks(key, first + 4 * group, counter);
        for (place, word) in places.iter_mut().zip(words.as_flattened()) {
            let is_kept = u32::from(word >> 8 >= below);
            *place = f32::from_bits(factor * is_kept);
        }
    }
}

/// At most `count` of the candidates, drawn at random, in the order of drawing.
pub fn sample(mut candidates: Vec<u32>, count: usize, seed: u32) -> Vec<u32> {
    let mut rng = numbers(seed, Purpose::Sample, 0);
    candidates.partial_shuffle(&mut rng, count).0.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_depends_on_nothing_but_its_key_and_place() {
        let all: Vec<f32> = {
            let mut rng = numbers(42, Purpose::Dropout, 7);
            (0..100).map(|_| uniform(&mut rng)).collect()
        };
        let mut rng = numbers(42, Purpose::Dropout, 7);
        rng.set_word_pos(60);
        let tail: Vec<f32> = (60..100).map(|_| uniform(&mut rng)).collect();
        assert_eq!(all[60..], tail);
    }

    #[test]
    fn what_drops_out_is_what_the_numbers_say() {
        let of = (0xdead_beef, Purpose::Dropout, (1 << 40) + 7);
        for (rate, first) in [
            (0.0, 0),
            (1e-7, 1),
            (0.25, 100),
            (0.5, u64::from(u32::MAX) - 2),
            (0.9, 12_345_678_900),
            (0.999_999_9_f32, 3),
        ] {
            let mut rng = numbers(of.0, of.1, of.2);
            rng.set_word_pos(16 * u128::from(first));
            let expected: Vec<f32> = (0..1_000)
                .map(|_| if uniform(&mut rng) < rate { 0.0 } else { 1.5 })
                .collect();
            let mut found = vec![f32::NAN; 1_000];
            drop_out(of, first, below(rate), 1.5, &mut found);
            assert_eq!(found, expected, "{rate} from block {first}");
        }
    }

    #[test]
    fn a_sample_is_drawn_without_repeats_and_alike_each_time() {
        let drawn = sample((0..50).collect(), 10, 7);
        assert_eq!(drawn, sample((0..50).collect(), 10, 7));
        assert_ne!(drawn, sample((0..50).collect(), 10, 8));
        let mut once = drawn.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((drawn.len(), once.len()), (10, 10));
        assert_eq!(sample(vec![3], 10, 7), [3]);
    }

    #[test]
    fn seeds_purposes_and_counters_differ() {
        let first = |seed, purpose, counter| uniform(&mut numbers(seed, purpose, counter));
        let here = first(42, Purpose::Dropout, 7);
        assert_ne!(here, first(43, Purpose::Dropout, 7));
        assert_ne!(here, first(42, Purpose::Order, 7));
        assert_ne!(here, first(42, Purpose::Dropout, 8));
    }
}
