//! Settings and results of a run as JSON.

use kiln_model::mnist;
use kiln_model::optimizer::{BETA_1, BETA_2, EPSILON, Optimizer, RHO};
use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use crate::data::MNIST;
use crate::run::Run;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".config.json",
    group: Group::Figures,
    needs: Needs::Nothing,
    contents: "Settings and results",
    opens_with: "any editor",
    media_type: "application/json",
    language: Language::Python,
    snippet: |stem| {
        format!("import json\njson.load(open(\"{stem}.config.json\", encoding=\"utf-8\"))")
    },
};

/// The settings that a beginner's script keeps in one dictionary, in its order and with the names
/// that Keras' `compile` takes; then everything else.
#[derive(Serialize)]
struct Settings {
    epochs: u32,
    batch_size: u32,
    validation_split: f64,
    loss: &'static str,
    optimizer: String,
    metric: &'static str,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Settings {
    fn of(run: &Run) -> Self {
        let config = run.config();
        Self {
            epochs: config.epochs,
            batch_size: config.batch_size,
            validation_split: config.validation_split,
            loss: "categorical_crossentropy",
            optimizer: config.optimizer.label().to_lowercase(),
            metric: "accuracy",
            rest: rest(run),
        }
    }
}

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let settings = Settings::of(source.run);
    let mut bytes = serde_json::to_vec_pretty(&settings).map_err(ExportError::of)?;
    bytes.push(b'\n');
    take(bytes, 1.0);
    Ok(())
}

/// What the file says, to be put beside weights.
pub fn json(run: &Run) -> Value {
    // Names are texts and every figure has a JSON value, so nothing keeps it from being written.
    serde_json::to_value(Settings::of(run)).unwrap_or_default()
}

/// What a beginner's script does not say.
fn rest(run: &Run) -> Map<String, Value> {
    let plan = run.plan();
    let history = run.history();
    let parameters: Vec<Value> = PARAMETERS
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "shape": parameter.shape }))
        .collect();
    let edits: Vec<Value> = history
        .edits
        .iter()
        .map(|edit| json!({ "step": edit.moment.step, "edit": edit.value }))
        .collect();
    let constants = match run.config().optimizer {
        Optimizer::Adam | Optimizer::AdamW { .. } => {
            json!({ "beta_1": BETA_1, "beta_2": BETA_2, "epsilon": EPSILON })
        }
        Optimizer::Sgd { .. } => json!({ "nesterov": false }),
        Optimizer::RmsProp => json!({ "rho": RHO, "epsilon": EPSILON }),
    };
    let told = json!({
        "run": run.identity.name,
        "started_at": run.identity.started_at,
        "status": run.status().label().to_lowercase(),
        "backend": run.identity.backend,
        "adapter": run.identity.adapter,
        "data": data(run),
        "settings": run.config(),
        "edits": edits,
        "optimizer_constants": constants,
        "network": { "parameters": PARAMETER_COUNT, "tensors": parameters },
        "steps_per_epoch": plan.steps_per_epoch,
        "steps_done": run.steps_done(),
        "fingerprint": history.fingerprint(),
        "stopped_early_for_the_weights_of_step": run.stopped_early().map(|early| early.value),
        "results": {
            "last_epoch": history.epochs.last().map(|epoch| epoch.value),
            "last_validation": history.validations.last().map(|validation| validation.value),
            "test": history.score.map(|score| score.value),
        },
    });
    match told {
        Value::Object(told) => told,
        _ => Map::new(),
    }
}

/// The data by name, and what tells it from any other.
fn data(run: &Run) -> Value {
    let hash = run.data();
    let name = if hash == mnist::hash() {
        MNIST
    } else {
        &run.identity.data_name
    };
    json!({ "name": name, "hash": hash, "class_names": run.identity.classes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn the_file_says_what_was_done_and_what_came_of_it() {
        let run = scored_run();
        let bytes = exported(".config.json", &run, Weights::Best, Vec::new()).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(
            "{\n  \"epochs\": 5,\n  \"batch_size\": 128,\n  \"validation_split\": 0.1,\n  \
             \"loss\": \"categorical_crossentropy\",\n  \"optimizer\": \"adam\",\n  \
             \"metric\": \"accuracy\",\n"
        ));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json(&run), value);
        for key in value.as_object().unwrap().keys() {
            assert_eq!(text.matches(&format!("\n  \"{key}\":")).count(), 1, "{key}");
        }
        assert_eq!(value["settings"]["validation_split"], 0.1);
        assert_eq!(value["settings"]["validate_on"], "split");
        assert_eq!(value["settings"]["optimizer"]["name"], "adam");
        assert_eq!(value["optimizer_constants"]["epsilon"], 1e-7);
        assert_eq!(value["status"], "finished");
        assert_eq!(value["backend"], "cpu");
        assert_eq!(value["results"]["test"]["correct"], 9_000);
        assert_eq!(value["data"]["name"], "letters");
        assert_eq!(value["data"]["hash"], "data");
        assert_eq!(value["data"]["class_names"][7], "7");
        assert_eq!(value["network"]["parameters"], 34_826);
    }
}
