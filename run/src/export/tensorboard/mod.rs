//! A run as TensorBoard shows it: a zip archive of a folder of event files, one file for what the run
//! is, and a folder each for training, validation and test.

mod curves;
mod events;
mod histogram;
mod hparams;
mod messages;
mod picture;

use std::cell::Cell;

use kiln_model::dataset::Part;
use kiln_model::evaluation::{Confusion, Predictions};
use kiln_model::history::Measured;
use kiln_model::spec::PARAMETERS;
use kiln_model::weights;

use self::events::Events;
use self::messages::Value;
use super::clock::Clock;
use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::name::file_stem;
use super::rows::{Figure, all_steps, beside_steps, of_step};
use super::zip::{Parts, Zip};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".tensorboard.zip",
    group: Group::Tools,
    needs: Needs::Nothing,
    contents: "Every measurement, curves, weights and settings",
    opens_with: "TensorBoard",
    media_type: "application/zip",
    language: Language::Shell,
    // Where the run's own folder is shown alone it has no name, and hparams finds no results in it.
    snippet: |stem| format!("unzip \"{stem}.tensorboard.zip\" -d runs\ntensorboard --logdir runs"),
};

/// The folder of what training measured.
const TRAIN: &str = "train";

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let done = Cell::new(0.0);
    let mut zip = Zip::new(Parts::new(take, &done));
    let clock = Clock::new(&source.run.identity);
    let start = clock.start_secs();
    let stem = file_stem(&source.run.identity.name);
    // A reader wants `tfevents` in the name, and the time; the rest tells files of one folder apart.
    let file = format!("events.out.tfevents.{:010}.kiln.0.0", start.max(0.0) as u64);
    zip.pack(&format!("{stem}/{file}"), |to| {
        Events::new(to, start)?.add(start, 0, hparams::values(source.run, &clock)?)
    })?;
    zip.pack(&format!("{stem}/{TRAIN}/{file}"), |to| {
        let mut events = Events::new(to, start)?;
        steps(source, &clock, &mut events, &done)?;
        scalars(source, &clock, &mut events, TRAIN)?;
        histograms(source, &clock, &mut events)
    })?;
    for (part, folder) in [(Part::Validation, "validation"), (Part::Test, "test")] {
        let answers = source.newest(part)?;
        let mut figures = beside_steps(source.run.history());
        if answers.is_none() && !figures.any(|(_, figures)| is_any_of(folder, &figures)) {
            continue;
        }
        zip.pack(&format!("{stem}/{folder}/{file}"), |to| {
            let mut events = Events::new(to, start)?;
            scalars(source, &clock, &mut events, folder)?;
            if let Some((step, predictions)) = answers {
                answered(source, &clock, &mut events, step, &predictions)?;
            }
            Ok(())
        })?;
    }
    zip.finish()?.finish();
    Ok(())
}

/// The folder and the tag of a series.
fn place(series: &'static str) -> (&'static str, &'static str) {
    series.split_once('/').unwrap_or((TRAIN, series))
}

fn is_any_of(folder: &str, figures: &[Figure]) -> bool {
    figures.iter().any(|(series, _)| place(series).0 == folder)
}

fn values(figures: &[Figure]) -> Vec<Value> {
    let value = |(series, value): &Figure| Value {
        tag: place(series).1.to_owned(),
        simple_value: Some(*value as f32),
        ..Value::default()
    };
    figures.iter().map(value).collect()
}

/// What each step measured.
fn steps(
    source: &Source,
    clock: &Clock,
    events: &mut Events,
    done: &Cell<f64>,
) -> Result<(), ExportError> {
    let history = source.run.history();
    let total = history.steps.len().max(1) as f64;
    for (place, Measured { moment, value }) in all_steps(history).enumerate() {
        done.set((place as f64 / total).min(1.0));
        events.add(clock.at(&moment), moment.step, values(&of_step(&value)))?;
    }
    Ok(())
}

/// What was measured beside the steps, as far as it belongs in this folder.
fn scalars(
    source: &Source,
    clock: &Clock,
    events: &mut Events,
    folder: &str,
) -> Result<(), ExportError> {
    for (moment, figures) in beside_steps(source.run.history()) {
        if is_any_of(folder, &figures) {
            events.add(clock.at(&moment), moment.step, values(&figures))?;
        }
    }
    Ok(())
}

/// The weights that the run began with, its best and its last.
fn histograms(source: &Source, clock: &Clock, events: &mut Events) -> Result<(), ExportError> {
    let run = source.run;
    let mut all = vec![(0, weights::initial(run.config().seed))];
    if let Some(checkpoint) = run.checkpoint() {
        let snapshot = checkpoint.snapshot().map_err(ExportError::of)?;
        let best = snapshot.best;
        all.extend(best.map(|best| (best.measured.moment.step, best.weights.0)));
        all.push((snapshot.weights_step, snapshot.weights.0));
    }
    // The best are often the last.
    all.dedup_by_key(|(step, _)| *step);
    for (step, weights) in all {
        let histogram = |parameter: &kiln_model::spec::Parameter| {
            let values = weights.get(parameter.range()).unwrap_or_default();
            histogram::value(format!("weights/{}", parameter.name), values)
        };
        let values = PARAMETERS.iter().filter_map(histogram).collect();
        events.add(time_of(source, clock, step), step, values)?;
    }
    Ok(())
}

/// What the network made of the images of a part.
fn answered(
    source: &Source,
    clock: &Clock,
    events: &mut Events,
    step: u32,
    predictions: &Predictions,
) -> Result<(), ExportError> {
    let mut values = curves::values(predictions);
    values.push(picture::value(&Confusion::new(predictions))?);
    events.add(time_of(source, clock, step), step, values)
}

/// Seconds since 1970 when so many steps were done.
fn time_of(source: &Source, clock: &Clock, step: u32) -> f64 {
    let steps = &source.run.history().steps;
    // Steps are counted from 1.
    let done = step
        .checked_sub(1)
        .and_then(|place| steps.get(place as usize));
    done.map_or(clock.start_secs(), |done| clock.at(&done.moment))
}
