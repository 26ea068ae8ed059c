//! Settings and results as TensorBoard's plugin `hparams` compares them between runs.

use std::collections::BTreeMap;

use kiln_model::config::{Config, DEFAULT_PATIENCE};
use kiln_model::event::State;
use kiln_model::optimizer::Optimizer;
use serde_json::Value as Json;

use super::messages::{
    Experiment, FAILURE, FLOAT64, HParam, HParamInfo, HParamsData, Metadata, MetricInfo,
    MetricName, STRING, SUCCESS, SessionEnd, SessionStart, Tensor, Value,
};
use crate::export::clock::{Clock, last_moment};
use crate::export::format::ExportError;
use crate::export::{config, flat};
use crate::run::{Run, Status};

/// Results, by folder and tag.
const METRICS: [(&str, &str); 7] = [
    ("test", "accuracy"),
    ("test", "loss"),
    ("validation", "accuracy"),
    ("validation", "loss"),
    ("train", "epoch_accuracy"),
    ("train", "epoch_loss"),
    ("train", "images_per_s"),
];

/// What there is to compare, how the run began and, where it did, how it ended.
pub fn values(run: &Run, clock: &Clock) -> Result<Vec<Value>, ExportError> {
    let experiment = HParamsData {
        experiment: Some(experiment(run)?),
        ..HParamsData::default()
    };
    let start = HParamsData {
        session_start_info: Some(SessionStart {
            hparams: hparams(run, run.config())?,
            group_name: run.identity.name.clone(),
            start_time_secs: clock.start_secs(),
        }),
        ..HParamsData::default()
    };
    let end = HParamsData {
        session_end_info: end(run, clock),
        ..HParamsData::default()
    };
    let mut values = vec![
        value("experiment", &experiment),
        value("session_start_info", &start),
    ];
    // Without an end TensorBoard does not know how the run stands: it may go on.
    if end.session_end_info.is_some() {
        values.push(value("session_end_info", &end));
    }
    Ok(values)
}

fn value(name: &str, data: &HParamsData) -> Value {
    Value {
        tag: format!("_hparams_/{name}"),
        tensor: Some(Tensor::new(&[0], Vec::new())),
        metadata: Some(Metadata::of_plugin("hparams", data)),
        ..Value::default()
    }
}

/// Every setting that any run has: of several runs TensorBoard asks one alone.
fn experiment(run: &Run) -> Result<Experiment, ExportError> {
    let mut all = BTreeMap::new();
    for optimizer in Optimizer::ALL {
        let config = Config {
            optimizer,
            patience: Some(DEFAULT_PATIENCE),
            ..*run.config()
        };
        all.extend(hparams(run, &config)?);
    }
    let info = |(name, value): (String, HParam)| HParamInfo {
        name,
        kind: if value.number_value.is_some() {
            FLOAT64
        } else {
            STRING
        },
    };
    let metric = |(group, tag): (&str, &str)| MetricInfo {
        name: Some(MetricName {
            group: group.to_owned(),
            tag: tag.to_owned(),
        }),
    };
    Ok(Experiment {
        hparam_infos: all.into_iter().map(info).collect(),
        metric_infos: METRICS.into_iter().map(metric).collect(),
    })
}

/// The settings, the data's name and what trained.
fn hparams(run: &Run, config: &Config) -> Result<BTreeMap<String, HParam>, ExportError> {
    let mut settings = flat::settings(config)?;
    let about = config::json(run);
    for (name, value) in [
        ("backend", &about["backend"]),
        ("data", &about["data"]["name"]),
    ] {
        settings.insert(name.to_owned(), value.clone());
    }
    let hparam = |(name, value): (String, Json)| {
        let value = HParam {
            number_value: value.as_f64(),
            string_value: value.as_str().map(str::to_owned),
        };
        // What is switched off is left out.
        let has_value = value != HParam::default();
        has_value.then_some((name, value))
    };
    Ok(settings.into_iter().filter_map(hparam).collect())
}

fn end(run: &Run, clock: &Clock) -> Option<SessionEnd> {
    let status = match run.status() {
        Status::Session(State::Finished | State::Stopped) => SUCCESS,
        Status::Session(State::Failed) => FAILURE,
        _ => return None,
    };
    let last = last_moment(run.history());
    Some(SessionEnd {
        status,
        end_time_secs: last.map_or(clock.start_secs(), |last| clock.at(&last)),
    })
}
