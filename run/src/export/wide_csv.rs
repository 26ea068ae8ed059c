//! What was measured as a spreadsheet wants it: a row for each step, a column for each figure.

use std::iter::Peekable;

use ::csv::Error;
use kiln_model::event::{Moment, Quality, Trained};
use kiln_model::history::{History, Measured};
use serde::{Serialize, Serializer};

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::rows::{Table, figure};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: "-wide.csv",
    group: Group::Figures,
    needs: Needs::Nothing,
    contents: "Every step, one row each, all figures beside each other",
    opens_with: "any spreadsheet, pandas",
    media_type: "text/csv",
    language: Language::Python,
    snippet: |stem| format!("import pandas\npandas.read_csv(\"{stem}-wide.csv\")"),
};

/// A figure, or an empty cell. No figure is below zero, so that no cell begins with a sign, which a
/// spreadsheet could take for the beginning of a formula.
#[derive(Clone, Copy)]
struct Cell(Option<f64>);

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => figure(value, serializer),
            None => serializer.serialize_none(),
        }
    }
}

/// Figures are called what they are called in the other tables.
const COLUMNS: [&str; 14] = [
    "step",
    "epoch",
    "elapsed_s",
    "train/loss",
    "train/accuracy",
    "learning_rate",
    "gradient_norm",
    "images_per_s",
    "train/epoch_loss",
    "train/epoch_accuracy",
    "validation/loss",
    "validation/accuracy",
    "test/loss",
    "test/accuracy",
];

/// What was measured after one step: the first three columns, then the others.
type Row = (u32, f64, f64, [Cell; COLUMNS.len() - 3]);

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let mut table = Table::new(&COLUMNS, take).map_err(ExportError::of)?;
    each_row(source.run.history(), |row, done| table.push(row, done)).map_err(ExportError::of)?;
    table.finish().map_err(ExportError::of)
}

/// What is next of one kind of measurement.
type Next<'a, T> = Peekable<Box<dyn Iterator<Item = Measured<T>> + 'a>>;

fn next<'a, T>(rows: impl Iterator<Item = Measured<T>> + 'a) -> Next<'a, T> {
    let rows: Box<dyn Iterator<Item = Measured<T>>> = Box::new(rows);
    rows.peekable()
}

/// The moment of what is next, where it is before all that was found before.
fn earlier<T>(next: &mut Next<T>, found: Option<Moment>) -> Option<Moment> {
    let moment = next.peek().map(|row| row.moment);
    match (moment, found) {
        (Some(moment), Some(found)) if found.step <= moment.step => Some(found),
        (None, found) => found,
        (moment, _) => moment,
    }
}

/// Takes what is next, where it was measured after this step.
fn at<T>(next: &mut Next<T>, step: u32, measured: &mut usize) -> Option<T> {
    let row = next.next_if(|row| row.moment.step == step)?;
    *measured += 1;
    Some(row.value)
}

/// Gives every row to `take`, with how much is done then, 0 to 1. Each kind of measurement is in
/// order of steps; of two of one kind at the same step the second has a row of its own.
fn each_row(
    history: &History,
    mut take: impl FnMut(Row, f64) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut steps = next(history.steps.iter().chain(history.diverged));
    let mut rates = next(history.throughput.iter().copied());
    let mut epochs = next(history.epochs.iter().copied());
    let mut validations = next(history.validations.iter().copied());
    let mut score = next(history.score.into_iter());
    let total = history.len().max(1) as f64;
    let mut measured = 0_usize;
    loop {
        let moment = earlier(&mut steps, None);
        let moment = earlier(&mut rates, moment);
        let moment = earlier(&mut epochs, moment);
        let moment = earlier(&mut validations, moment);
        let Some(moment) = earlier(&mut score, moment) else {
            return Ok(());
        };
        let step: Option<Trained> = at(&mut steps, moment.step, &mut measured);
        let rate: Option<f64> = at(&mut rates, moment.step, &mut measured);
        let epoch: Option<Quality> = at(&mut epochs, moment.step, &mut measured);
        let validation: Option<Quality> = at(&mut validations, moment.step, &mut measured);
        let score: Option<Quality> =
            at(&mut score, moment.step, &mut measured).map(|score| score.quality);
        let loss = |quality: Option<Quality>| Cell(quality.map(|quality| quality.loss));
        let accuracy = |quality: Option<Quality>| Cell(quality.map(|quality| quality.accuracy));
        let trained = step.map(|step| step.quality);
        let figures = [
            loss(trained),
            accuracy(trained),
            Cell(step.map(|step| step.learning_rate)),
            Cell(step.map(|step| step.gradient_norm)),
            Cell(rate),
            loss(epoch),
            accuracy(epoch),
            loss(validation),
            accuracy(validation),
            loss(score),
            accuracy(score),
        ];
        let row = (moment.step, moment.epoch, moment.elapsed_secs, figures);
        take(row, measured as f64 / total)?;
    }
}

#[cfg(test)]
mod tests {
    use kiln_model::event::Event;

    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    fn lines(run: &crate::run::Run) -> Vec<String> {
        let file = exported("-wide.csv", run, Weights::Best, Vec::new()).unwrap();
        let file = String::from_utf8(file).unwrap();
        file.lines().map(str::to_owned).collect()
    }

    #[test]
    fn figures_stand_in_the_rows_of_their_steps() {
        assert_eq!(
            lines(&scored_run()),
            [
                "step,epoch,elapsed_s,train/loss,train/accuracy,learning_rate,gradient_norm,\
                 images_per_s,train/epoch_loss,train/epoch_accuracy,validation/loss,\
                 validation/accuracy,test/loss,test/accuracy",
                "1,0.1,0.5,2.25,0.125,0.001,3.5,,,,,,,",
                "2,0.2,1.0,1.5,0.5,0.001,3.5,800.0,1.875,0.3125,1.25,0.75,1.0,0.9",
            ]
        );
    }

    #[test]
    fn nothing_is_lost_where_two_figures_or_none_belong_to_a_step() {
        let mut run = scored_run();
        let mut last = run.history().steps.last().unwrap();
        run.apply(Event::Throughput(last.moment, 900.0));
        last.moment.step = 3;
        run.apply(Event::Throughput(last.moment, 700.0));
        last.value.quality.loss = f64::NAN;
        last.value.gradient_norm = f64::INFINITY;
        last.moment.step = 4;
        run.apply(Event::Diverged(last.moment, last.value));
        let lines = lines(&run);
        assert_eq!(
            lines[3..],
            [
                "2,0.2,1.0,,,,,900.0,,,,,,",
                "3,0.2,1.0,,,,,700.0,,,,,,",
                "4,0.2,1.0,NaN,0.5,0.001,Infinity,,,,,,,",
            ]
        );
    }

    #[test]
    fn a_run_that_has_not_begun_has_no_rows() {
        assert_eq!(lines(&new_run()), [COLUMNS.join(",")]);
    }

    #[test]
    fn a_long_table_comes_in_parts() {
        let mut history = scored_run().history().clone();
        let first = history.steps.first().unwrap();
        for step in 3..30_000 {
            let mut row = first;
            row.moment.step = step;
            history.steps.push(row);
        }
        let (mut parts, mut whole) = (Vec::new(), Vec::new());
        let mut take = |part: Vec<u8>, _: f64| {
            parts.push(part.len());
            whole.extend(part);
        };
        let mut table = Table::new(&COLUMNS, &mut take).unwrap();
        each_row(&history, |row, done| table.push(row, done)).unwrap();
        table.finish().unwrap();
        assert!(parts.len() > 1 && parts.iter().all(|bytes| *bytes < 2 << 20));
        let text = String::from_utf8(whole).unwrap();
        assert_eq!(text.matches("step,").count(), 1, "one header");
        assert_eq!(text.lines().count(), 30_000);
    }
}
