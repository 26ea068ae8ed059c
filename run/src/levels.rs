//! Many measurements, thinned to those that a line needs: blocks of them in levels, each level with
//! a quarter of the blocks of the one below. Of each block the least and the greatest are kept, so
//! that no extreme is lost, and the mean, which smoothing goes by.
//!
//! What was measured is only added to, and so are the levels; whatever a line is to show, as many
//! blocks are looked at as it has points.

use std::ops::Range;

use crate::smoothing::Mean;

/// Measurements of a block of the lowest level.
const BLOCK: usize = 64;
/// Measurements that are taken in at once: a few milliseconds' worth.
const AT_ONCE: usize = 65_536;
/// Blocks that are one block of the level above.
const FACTOR: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
struct Block {
    least: (usize, f64),
    greatest: (usize, f64),
    /// The last that is no number.
    broken: Option<usize>,
    sum: f64,
    /// How many are numbers.
    count: usize,
}

impl Block {
    fn of(index: usize, value: f64) -> Self {
        let is_number = value.is_finite();
        let bound = |worst| (index, if is_number { value } else { worst });
        Self {
            least: bound(f64::INFINITY),
            greatest: bound(f64::NEG_INFINITY),
            broken: (!is_number).then_some(index),
            sum: if is_number { value } else { 0.0 },
            count: usize::from(is_number),
        }
    }

    fn with(self, other: Self) -> Self {
        Self {
            least: if other.least.1 < self.least.1 {
                other.least
            } else {
                self.least
            },
            greatest: if other.greatest.1 > self.greatest.1 {
                other.greatest
            } else {
                self.greatest
            },
            broken: other.broken.or(self.broken),
            sum: self.sum + other.sum,
            count: self.count + other.count,
        }
    }
}

/// Blocks of one list of measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    /// The lowest first; whole blocks alone.
    levels: Vec<Vec<Block>>,
    is_behind: bool,
}

/// Measurements in a block of a level.
fn size(level: usize) -> usize {
    BLOCK * FACTOR.pow(level as u32)
}

fn whole(values: impl IntoIterator<Item = Block>) -> Option<Block> {
    values.into_iter().reduce(Block::with)
}

impl Levels {
    /// Takes in what was added to a list that has `len` measurements now, the others being as they
    /// were, and says how many of them lines can show. Of very many only a part is taken in, so that
    /// it never takes long: the rest waits for the next time.
    pub fn follow(&mut self, len: usize, value: impl Fn(usize) -> f64) -> usize {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        let (there, whole_blocks) = (self.levels[0].len(), len / BLOCK);
        let reached = whole_blocks.min(there + AT_ONCE / BLOCK);
        self.is_behind = reached < whole_blocks;
        for start in (there..reached).map(|block| block * BLOCK) {
            let values = (start..start + BLOCK).map(|index| Block::of(index, value(index)));
            self.levels[0].extend(whole(values));
        }
        let mut level = 0;
        while self.levels[level].len() >= FACTOR {
            if self.levels.len() == level + 1 {
                self.levels.push(Vec::new());
            }
            let done = self.levels[level + 1].len() * FACTOR;
            let below = self.levels[level][done..].as_chunks::<FACTOR>().0;
            let above: Vec<Block> = below.iter().filter_map(|four| whole(*four)).collect();
            self.levels[level + 1].extend(above);
            level += 1;
        }
        if self.is_behind { reached * BLOCK } else { len }
    }

    /// Whether some of what was added last still waits.
    pub const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// The measurements of a range that matter to a line of about `most` points, in order: all of
    /// them where there are not more, else the first and the last, and of each block the least, the
    /// greatest and one that is no number.
    pub fn matter(&self, range: Range<usize>, most: usize) -> Vec<usize> {
        if range.len() <= most {
            return range.collect();
        }
        let mut kept = vec![range.start, range.end - 1];
        let mut loose = Vec::new();
        for block in self.blocks(&range, most / 2, &mut loose) {
            kept.extend([block.least.0, block.greatest.0]);
            kept.extend(block.broken);
        }
        kept.extend(loose.into_iter().flatten());
        kept.sort_unstable();
        kept.dedup();
        kept
    }

    /// The means of whole blocks beyond the first `exact` measurements, a power of two from
    /// [`BLOCK`] on. How large a block is follows from its place alone, however many others there
    /// are: none goes beyond `exact` blocks of its size. So what is added changes no mean before it.
    pub fn means(&self, exact: usize) -> Vec<Mean> {
        let mut means = Vec::new();
        let mut start = exact;
        for (level, blocks) in self.levels.iter().enumerate() {
            let size = size(level);
            let here = blocks.iter().enumerate().take(exact).skip(start / size);
            means.extend(here.map(|(block, measured)| {
                let mean = measured.sum / measured.count as f64;
                ((block + 1) * size - 1, mean)
            }));
            start = exact * size;
        }
        means
    }

    /// The level whose blocks are few enough for so many measurements.
    fn level(&self, len: usize, most: usize) -> usize {
        let fits = |level: &usize| len / size(*level) <= most;
        let highest = self.levels.len().saturating_sub(1);
        (0..highest).find(fits).unwrap_or(highest)
    }

    /// The blocks in a range, of the level that has few enough of them; what of the range is in no
    /// such block goes to `loose`.
    fn blocks(
        &self,
        range: &Range<usize>,
        most: usize,
        loose: &mut Vec<Range<usize>>,
    ) -> Vec<Block> {
        let highest = self.level(range.len(), most);
        let (mut start, mut blocks) = (range.start, Vec::new());
        // Up to the first block of that level by smaller ones, along, and down again to the end.
        while start < range.end {
            let fitting = (0..=highest).rev().find(|level| {
                let there = self.levels.get(*level).map_or(0, Vec::len) * size(*level);
                start.is_multiple_of(size(*level)) && start + size(*level) <= range.end.min(there)
            });
            match fitting {
                Some(level) => {
                    blocks.push(self.levels[level][start / size(level)]);
                    start += size(level);
                }
                None => {
                    let next = (start / BLOCK + 1) * BLOCK;
                    loose.push(start..next.min(range.end));
                    start = next;
                }
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(index: usize) -> f64 {
        match index {
            4_321 => -7.0,
            9_000 => f64::NAN,
            _ => ((index * 7_919) % 1_000) as f64 / 1_000.0,
        }
    }

    fn grown(len: usize) -> Levels {
        let mut levels = Levels::default();
        for part in (0..=len).step_by(777) {
            levels.follow(part, value);
        }
        levels.follow(len, value);
        levels
    }

    #[test]
    fn what_is_added_bit_by_bit_is_what_is_added_at_once() {
        for len in [0, 63, 64, 1_000, 20_000] {
            let mut at_once = Levels::default();
            at_once.follow(len, value);
            assert_eq!(grown(len), at_once);
        }
    }

    #[test]
    fn very_many_are_taken_in_part_by_part() {
        let len = 3 * AT_ONCE + 100;
        let mut levels = Levels::default();
        let reached: Vec<usize> = (0..4).map(|_| levels.follow(len, value)).collect();
        assert_eq!(reached, [AT_ONCE, 2 * AT_ONCE, 3 * AT_ONCE, len]);
        assert!(!levels.is_behind());
        // What was reached can be shown before the rest is there.
        let mut levels = Levels::default();
        let reached = levels.follow(len, value);
        assert!(levels.is_behind());
        let kept = levels.matter(0..reached, 500);
        assert_eq!(kept.last(), Some(&(AT_ONCE - 1)));
        assert!(
            kept.contains(&4_321) && kept.len() <= 1_200,
            "{}",
            kept.len()
        );
    }

    #[test]
    fn no_extreme_is_lost_and_nothing_that_is_no_number() {
        let len = 20_000;
        let levels = grown(len);
        for range in [0..len, 3..19_997, 4_000..9_100, 8_999..9_001] {
            let kept = levels.matter(range.clone(), 500);
            assert!(kept.is_sorted() && kept.len() <= 1_200, "{}", kept.len());
            let ends = (kept.first().copied(), kept.last().copied());
            assert_eq!(ends, (Some(range.start), Some(range.end - 1)));
            for wanted in [4_321, 9_000] {
                assert_eq!(kept.contains(&wanted), range.contains(&wanted));
            }
            // Of any stretch a few blocks long, the least that is kept is the least that there is.
            let of = |indices: &mut dyn Iterator<Item = usize>| {
                indices.map(value).fold(f64::INFINITY, f64::min)
            };
            let least = of(&mut range.clone());
            assert_eq!(of(&mut kept.iter().copied()), least);
        }
    }

    #[test]
    fn few_are_kept_whole() {
        assert_eq!(grown(100).matter(10..20, 64), Vec::from_iter(10..20));
        assert!(Levels::default().matter(0..0, 64).is_empty());
    }

    #[test]
    fn means_are_those_of_the_blocks() {
        let means = grown(20_000).means(4_096);
        let first: f64 = (4_096..4_160).map(value).sum::<f64>() / 64.0;
        assert_eq!(means[0].0, 4_159);
        assert!((means[0].1 - first).abs() < 1e-12);
        assert_eq!(means.len(), 20_000 / 64 - 64);
        assert!(means.iter().all(|(_, mean)| mean.is_finite()));
    }

    #[test]
    fn what_is_added_changes_no_mean() {
        let all = grown(100_000).means(256);
        let sizes: Vec<usize> = all.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        assert!(sizes.is_sorted() && sizes.last() == Some(&1_024));
        for len in [0, 256, 320, 16_383, 16_384, 16_700, 65_536, 99_999] {
            let means = grown(len).means(256);
            assert_eq!(means, all[..means.len()], "{len}");
            // No more than the last block is still missing.
            let reached = means.last().map_or(256, |(last, _)| last + 1);
            assert!(len < 256 || len - reached < 1_024, "{len}: {reached}");
        }
    }
}
