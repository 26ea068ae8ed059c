//! Every measurement of a run, one row each: what CSV and JSON Lines hold.

use ::csv::{Error, Writer, WriterBuilder};
use kiln_model::event::{Moment, Quality, Trained};
use kiln_model::history::{History, Measured};
use serde::{Serialize, Serializer};

use super::format::Take;
use crate::series::Subject;

/// The columns of CSV.
pub(super) const COLUMNS: [&str; 7] = [
    "run",
    "step",
    "epoch",
    "images",
    "elapsed_s",
    "series",
    "value",
];

/// One measurement. Field names are [`COLUMNS`].
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    run: &'a str,
    step: u32,
    epoch: f64,
    images: u64,
    elapsed_s: f64,
    series: &'static str,
    #[serde(serialize_with = "figure")]
    value: f64,
}

/// A series and its value.
pub(super) type Figure = (&'static str, f64);

/// JSON has no number for what is none or infinite: it is a text then, the one that Protocol Buffers
/// have in JSON, which pandas, R and every language's own reader of numbers know.
pub(super) fn figure<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        serializer.serialize_f64(*value)
    } else {
        serializer.serialize_str(not_finite(*value))
    }
}

fn not_finite(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// Bytes of a part of a file: a long run's rows are never all there at once.
pub(super) const PART_BYTES: usize = 1 << 20;

/// Gives every row to `take`, as long as it takes them; with how much is done then, 0 to 1.
pub(super) fn each_row<'a, E>(
    run: &'a str,
    history: &History,
    mut take: impl FnMut(Row<'a>, f64) -> Result<(), E>,
) -> Result<(), E> {
    let total = history.len().max(1) as f64;
    let mut measured = 0_usize;
    let mut push = |moment: &Moment, figures: &[Figure]| {
        measured += 1;
        for (series, value) in figures {
            let row = Row {
                run,
                step: moment.step,
                epoch: moment.epoch,
                images: moment.images,
                elapsed_s: moment.elapsed_secs,
                series,
                value: *value,
            };
            take(row, measured as f64 / total)?;
        }
        Ok(())
    };
    for Measured { moment, value } in all_steps(history) {
        push(&moment, &of_step(&value))?;
    }
    for (moment, figures) in beside_steps(history) {
        push(&moment, &figures)?;
    }
    Ok(())
}

/// Every step; one that failed is the last.
pub(super) fn all_steps(history: &History) -> impl Iterator<Item = Measured<Trained>> {
    history.steps.iter().chain(history.diverged)
}

/// What a step measured.
pub(super) const fn of_step(step: &Trained) -> [Figure; 4] {
    [
        ("train/loss", step.quality.loss),
        ("train/accuracy", step.quality.accuracy),
        ("learning_rate", step.learning_rate),
        ("gradient_norm", step.gradient_norm),
    ]
}

/// What was measured beside the steps, and when: series after series.
pub(super) fn beside_steps(history: &History) -> impl Iterator<Item = (Moment, Vec<Figure>)> {
    let epochs = history.epochs.iter().map(|epoch| {
        let Quality { loss, accuracy } = epoch.value;
        let figures = [
            ("train/epoch_loss", loss),
            ("train/epoch_accuracy", accuracy),
        ];
        (epoch.moment, figures.to_vec())
    });
    let validations = history.validations.iter().map(|validation| {
        let Quality { loss, accuracy } = validation.value;
        let figures = [("validation/loss", loss), ("validation/accuracy", accuracy)];
        (validation.moment, figures.to_vec())
    });
    let throughput = history.throughput.iter();
    let throughput = throughput.map(|rate| (rate.moment, vec![("images_per_s", rate.value)]));
    let score = history.score.iter().map(|score| {
        let Quality { loss, accuracy } = score.value.quality;
        let figures = [("test/loss", loss), ("test/accuracy", accuracy)];
        (score.moment, figures.to_vec())
    });
    epochs.chain(validations).chain(throughput).chain(score)
}

/// Rows of CSV under a header, handed on part by part.
pub(super) struct Table<'a, 'b> {
    writer: Writer<Vec<u8>>,
    take: &'a mut Take<'b>,
}

impl<'a, 'b> Table<'a, 'b> {
    /// A header alone.
    pub(super) fn new(columns: &[&str], take: &'a mut Take<'b>) -> Result<Self, Error> {
        let mut writer = part();
        writer.write_record(columns)?;
        Ok(Self { writer, take })
    }

    /// Adds a row, with how much is done then, 0 to 1.
    pub(super) fn push(&mut self, row: impl Serialize, done: f64) -> Result<(), Error> {
        self.writer.serialize(row)?;
        if self.writer.get_ref().len() >= PART_BYTES {
            (self.take)(finished(std::mem::replace(&mut self.writer, part()))?, done);
        }
        Ok(())
    }

    /// Hands on what is left: the file is whole.
    pub(super) fn finish(self) -> Result<(), Error> {
        (self.take)(finished(self.writer)?, 1.0);
        Ok(())
    }
}

fn part() -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::with_capacity(PART_BYTES))
}

pub(super) fn finished(writer: Writer<Vec<u8>>) -> Result<Vec<u8>, Error> {
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// The rows that one chart shows, of several runs, by name, as CSV.
///
/// # Errors
/// A writer that refuses.
pub fn write_chart(runs: &[(String, &History)], subject: Subject) -> Result<Vec<u8>, Error> {
    let mut writer = Writer::from_writer(Vec::new());
    let is_shown = |series: &str| match subject {
        Subject::Loss => series.ends_with("loss"),
        Subject::Accuracy => series.ends_with("accuracy"),
        Subject::Throughput => series == "images_per_s",
        Subject::LearningRate => series == "learning_rate",
        Subject::GradientNorm => series == "gradient_norm",
    };
    for (name, history) in runs {
        each_row(name, history, |row, _| {
            if is_shown(row.series) {
                writer.serialize(row)?;
            }
            Ok::<(), Error>(())
        })?;
    }
    finished(writer)
}
