//! The table of runs without its pixels: columns, order and filter.

use std::cmp::Ordering;
use std::ops::Range;

use kiln_model::event::Quality;
use serde::{Deserialize, Serialize};

use crate::format;
use crate::record::Record;
use crate::settings;

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Column {
    /// The run's name.
    Name,
    /// Where it is.
    Status,
    /// Accuracy of the validation with the lowest loss.
    BestAccuracy,
    /// Accuracy of the last validation.
    LastAccuracy,
    /// The lowest validation loss.
    BestLoss,
    /// Loss of the last validation.
    LastLoss,
    /// Accuracy on the test images.
    TestAccuracy,
    /// Mean loss of the last epoch's training steps, dropout on.
    EpochLoss,
    /// Mean accuracy of the last epoch's training steps, dropout on: what Keras prints.
    EpochAccuracy,
    /// Training loss over the run.
    Sparkline,
    /// Epochs asked for.
    Epochs,
    /// Images of a step.
    BatchSize,
    /// The optimiser.
    Optimizer,
    /// The learning rate.
    LearningRate,
    /// The random seed.
    Seed,
    /// What it trained on.
    Backend,
    /// Training images a second.
    ImagesPerSec,
    /// Time of training and measuring.
    Duration,
    /// When it was started.
    Created,
    /// Its tags.
    Tags,
    /// What tells its losses from any other's.
    Fingerprint,
}

/// What stands in a cell, to be sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing; always after everything else.
    Missing,
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

impl Column {
    /// Every column, in the order in which they stand at first.
    pub const ALL: [Self; 21] = [
        Self::Name,
        Self::Status,
        Self::BestAccuracy,
        Self::LastAccuracy,
        Self::BestLoss,
        Self::LastLoss,
        Self::TestAccuracy,
        Self::EpochLoss,
        Self::EpochAccuracy,
        Self::Sparkline,
        Self::Epochs,
        Self::BatchSize,
        Self::Optimizer,
        Self::LearningRate,
        Self::Seed,
        Self::Backend,
        Self::ImagesPerSec,
        Self::Duration,
        Self::Created,
        Self::Tags,
        Self::Fingerprint,
    ];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Status => "Status",
            Self::BestAccuracy => "Validation accuracy",
            Self::LastAccuracy => "Last accuracy",
            Self::BestLoss => "Validation loss",
            Self::LastLoss => "Last loss",
            Self::TestAccuracy => "Test accuracy",
            Self::EpochLoss => "Training loss, last epoch",
            Self::EpochAccuracy => "Training accuracy, last epoch",
            Self::Sparkline => "Training loss",
            Self::Epochs => "Epochs",
            Self::BatchSize => "Batch size",
            Self::Optimizer => "Optimizer",
            Self::LearningRate => "Learning rate",
            Self::Seed => "Seed",
            Self::Backend => "Backend",
            Self::ImagesPerSec => "Images/s",
            Self::Duration => "Duration",
            Self::Created => "Created",
            Self::Tags => "Tags",
            Self::Fingerprint => "Fingerprint",
        }
    }

    /// Room for its head and for what mostly stands in it, in pixels. It does not follow what is in
    /// sight: columns that moved while a person scrolls could not be read.
    pub const fn width_px(self) -> u32 {
        match self {
            Self::Name | Self::EpochAccuracy => 216,
            Self::EpochLoss => 192,
            Self::BestAccuracy | Self::Created | Self::Fingerprint => 160,
            Self::BestLoss | Self::Tags => 136,
            Self::LastAccuracy | Self::TestAccuracy | Self::LearningRate => 120,
            Self::Sparkline | Self::Status => 112,
            Self::LastLoss | Self::BatchSize | Self::Optimizer | Self::Seed => 104,
            Self::Epochs | Self::Backend | Self::ImagesPerSec | Self::Duration => 96,
        }
    }

    /// Whether the column holds numbers, which stand to the right.
    pub const fn is_number(self) -> bool {
        matches!(
            self,
            Self::BestAccuracy
                | Self::LastAccuracy
                | Self::BestLoss
                | Self::LastLoss
                | Self::TestAccuracy
                | Self::EpochLoss
                | Self::EpochAccuracy
                | Self::Epochs
                | Self::BatchSize
                | Self::LearningRate
                | Self::Seed
                | Self::ImagesPerSec
                | Self::Duration
        )
    }

    /// What stands in a run's cell.
    pub fn value(self, record: &Record) -> Value {
        let Record {
            identity,
            config,
            summary,
            ..
        } = record;
        let accuracy = |quality: Option<Quality>| quality.map(|quality| quality.accuracy);
        let loss = |quality: Option<Quality>| quality.map(|quality| quality.loss);
        let number = match self {
            Self::Name => return Value::Text(identity.name.clone()),
            Self::Status => return Value::Text(record.status.label().to_owned()),
            Self::Optimizer => return Value::Text(config.optimizer.label().to_owned()),
            Self::Backend => return Value::Text(identity.backend.label().to_owned()),
            Self::Created => return Value::Text(identity.started_at.clone()),
            Self::Tags if identity.tags.is_empty() => None,
            Self::Tags => return Value::Text(identity.tags.join(", ")),
            Self::Fingerprint => {
                return summary
                    .fingerprint
                    .clone()
                    .map_or(Value::Missing, Value::Text);
            }
            Self::BestAccuracy => accuracy(summary.best),
            Self::LastAccuracy => accuracy(summary.last),
            Self::BestLoss => loss(summary.best),
            Self::LastLoss => loss(summary.last),
            Self::TestAccuracy => summary.test.map(|test| test.quality.accuracy),
            Self::EpochLoss => loss(summary.last_epoch),
            Self::EpochAccuracy => accuracy(summary.last_epoch),
            Self::Sparkline => summary.sparkline.last().map(|loss| f64::from(*loss)),
            Self::Epochs => Some(config.epochs.into()),
            Self::BatchSize => Some(config.batch_size.into()),
            Self::LearningRate => Some(config.learning_rate),
            Self::Seed => Some(config.seed.into()),
            Self::ImagesPerSec => summary.images_per_sec,
            Self::Duration => Some(summary.elapsed_secs),
        };
        number
            .filter(|number| !number.is_nan())
            .map_or(Value::Missing, Value::Number)
    }

    /// A value of this column as a person reads it.
    pub fn write(self, value: &Value) -> String {
        match value {
            Value::Missing => format::NOTHING.to_owned(),
            Value::Text(text) => text.clone(),
            Value::Number(number) => match self {
                Self::BestAccuracy
                | Self::LastAccuracy
                | Self::TestAccuracy
                | Self::EpochAccuracy => format::percent(*number),
                Self::BestLoss | Self::LastLoss | Self::EpochLoss | Self::Sparkline => {
                    format::loss(*number)
                }
                Self::ImagesPerSec => format::count(number.round() as u64),
                Self::Duration => format::span(*number),
                _ => number.to_string(),
            },
        }
    }

    /// How far a run's value is from the baseline's, with its sign; nothing where that says
    /// nothing.
    pub fn difference(self, record: &Record, baseline: &Record) -> Option<String> {
        if !matches!(
            self,
            Self::BestAccuracy
                | Self::LastAccuracy
                | Self::BestLoss
                | Self::LastLoss
                | Self::TestAccuracy
                | Self::EpochLoss
                | Self::EpochAccuracy
                | Self::ImagesPerSec
                | Self::Duration
        ) || record.identity.id == baseline.identity.id
        {
            return None;
        }
        let (Value::Number(value), Value::Number(base)) =
            (self.value(record), self.value(baseline))
        else {
            return None;
        };
        let difference = value - base;
        let sign = if difference < 0.0 { '\u{2212}' } else { '+' };
        Some(format!(
            "{sign}{}",
            self.write(&Value::Number(difference.abs()))
        ))
    }
}

/// By which column the table is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The column.
    pub column: Column,
    /// Whether the greatest stands first.
    pub is_descending: bool,
}

impl Default for Order {
    /// The newest first.
    fn default() -> Self {
        Self {
            column: Column::Created,
            is_descending: true,
        }
    }
}

impl Order {
    /// The order after a press on a column's head: the other way round, or by that column, numbers
    /// and dates from the greatest down.
    pub fn pressed(self, column: Column) -> Self {
        Self {
            column,
            is_descending: if self.column == column {
                !self.is_descending
            } else {
                column.is_number() || column == Column::Created
            },
        }
    }

    /// Sorts runs; those without a value stand last whichever way round, equals newest first.
    pub fn sort(self, records: &mut [&Record]) {
        let mut keyed: Vec<(Value, &Record)> = records
            .iter()
            .map(|record| (self.column.value(record), *record))
            .collect();
        keyed.sort_by(|(a, first), (b, second)| {
            let newest_first = || second.identity.id.cmp(&first.identity.id);
            let ordering = match (a, b) {
                (Value::Missing, Value::Missing) => Ordering::Equal,
                (Value::Missing, _) => return Ordering::Greater,
                (_, Value::Missing) => return Ordering::Less,
                (Value::Number(a), Value::Number(b)) => a.total_cmp(b),
                (Value::Text(a), Value::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
                (Value::Number(_), Value::Text(_)) => Ordering::Less,
                (Value::Text(_), Value::Number(_)) => Ordering::Greater,
            };
            let ordering = if self.is_descending {
                ordering.reverse()
            } else {
                ordering
            };
            ordering.then_with(newest_first)
        });
        for (place, (_, record)) in records.iter_mut().zip(keyed) {
            *place = record;
        }
    }
}

/// Whether a run fits a filter: every word of it must stand in its name, status, tags or notes, or
/// be a setting such as `batch_size=128`.
pub fn matches(record: &Record, filter: &str) -> bool {
    let identity = &record.identity;
    let lower = filter.to_lowercase();
    let mut words = lower.split_whitespace().peekable();
    if words.peek().is_none() {
        return true;
    }
    let text = [
        identity.name.as_str(),
        record.status.label(),
        &identity.tags.join(" "),
        &identity.notes,
    ]
    .join(" ")
    .to_lowercase();
    let lines = settings::lines(record);
    words.all(|word| {
        let setting = word.split_once('=').and_then(|(key, value)| {
            let line = lines.iter().find(|line| line.key == key)?;
            Some(line.text.to_lowercase().replace(' ', "_") == value)
        });
        setting.unwrap_or_else(|| text.contains(word))
    })
}

/// Rows that are made in one task: more would make it long.
const ROWS_AT_ONCE: usize = 3;

/// The rows to draw next on the way from those that are drawn to those that are wanted: what both
/// have stays, and a few are added, the lower ones first.
pub fn approach(drawn: &Range<usize>, wanted: &Range<usize>) -> Range<usize> {
    let kept = drawn.start.max(wanted.start)..drawn.end.min(wanted.end);
    if kept.is_empty() {
        return wanted.start..wanted.end.min(wanted.start + ROWS_AT_ONCE);
    }
    let below = (wanted.end - kept.end).min(ROWS_AT_ONCE);
    let above = (kept.start - wanted.start).min(ROWS_AT_ONCE - below);
    kept.start - above..kept.end + below
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::RunId;
    use crate::run::tests::scored_run;

    fn record(id: u64, name: &str, accuracy: Option<f64>) -> Record {
        let mut record = Record::of(&scored_run());
        record.identity.id = RunId(id);
        record.identity.name = name.to_owned();
        record.summary.best = accuracy.map(|accuracy| Quality {
            loss: 1.0 - accuracy,
            accuracy,
        });
        record
    }

    fn names(records: &[Record], order: Order) -> Vec<&str> {
        let mut sorted: Vec<&Record> = records.iter().collect();
        order.sort(&mut sorted);
        sorted
            .iter()
            .map(|record| record.identity.name.as_str())
            .collect()
    }

    #[test]
    fn runs_are_sorted_and_those_without_a_value_stand_last() {
        let records = [
            record(1, "clay", Some(0.5)),
            record(2, "Ash", None),
            record(3, "moss", Some(f64::NAN)),
            record(4, "Bone", Some(0.9)),
            record(5, "ash", Some(0.9)),
        ];
        let by = |column, is_descending| Order {
            column,
            is_descending,
        };
        assert_eq!(
            names(&records, by(Column::BestAccuracy, true)),
            ["ash", "Bone", "clay", "moss", "Ash"]
        );
        assert_eq!(
            names(&records, by(Column::BestAccuracy, false)),
            ["clay", "ash", "Bone", "moss", "Ash"]
        );
        assert_eq!(
            names(&records, by(Column::Name, false)),
            ["ash", "Ash", "Bone", "clay", "moss"]
        );
    }

    #[test]
    fn a_second_press_turns_the_order_round() {
        let order = Order::default().pressed(Column::TestAccuracy);
        assert!(order.is_descending);
        assert!(!order.pressed(Column::TestAccuracy).is_descending);
        assert!(!order.pressed(Column::Name).is_descending);
    }

    #[test]
    fn a_filter_finds_words_and_settings() {
        let mut record = record(1, "amber-bowl-1", None);
        record.identity.tags = vec!["Course".to_owned()];
        record.identity.notes = "With a <b>slower</b> rate".to_owned();
        for (filter, fits) in [
            ("", true),
            ("  ", true),
            ("BOWL", true),
            ("course slower", true),
            ("course faster", false),
            ("batch_size=128", true),
            ("batch_size=12", false),
            ("optimizer=adam bowl", true),
            ("validate_on=test_set", false),
            ("finished", true),
            ("a=b", false),
        ] {
            assert_eq!(matches(&record, filter), fits, "{filter:?}");
        }
    }

    #[test]
    fn differences_from_the_baseline_have_a_sign() {
        let (better, worse) = (record(1, "a", Some(0.9)), record(2, "b", Some(0.5)));
        let difference = |column: Column| column.difference(&worse, &better);
        assert_eq!(
            difference(Column::BestAccuracy).as_deref(),
            Some("\u{2212}40.00\u{2009}%")
        );
        assert_eq!(difference(Column::BestLoss).as_deref(), Some("+0.4000"));
        assert_eq!(difference(Column::Epochs), None);
        assert_eq!(Column::BestLoss.difference(&worse, &worse), None);
    }

    #[test]
    fn drawn_rows_come_to_what_is_wanted_a_few_at_a_time() {
        for (drawn, wanted) in [
            (0..0, 0..29),
            (0..29, 10..39),
            (10..39, 0..29),
            (0..29, 200..229),
            (5..12, 0..20),
            (0..29, 0..3),
            (0..29, 0..0),
        ] {
            let mut now = drawn.clone();
            for _ in 0..20 {
                let next = approach(&now, &wanted);
                let added = next.clone().filter(|row| !now.contains(row)).count();
                assert!(added <= ROWS_AT_ONCE, "{now:?} {next:?}");
                let kept = |row: &usize| wanted.contains(row) && !next.contains(row);
                assert!(!now.clone().any(|row| kept(&row)), "{now:?} {next:?}");
                now = next;
            }
            assert_eq!(now, wanted, "from {drawn:?}");
        }
    }
}
