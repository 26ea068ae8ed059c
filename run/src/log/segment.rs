//! A stretch of a log as bytes, and back.
//!
//! A file in the frame of [`kiln_model::frame`] around CBOR. Training steps, of which there are most
//! by far, are columns of numbers: what follows from another number is left out, so that a step takes
//! about 25 bytes. Everything else is by name, so that a later Kiln can read it.

use kiln_model::event::{Event, Moment, Quality, Trained};
use kiln_model::frame::{self, FrameError};
use kiln_model::plan::Plan;
use serde::{Deserialize, Serialize};

use super::entry::Entry;

const MAGIC: [u8; 8] = *b"KILN LOG";
const VERSION: u32 = 1;

/// A stretch of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The number of its first entry, counted from 0.
    pub first: u64,
    /// Its file.
    pub bytes: Vec<u8>,
}

/// Why a log can be read only so far.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Another version of Kiln wrote what follows.
    #[error(
        "a part of its log has version {found}, and this Kiln reads version {VERSION}; reload the page to get the newest Kiln"
    )]
    Version {
        /// The version found.
        found: u32,
    },
    /// What follows is not what was written.
    #[error("a part of its log was cut, altered or damaged")]
    Damaged,
    /// Something is missing.
    #[error("its log has no entry {0}")]
    Missing(u64),
    /// Something contradicts what comes before.
    #[error("its log contradicts itself: {0}")]
    Inconsistent(String),
}

#[derive(Serialize, Deserialize)]
struct Body {
    first: u64,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
enum Item {
    One(Entry),
    Steps(Steps),
}

/// Steps that follow one another.
#[derive(Serialize, Deserialize)]
struct Steps {
    /// The first.
    first: u32,
    #[serde(with = "serde_bytes")]
    elapsed_secs: Vec<u8>,
    #[serde(with = "serde_bytes")]
    loss: Vec<u8>,
    accuracy: Column,
    learning_rate: Column,
    gradient_norm: Column,
}

/// One figure of many steps.
#[derive(Serialize, Deserialize)]
enum Column {
    /// The same in all.
    Same(f64),
    /// So many of the batch.
    Shares(Vec<u32>),
    /// Another in each: 64-bit numbers, little-endian.
    Each(#[serde(with = "serde_bytes")] Vec<u8>),
}

fn to_bytes(values: impl Iterator<Item = f64>) -> Vec<u8> {
    values.flat_map(f64::to_le_bytes).collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<f64> {
    let (values, _) = bytes.as_chunks::<8>();
    values
        .iter()
        .map(|value| f64::from_le_bytes(*value))
        .collect()
}

impl Column {
    fn of(values: &[f64], batch_size: u32) -> Self {
        let is = |a: f64, b: f64| a.to_bits() == b.to_bits();
        if let Some(first) = values.first()
            && values.iter().all(|value| is(*value, *first))
        {
            return Self::Same(*first);
        }
        let batch = f64::from(batch_size);
        let shares: Vec<u32> = values.iter().map(|value| (value * batch) as u32).collect();
        let rounded: Vec<u32> = values
            .iter()
            .map(|value| (value * batch).round() as u32)
            .collect();
        for shares in [shares, rounded] {
            let given = shares.iter().map(|share| f64::from(*share) / batch);
            if given.zip(values).all(|(given, value)| is(given, *value)) {
                return Self::Shares(shares);
            }
        }
        Self::Each(to_bytes(values.iter().copied()))
    }

    fn values(self, count: usize, batch_size: u32) -> Vec<f64> {
        match self {
            Self::Same(value) => vec![value; count],
            Self::Shares(shares) => shares
                .into_iter()
                .map(|share| f64::from(share) / f64::from(batch_size))
                .collect(),
            Self::Each(bytes) => from_bytes(&bytes),
        }
    }
}

/// Where a step stands in its run: all but the seconds follow from the settings.
fn moment(plan: &Plan, step: u32, elapsed_secs: f64) -> Moment {
    Moment {
        step,
        epoch: plan.epochs_after(step),
        images: plan.images_after(step),
        elapsed_secs,
    }
}

/// A step of which the moment follows from the settings.
fn plain_step(entry: &Entry, plan: &Plan) -> Option<(Moment, Trained)> {
    let Entry::Happened(Event::Step(at, trained)) = entry else {
        return None;
    };
    (*at == moment(plan, at.step, at.elapsed_secs)).then_some((*at, *trained))
}

impl Steps {
    fn of(rows: &[(Moment, Trained)], plan: &Plan) -> Option<Self> {
        let (first, _) = rows.first()?;
        let column = |figure: fn(&Trained) -> f64| {
            let values: Vec<f64> = rows.iter().map(|(_, trained)| figure(trained)).collect();
            Column::of(&values, plan.batch_size)
        };
        Some(Self {
            first: first.step,
            elapsed_secs: to_bytes(rows.iter().map(|(at, _)| at.elapsed_secs)),
            loss: to_bytes(rows.iter().map(|(_, trained)| trained.quality.loss)),
            accuracy: column(|trained| trained.quality.accuracy),
            learning_rate: column(|trained| trained.learning_rate),
            gradient_norm: column(|trained| trained.gradient_norm),
        })
    }

    fn each(self, plan: &Plan, mut take: impl FnMut(Entry)) -> Result<(), LogError> {
        let elapsed = from_bytes(&self.elapsed_secs);
        let losses = from_bytes(&self.loss);
        let count = losses.len();
        let [accuracies, rates, norms] = [self.accuracy, self.learning_rate, self.gradient_norm]
            .map(|column| column.values(count, plan.batch_size));
        let columns = [&elapsed, &accuracies, &rates, &norms];
        let fits = u32::try_from(count).is_ok_and(|count| self.first.checked_add(count).is_some());
        if !fits || columns.iter().any(|column| column.len() != count) {
            let reason = format!("columns of {count} steps differ in length");
            return Err(LogError::Inconsistent(reason));
        }
        for index in 0..count {
            let at = moment(plan, self.first + index as u32, elapsed[index]);
            take(Entry::Happened(Event::Step(
                at,
                Trained {
                    quality: Quality {
                        loss: losses[index],
                        accuracy: accuracies[index],
                    },
                    learning_rate: rates[index],
                    gradient_norm: norms[index],
                },
            )));
        }
        Ok(())
    }
}

/// Entries of a log from number `first` on, of a run with this plan.
///
/// # Errors
/// A number that cannot be written.
pub fn write(first: u64, entries: &[Entry], plan: &Plan) -> Result<Segment, LogError> {
    let mut items = Vec::new();
    let mut rows: Vec<(Moment, Trained)> = Vec::new();
    for entry in entries {
        let step = plain_step(entry, plan);
        let follows = match (rows.last(), &step) {
            (Some((last, _)), Some((at, _))) => last.step.checked_add(1) == Some(at.step),
            (None, _) | (_, None) => step.is_some(),
        };
        if !follows {
            items.extend(Steps::of(&std::mem::take(&mut rows), plan).map(Item::Steps));
        }
        match step {
            Some(row) => rows.push(row),
            None => items.push(Item::One(entry.clone())),
        }
    }
    items.extend(Steps::of(&rows, plan).map(Item::Steps));
    let mut body = Vec::new();
    ciborium::into_writer(&Body { first, items }, &mut body)
        .map_err(|error| LogError::Inconsistent(error.to_string()))?;
    Ok(Segment {
        first,
        bytes: frame::wrap(MAGIC, VERSION, &body),
    })
}

/// The number of the first entry in a segment's file.
///
/// # Errors
/// Bytes that are no such segment.
pub fn first(file: &[u8]) -> Result<u64, LogError> {
    /// The beginning of a [`Body`].
    #[derive(Deserialize)]
    struct Begin {
        first: u64,
    }
    let begin: Begin = ciborium::from_reader(opened(file)?)
        .map_err(|error| LogError::Inconsistent(error.to_string()))?;
    Ok(begin.first)
}

/// What is in the frame.
fn opened(file: &[u8]) -> Result<&[u8], LogError> {
    let opened = frame::open(MAGIC, VERSION, file).map_err(|error| match error {
        FrameError::Version { found } => LogError::Version { found },
        FrameError::Other | FrameError::Length { .. } | FrameError::Altered => LogError::Damaged,
    })?;
    Ok(opened.1)
}

/// Reads a log, segment by segment.
#[derive(Debug, Default)]
pub struct Reader {
    plan: Option<Plan>,
    next: u64,
}

impl Reader {
    /// How many entries were read.
    pub fn end(&self) -> u64 {
        self.next
    }

    /// Gives the entries of a segment to `take`, but for those that an earlier segment had too.
    ///
    /// # Errors
    /// Bytes that are no such segment, or not the next one; what was given until then is right.
    pub fn read(&mut self, file: &[u8], mut take: impl FnMut(Entry)) -> Result<(), LogError> {
        let Body { first, items } = ciborium::from_reader(opened(file)?)
            .map_err(|error| LogError::Inconsistent(error.to_string()))?;
        if first > self.next {
            return Err(LogError::Missing(self.next));
        }
        let mut number = first;
        for item in items {
            let next = &mut self.next;
            let mut take_new = |entry| {
                if number >= *next {
                    take(entry);
                    *next = number + 1;
                }
                number += 1;
            };
            match item {
                Item::One(entry) => {
                    if let Entry::Created { config, .. } = &entry {
                        config
                            .check()
                            .map_err(|error| LogError::Inconsistent(error.to_string()))?;
                        self.plan = Some(config.plan());
                    }
                    take_new(entry);
                }
                Item::Steps(steps) => {
                    let plan = self.plan.ok_or_else(|| {
                        LogError::Inconsistent("steps come before the settings".to_owned())
                    })?;
                    steps.each(&plan, take_new)?;
                }
            }
        }
        Ok(())
    }
}
