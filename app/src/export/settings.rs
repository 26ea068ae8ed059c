//! Settings and results of a run as JSON.

use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};
use serde_json::{Value, json};

use crate::run::{Run, Status};

/// The file.
pub fn write(run: &Run) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&json(run))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Settings and results; what is in the file, and with the weights.
pub fn json(run: &Run) -> Value {
    let plan = run.plan();
    let history = run.history();
    let parameters: Vec<Value> = PARAMETERS
        .iter()
        .map(|parameter| json!({ "name": parameter.name, "shape": parameter.shape }))
        .collect();
    json!({
        "run": run.name,
        "started_at": run.started_at,
        "status": match run.status() {
            Status::Preparing => "preparing".to_owned(),
            Status::Session(state) => format!("{state:?}").to_lowercase(),
            Status::Crashed => "crashed".to_owned(),
        },
        "backend": run.backend,
        "adapter": run.adapter,
        "data": "MNIST",
        "settings": run.config,
        "optimizer": { "name": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7 },
        "loss": "softmax cross-entropy",
        "metric": "accuracy",
        "network": { "parameters": PARAMETER_COUNT, "tensors": parameters },
        "steps_per_epoch": plan.steps_per_epoch,
        "steps_done": run.steps_done(),
        "results": {
            "last_epoch": history.epochs.last().map(|epoch| epoch.value),
            "last_validation": history.validations.last().map(|validation| validation.value),
            "test": history.score.map(|score| score.value),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::scored_run;

    #[test]
    fn the_file_says_what_was_done_and_what_came_of_it() {
        let bytes = write(&scored_run()).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(value["settings"]["validation_split"], 0.1);
        assert_eq!(value["settings"]["validate_on"], "split");
        assert_eq!(value["status"], "finished");
        assert_eq!(value["backend"], "cpu");
        assert_eq!(value["results"]["test"]["correct"], 9_000);
        assert_eq!(value["network"]["parameters"], 34_826);
    }
}
