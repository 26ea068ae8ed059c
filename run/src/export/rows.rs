//! Every measurement of a run, one row each: what CSV and JSON Lines hold.

use ::csv::{Error, Writer};
use kiln_model::event::{Moment, Quality};
use kiln_model::history::{History, Measured};
use serde::Serialize;

use crate::series::Subject;

/// One measurement. Field names are the columns.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    run: &'a str,
    step: u32,
    epoch: f64,
    images: u64,
    elapsed_s: f64,
    series: &'static str,
    value: f64,
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
