//! Every measurement of a run, one row each: what CSV and JSON Lines hold.

use ::csv::{Error, Writer, WriterBuilder};
use kiln_model::event::{Moment, Quality};
use kiln_model::history::{History, Measured};
use serde::{Serialize, Serializer};

use super::Take;
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
    let mut push = |moment: &Moment, figures: &[(&'static str, f64)]| {
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
    // A step that failed is the last one.
    for Measured { moment, value } in history.steps.iter().chain(history.diverged) {
        push(
            &moment,
            &[
                ("train/loss", value.quality.loss),
                ("train/accuracy", value.quality.accuracy),
                ("learning_rate", value.learning_rate),
                ("gradient_norm", value.gradient_norm),
            ],
        )?;
    }
    for (rows, loss, accuracy) in [
        (&history.epochs, "train/epoch_loss", "train/epoch_accuracy"),
        (
            &history.validations,
            "validation/loss",
            "validation/accuracy",
        ),
    ] {
        for Measured { moment, value } in rows {
            push(moment, &[(loss, value.loss), (accuracy, value.accuracy)])?;
        }
    }
    for Measured { moment, value } in &history.throughput {
        push(moment, &[("images_per_s", *value)])?;
    }
    if let Some(Measured { moment, value }) = &history.score {
        let Quality { loss, accuracy } = value.quality;
        push(moment, &[("test/loss", loss), ("test/accuracy", accuracy)])?;
    }
    Ok(())
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
