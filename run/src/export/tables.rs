//! Every measurement of a run, as CSV and as JSON Lines: the same rows in both.

use kiln_model::event::{Moment, Quality};
use kiln_model::history::{History, Measured};
use serde::Serialize;

use crate::run::Run;
use crate::series::Subject;

/// One measurement. Field names are the columns.
#[derive(Debug, Serialize)]
struct Row<'a> {
    run: &'a str,
    step: u32,
    epoch: f64,
    images: u64,
    elapsed_s: f64,
    series: &'static str,
    value: f64,
}

/// Bytes of a part of a file: a long run's rows are never all there at once.
const PART_BYTES: usize = 1 << 20;

/// Gives every row to `take`, as long as it takes them; with how much is done then, 0 to 1.
fn each_row<'a, E>(
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

/// The rows as CSV with a header, part by part.
pub fn write_csv(run: &Run, take: &mut dyn FnMut(Vec<u8>, f64)) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(PART_BYTES));
    each_row(&run.identity.name, run.history(), |row, done| {
        writer.serialize(row)?;
        if writer.get_ref().len() >= PART_BYTES {
            let next = csv::WriterBuilder::new()
                .has_headers(false)
                .from_writer(Vec::with_capacity(PART_BYTES));
            take(finished(std::mem::replace(&mut writer, next))?, done);
        }
        Ok::<(), csv::Error>(())
    })?;
    take(finished(writer)?, 1.0);
    Ok(())
}

fn finished(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, csv::Error> {
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// The rows that one chart shows, of several runs, by name.
pub fn write_chart(runs: &[(String, &History)], subject: Subject) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
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
            Ok::<(), csv::Error>(())
        })?;
    }
    finished(writer)
}

/// The rows as one JSON object a line, part by part.
pub fn write_json_lines(
    run: &Run,
    take: &mut dyn FnMut(Vec<u8>, f64),
) -> Result<(), serde_json::Error> {
    let mut lines = Vec::with_capacity(PART_BYTES);
    each_row(&run.identity.name, run.history(), |row, done| {
        serde_json::to_writer(&mut lines, &row)?;
        lines.push(b'\n');
        if lines.len() >= PART_BYTES {
            let part = std::mem::replace(&mut lines, Vec::with_capacity(PART_BYTES));
            take(part, done);
        }
        Ok::<(), serde_json::Error>(())
    })?;
    take(lines, 1.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::export::Format;
    use crate::export::tests::whole;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn both_tables_hold_every_measurement() {
        let run = scored_run();
        let text = |format| String::from_utf8(whole(format, &run, Weights::Best).unwrap()).unwrap();
        let csv = text(Format::Csv);
        let mut lines = csv.lines();
        assert_eq!(
            lines.next(),
            Some("run,step,epoch,images,elapsed_s,series,value")
        );
        assert_eq!(
            lines.next(),
            Some("amber-bowl-1,1,0.1,128,0.5,train/loss,2.25")
        );
        assert_eq!(
            csv.lines().last(),
            Some("amber-bowl-1,2,0.2,256,1.0,test/accuracy,0.9")
        );
        let json = text(Format::JsonLines);
        // Two steps of four figures, an epoch, a validation and a score of two each, and one
        // throughput.
        assert_eq!((csv.lines().count() - 1, json.lines().count()), (15, 15));
        let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
        assert_eq!(
            (&first["series"], &first["value"]),
            (&"train/loss".into(), &2.25.into())
        );
    }
}
