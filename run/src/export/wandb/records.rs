//! What the records of a run say.

use std::collections::BTreeMap;

use kiln_model::event::{Moment, State};
use kiln_model::spec::PARAMETER_COUNT;
use serde_json::{Value, json};

use super::messages::{
    Config, Exit, Header, History, Item, Record, Run as RunMessage, Step, Summary, Timestamp,
    Version,
};
use crate::export::clock::{Clock, last_moment};
use crate::export::format::ExportError;
use crate::export::rows::Figure;
use crate::export::{config, flat};
use crate::record;
use crate::run::{Run, Status};

/// The project that runs are shown in.
const PROJECT: &str = "kiln";
/// The oldest W&B that can read the log.
const MIN_CONSUMER: &str = "0.70.0";
/// Most letters of a tag that W&B takes.
const TAG_LETTERS: usize = 64;
/// Of what is known of a run, what it was to do, and with what.
const SETTINGS: [&str; 8] = [
    "backend",
    "adapter",
    "data",
    "edits",
    "loss",
    "metric",
    "optimizer_constants",
    "steps_per_epoch",
];
/// Of what is known of a run, what came of it.
const RESULTS: [&str; 4] = [
    "status",
    "steps_done",
    "fingerprint",
    "stopped_early_for_the_weights_of_step",
];

/// Who wrote the log.
pub fn header() -> Record {
    let version_info = Version {
        producer: "kiln".to_owned(),
        min_consumer: MIN_CONSUMER.to_owned(),
    };
    Record {
        header: Some(Header {
            version_info: Some(version_info),
        }),
        ..Record::default()
    }
}

/// What the run is, with all its settings.
pub fn run(run: &Run, clock: &Clock, run_id: String) -> Result<Record, ExportError> {
    let about = config::json(run);
    let mut settings = flat::settings(run.config())?;
    settings.extend(SETTINGS.map(|name| (name.to_owned(), about[name].clone())));
    settings.insert("parameters".to_owned(), PARAMETER_COUNT.into());
    let tags = run.identity.tags.iter();
    let tags = tags.map(|tag| tag.chars().take(TAG_LETTERS).collect::<String>());
    let update = settings
        .iter()
        .map(|(key, value)| item(key, value.to_string()));
    Ok(Record {
        run: Some(RunMessage {
            run_id,
            project: PROJECT.to_owned(),
            config: Some(Config {
                update: update.collect(),
            }),
            display_name: run.identity.name.clone(),
            notes: run.identity.notes.clone(),
            tags: tags.filter(|tag| !tag.is_empty()).collect(),
            start_time: Some(Timestamp {
                seconds: clock.start.unix_timestamp(),
            }),
        }),
        ..Record::default()
    })
}

/// What was measured at a step.
pub fn history(clock: &Clock, moment: &Moment, figures: &[Figure]) -> Record {
    let figures = figures
        .iter()
        .map(|(series, value)| item(series, number(*value)));
    let epoch = item("epoch", number(moment.epoch));
    let images = item("images", moment.images.to_string());
    let when = when(clock, moment).map(|(key, value)| item(key, value));
    let item = figures.chain([epoch, images]).chain(when);
    Record {
        history: Some(History {
            item: item.collect(),
            step: Some(Step {
                num: moment.step.into(),
            }),
        }),
        ..Record::default()
    }
}

/// What W&B has of itself in every step, and of the last one in the summary.
fn when(clock: &Clock, moment: &Moment) -> [(&'static str, String); 3] {
    [
        ("_step", moment.step.to_string()),
        ("_runtime", number(moment.elapsed_secs)),
        ("_timestamp", number(clock.at(moment))),
    ]
}

/// What came of the run: the last value of every series, as W&B has it of itself, the best
/// validation, and the rest of the results.
pub fn summary(run: &Run, clock: &Clock, last: &BTreeMap<&'static str, f64>) -> Record {
    let about = config::json(run);
    let mut results: BTreeMap<&str, String> = last
        .iter()
        .map(|(series, value)| (*series, number(*value)))
        .collect();
    let known = RESULTS.map(|name| (name, &about[name])).into_iter();
    let known = known.filter(|(_, value)| !value.is_null());
    results.extend(known.map(|(name, value)| (name, value.to_string())));
    if let Some(moment) = last_moment(run.history()) {
        let runtime = json!({ "runtime": moment.elapsed_secs as i32 });
        results.extend(when(clock, &moment));
        results.insert("_wandb", runtime.to_string());
    }
    let summary = record::Summary::of(run.history());
    if let Some(best) = summary.best {
        results.insert("best_validation/loss", number(best.loss));
        results.insert("best_validation/accuracy", number(best.accuracy));
    }
    if let Some(test) = summary.test {
        results.insert("test/correct", test.correct.to_string());
        results.insert("test/images", test.images.to_string());
    }
    let update = results.into_iter().map(|(key, value)| item(key, value));
    Record {
        summary: Some(Summary {
            update: update.collect(),
        }),
        ..Record::default()
    }
}

/// How the run ended; nothing for one that did not.
pub fn exit(run: &Run) -> Option<Record> {
    let exit_code = match run.status() {
        Status::Session(State::Finished | State::Stopped) => 0,
        Status::Session(State::Failed) => 1,
        _ => return None,
    };
    let last = last_moment(run.history());
    Some(Record {
        exit: Some(Exit {
            exit_code,
            runtime: last.map_or(0, |last| last.elapsed_secs as i32),
        }),
        ..Record::default()
    })
}

fn item(key: &str, value_json: String) -> Item {
    Item {
        key: key.to_owned(),
        value_json,
    }
}

/// A number as W&B writes it: JSON, but for those that JSON does not have.
fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        let infinity = if value > 0.0 { "Infinity" } else { "-Infinity" };
        infinity.to_owned()
    } else {
        Value::from(value).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_need_not_be_finite() {
        for (value, text) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (1e300, "1e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
