//! Randomness that any worker, thread or device draws alike.
//!
//! A ChaCha8 block is a pure function of key and counter. The key holds the run's seed and what
//! the numbers are for, the stream holds the step or epoch, the position holds row and element.

use crate::chacha::{WORDS, four_blocks};
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use wide::i32x4;

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
    /// The order into which imported images are put; the counter is 0.
    Import = 5,
    /// The settings of a sweep's runs; the counter is the draw.
    Sweep = 6,
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

/// For each of 64 numbers a bit, the first number's the lowest: whether [`uniform`] would make at
/// least the rate that has so many numbers [`below`]. The numbers are those of four blocks, a word
/// each, from block `first` on.
///
/// Without a branch, of which nobody could foresee which way it goes.
pub fn reached((seed, purpose, counter): (u32, Purpose, u64), first: u64, below: u32) -> u64 {
    let key = [seed, purpose as u32, 0, 0, 0, 0, 0, 0];
    let words = four_blocks(key, first, counter);
    let below = i32x4::splat(below as i32);
    let mut bits = i32x4::ZERO;
    for (word, numbers) in words.into_iter().enumerate() {
        // At most 2²⁴ each, so that it makes no difference that they are compared with a sign.
        let numbers = (numbers >> 8_u32).cast_signed();
        let is_below = numbers.simd_lt(below);
        bits |= !is_below & i32x4::splat(1 << word);
    }
    let blocks = bits.to_array().into_iter().enumerate();
    blocks.fold(0, |all, (block, bits)| {
        all | (bits as u64) << (block * WORDS)
    })
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
    fn what_is_reached_is_what_the_numbers_say() {
        let of = (0xdead_beef, Purpose::Dropout, (1 << 40) + 7);
        for (rate, first) in [
            (0.0, 0),
            (1e-7, 1),
            (0.25, 100),
            (0.5, u64::from(u32::MAX) - 2),
            (0.9, 12_345_678_900),
            (0.999_999_9_f32, 3),
            (1.0, 4),
        ] {
            let mut rng = numbers(of.0, of.1, of.2);
            rng.set_word_pos(16 * u128::from(first));
            for group in 0..16 {
                let found = reached(of, first + 4 * group, below(rate));
                for bit in 0..64 {
                    let expected = uniform(&mut rng) >= rate;
                    assert_eq!(found >> bit & 1 == 1, expected, "{rate} from block {first}");
                }
            }
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
