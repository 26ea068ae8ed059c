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

fn rows<'a>(run: &'a str, history: &History) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut push = |moment: Moment, series, value| {
        rows.push(Row {
            run,
            step: moment.step,
            epoch: moment.epoch,
            images: moment.images,
            elapsed_s: moment.elapsed_secs,
            series,
            value,
        });
    };
    // A step that failed is the last one.
    for Measured { moment, value } in history.steps.iter().chain(&history.diverged) {
        push(*moment, "train/loss", value.quality.loss);
        push(*moment, "train/accuracy", value.quality.accuracy);
        push(*moment, "learning_rate", value.learning_rate);
        push(*moment, "gradient_norm", value.gradient_norm);
    }
    for (measured, loss, accuracy) in [
        (&history.epochs, "train/epoch_loss", "train/epoch_accuracy"),
        (
            &history.validations,
            "validation/loss",
            "validation/accuracy",
        ),
    ] {
        for Measured { moment, value } in measured {
            push(*moment, loss, value.loss);
            push(*moment, accuracy, value.accuracy);
        }
    }
    for Measured { moment, value } in &history.throughput {
        push(*moment, "images_per_s", *value);
    }
    if let Some(Measured { moment, value }) = &history.score {
        let Quality { loss, accuracy } = value.quality;
        push(*moment, "test/loss", loss);
        push(*moment, "test/accuracy", accuracy);
    }
    rows
}

/// The rows as CSV with a header.
pub fn write_csv(run: &Run) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows(&run.identity.name, run.history()) {
        writer.serialize(row)?;
    }
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
        for row in rows(name, history) {
            if is_shown(row.series) {
                writer.serialize(row)?;
            }
        }
    }
    writer
        .into_inner()
        .map_err(|error| error.into_error().into())
}

/// The rows as one JSON object a line.
pub fn write_json_lines(run: &Run) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for row in rows(&run.identity.name, run.history()) {
        serde_json::to_writer(&mut lines, &row)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::scored_run;

    #[test]
    fn both_tables_hold_every_measurement() {
        let run = scored_run();
        let csv = String::from_utf8(write_csv(&run).unwrap()).unwrap();
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
        let json = String::from_utf8(write_json_lines(&run).unwrap()).unwrap();
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
