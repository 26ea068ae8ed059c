//! Every training step of a run, in little room: a run may have millions of them.
//!
//! Steps that are over are put away in blocks. In a block each figure is a column, in as few bytes as
//! give back the very same numbers, and what follows from a step's number is left out. Blocks never
//! change, so that copies of a history share them.

use std::sync::Arc;

use crate::event::{Measured, Moment, Quality, Trained};

/// Steps of a block.
const BLOCK: usize = 4_096;

type Row = Measured<Trained>;

/// Every training step, in order.
#[derive(Clone, Debug, Default)]
pub struct Steps {
    blocks: Vec<Arc<Block>>,
    /// The newest, fewer than a block.
    open: Vec<Row>,
}

/// [`BLOCK`] steps.
#[derive(Debug)]
enum Block {
    /// Each is the one after the one before, in a run of one batch size.
    Regular(Columns),
    /// As they are.
    Rows(Box<[Row]>),
}

#[derive(Debug)]
struct Columns {
    first: u32,
    steps_per_epoch: f64,
    batch_size: u64,
    elapsed_secs: Column,
    loss: Column,
    accuracy: Column,
    learning_rate: Column,
    gradient_norm: Column,
}

/// One figure of all steps of a block.
#[derive(Debug)]
enum Column {
    Same(f64),
    /// Each of them has no more digits than this.
    Single(Box<[f32]>),
    Double(Box<[f64]>),
}

const fn is(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits()
}

impl Column {
    fn of(rows: &[Row], figure: fn(&Row) -> f64) -> Self {
        let values = || rows.iter().map(figure);
        let first = values().next().unwrap_or_default();
        if values().all(|value| is(value, first)) {
            Self::Same(first)
        } else if values().all(|value| is(f64::from(value as f32), value)) {
            Self::Single(values().map(|value| value as f32).collect())
        } else {
            Self::Double(values().collect())
        }
    }

    fn get(&self, index: usize) -> f64 {
        match self {
            Self::Same(value) => *value,
            Self::Single(values) => values[index].into(),
            Self::Double(values) => values[index],
        }
    }
}

impl Block {
    fn of(rows: &[Row]) -> Self {
        Columns::of(rows).map_or_else(|| Self::Rows(rows.into()), Self::Regular)
    }

    fn get(&self, index: usize) -> Row {
        match self {
            Self::Regular(columns) => columns.get(index),
            Self::Rows(rows) => rows[index],
        }
    }
}

impl Columns {
    fn of(rows: &[Row]) -> Option<Self> {
        let first = rows.first()?.moment;
        let columns = Self {
            first: first.step,
            steps_per_epoch: (f64::from(first.step) / first.epoch).round(),
            batch_size: first.images.checked_div(first.step.into())?,
            elapsed_secs: Column::of(rows, |row| row.moment.elapsed_secs),
            loss: Column::of(rows, |row| row.value.quality.loss),
            accuracy: Column::of(rows, |row| row.value.quality.accuracy),
            learning_rate: Column::of(rows, |row| row.value.learning_rate),
            gradient_norm: Column::of(rows, |row| row.value.gradient_norm),
        };
        let moments = rows.iter().enumerate();
        let are_regular = first.step.checked_add(rows.len() as u32).is_some()
            && moments.into_iter().all(|(index, row)| {
                let (told, own) = (columns.moment(index), row.moment);
                (told.step, told.images) == (own.step, own.images) && is(told.epoch, own.epoch)
            });
        are_regular.then_some(columns)
    }

    fn moment(&self, index: usize) -> Moment {
        let step = self.first + index as u32;
        Moment {
            step,
            epoch: f64::from(step) / self.steps_per_epoch,
            images: u64::from(step).saturating_mul(self.batch_size),
            elapsed_secs: self.elapsed_secs.get(index),
        }
    }

    fn get(&self, index: usize) -> Row {
        Measured {
            moment: self.moment(index),
            value: Trained {
                quality: Quality {
                    loss: self.loss.get(index),
                    accuracy: self.accuracy.get(index),
                },
                learning_rate: self.learning_rate.get(index),
                gradient_norm: self.gradient_norm.get(index),
            },
        }
    }
}

impl Steps {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.blocks.len() * BLOCK + self.open.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at this place, counted from 0.
    pub fn get(&self, index: usize) -> Option<Row> {
        match self.blocks.get(index / BLOCK) {
            Some(block) => Some(block.get(index % BLOCK)),
            None => self.open.get(index - self.blocks.len() * BLOCK).copied(),
        }
    }

    /// The first.
    pub fn first(&self) -> Option<Row> {
        self.get(0)
    }

    /// The newest.
    pub fn last(&self) -> Option<Row> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row> + Clone {
        self.since(0)
    }

    /// All but the first `count` of them, in order.
    pub fn since(&self, count: usize) -> impl ExactSizeIterator<Item = Row> + Clone {
        Since {
            steps: self,
            places: count.min(self.len())..self.len(),
        }
    }

    /// Adds one.
    pub fn push(&mut self, row: Row) {
        self.open.push(row);
        if self.open.len() == BLOCK {
            self.blocks.push(Arc::new(Block::of(&self.open)));
            self.open.clear();
        }
    }

    /// Keeps the first `count` of them alone.
    pub fn truncate(&mut self, count: usize) {
        if let Some(block) = self.blocks.get(count / BLOCK) {
            self.open = (0..count % BLOCK).map(|index| block.get(index)).collect();
            self.blocks.truncate(count / BLOCK);
        } else {
            self.open.truncate(count - self.blocks.len() * BLOCK);
        }
    }
}

#[derive(Clone)]
struct Since<'a> {
    steps: &'a Steps,
    places: std::ops::Range<usize>,
}

impl Iterator for Since<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        self.steps.get(self.places.next()?)
    }

    fn nth(&mut self, count: usize) -> Option<Row> {
        self.steps.get(self.places.nth(count)?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl ExactSizeIterator for Since<'_> {}

impl Extend<Row> for Steps {
    fn extend<I: IntoIterator<Item = Row>>(&mut self, rows: I) {
        rows.into_iter().for_each(|row| self.push(row));
    }
}

impl FromIterator<Row> for Steps {
    fn from_iter<I: IntoIterator<Item = Row>>(rows: I) -> Self {
        let mut steps = Self::default();
        steps.extend(rows);
        steps
    }
}

impl PartialEq for Steps {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A step as a run with batches of 100 and 600 steps an epoch has it.
    fn row(step: u32, generator: &mut ChaCha8Rng) -> Row {
        Measured {
            moment: Moment {
                step,
                epoch: f64::from(step) / 600.0,
                images: u64::from(step) * 100,
                elapsed_secs: generator.random(),
            },
            value: Trained {
                quality: Quality {
                    loss: generator.random::<f32>().into(),
                    accuracy: f64::from(generator.random_range(0..=100_u32)) / 100.0,
                },
                learning_rate: if step < 5_000 { 0.1 } else { 0.01 },
                gradient_norm: if step == 7_000 {
                    f64::NAN
                } else {
                    generator.random()
                },
            },
        }
    }

    fn bits(row: &Row) -> [u64; 8] {
        let (at, is) = (row.moment, row.value);
        [
            at.step.into(),
            at.epoch.to_bits(),
            at.images,
            at.elapsed_secs.to_bits(),
            is.quality.loss.to_bits(),
            is.quality.accuracy.to_bits(),
            is.learning_rate.to_bits(),
            is.gradient_norm.to_bits(),
        ]
    }

    #[test]
    fn every_step_comes_back_bit_for_bit_whatever_it_was() {
        let mut generator = ChaCha8Rng::seed_from_u64(7);
        let mut rows: Vec<Row> = (1..=9_000).map(|step| row(step, &mut generator)).collect();
        // A step that is none of its run, as another program may have written.
        rows[6_000].moment.images = 3;
        rows[200].moment.epoch = 0.25;
        // And a batch that went on with another step.
        rows.extend((20_000..30_000).map(|step| row(step, &mut generator)));
        let steps: Steps = rows.iter().copied().collect();
        assert_eq!(steps.len(), rows.len());
        assert!(steps.iter().map(|row| bits(&row)).eq(rows.iter().map(bits)));
        let few: Vec<_> = steps.since(8_190).map(|row| bits(&row)).collect();
        assert_eq!(few, rows[8_190..].iter().map(bits).collect::<Vec<_>>());
        assert_eq!(steps.get(rows.len()), None);
        assert_eq!(steps.since(rows.len() + 9).len(), 0);
    }

    #[test]
    fn what_is_cut_and_added_to_is_what_a_list_would_be() {
        let mut generator = ChaCha8Rng::seed_from_u64(8);
        let (mut steps, mut rows) = (Steps::default(), Vec::new());
        for _ in 0..200 {
            if generator.random_bool(0.3) {
                let count = generator.random_range(0..=rows.len());
                steps.truncate(count);
                rows.truncate(count);
            }
            let first = rows.last().map_or(1, |row: &Row| row.moment.step + 1);
            let more: Vec<Row> = (first..first + generator.random_range(0..3_000))
                .map(|step| row(step, &mut generator))
                .collect();
            steps.extend(more.iter().copied());
            rows.extend(more);
            assert_eq!(steps.len(), rows.len());
            assert_eq!(steps.last().as_ref().map(bits), rows.last().map(bits));
        }
        assert!(rows.len() > 3 * BLOCK);
        assert!(steps.iter().map(|row| bits(&row)).eq(rows.iter().map(bits)));
    }

    #[test]
    fn a_step_of_a_plain_run_takes_little_room_and_a_copy_takes_none() {
        let mut generator = ChaCha8Rng::seed_from_u64(9);
        let steps: Steps = (1..=8_192).map(|step| row(step, &mut generator)).collect();
        assert!(
            steps
                .blocks
                .iter()
                .all(|block| matches!(**block, Block::Regular(_)))
        );
        let copy = steps.clone();
        assert!(Arc::ptr_eq(&steps.blocks[0], &copy.blocks[0]));
    }
}
