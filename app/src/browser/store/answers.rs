//! What runs answered in their validations and in their scores.

use idb::Query;
use js_sys::Array;
use kiln_model::checkpoint::CheckpointError;
use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use kiln_run::evaluation::thinning::superfluous;
use kiln_run::parcel::Answered;
use kiln_run::protocol::RunId;
use wasm_bindgen::JsValue;

use super::kept::{KeptAnswers, StoreError};
use super::opened::{ANSWERS, Opened, RUNS, all_of, from_value, key, to_value};

impl Opened {
    pub(super) async fn keep_answers(&self, answers: &KeptAnswers) -> Result<(), StoreError> {
        let (run, part, step) = (answers.run, answers.part, answers.step);
        let file = to_value(answers)?;
        // Without their run they would never be found again, nor deleted.
        self.get(RUNS, key(run)).await?.ok_or(StoreError::Gone)?;
        let kept = self.answer_steps(run).await?;
        let before: Vec<u32> = kept
            .into_iter()
            .filter(|(other, earlier)| *other == part && *earlier < step)
            .map(|(_, earlier)| earlier)
            .collect();
        let superfluous = superfluous(&before, step);
        self.change(|stores| {
            stores.answers.put(&file, None)?;
            if let Some(step) = superfluous {
                stores
                    .answers
                    .delete(Query::from(answer_key(run, part, step)))?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn answer_steps(&self, run: RunId) -> Result<Vec<(Part, u32)>, StoreError> {
        let keys = self.get_all_keys(ANSWERS, all_of(run)?).await?;
        let mut steps: Vec<(Part, u32)> = keys
            .into_iter()
            .filter_map(|key| from_value::<(u64, Part, u32)>(key).ok())
            .map(|(_, part, step)| (part, step))
            .collect();
        steps.sort_unstable_by_key(|(_, step)| *step);
        Ok(steps)
    }

    pub(super) async fn all_answers(&self, run: RunId) -> Result<Vec<Answered>, StoreError> {
        let all = self.get_all(ANSWERS, Some(all_of(run)?), None).await?;
        let answered = |value| {
            from_value::<KeptAnswers>(value).map(|kept| Answered {
                part: kept.part,
                step: kept.step,
                predictions: kept.predictions,
            })
        };
        let mut all: Vec<Answered> = all.into_iter().map(answered).collect::<Result<_, _>>()?;
        all.sort_by_key(|answered| answered.step);
        Ok(all)
    }

    pub(super) async fn answers(
        &self,
        run: RunId,
        part: Part,
        step: u32,
    ) -> Result<Option<Predictions>, StoreError> {
        let key = Query::from(answer_key(run, part, step));
        let Some(file) = self.get(ANSWERS, key).await? else {
            return Ok(None);
        };
        let file: KeptAnswers = from_value(file)?;
        let predictions = Predictions::from_bytes(&file.predictions);
        predictions
            .map(Some)
            .map_err(|error| CheckpointError::Inconsistent(error.to_string()).into())
    }
}

/// The key of a run's answers: an array, as IndexedDB compares them.
fn answer_key(run: RunId, part: Part, step: u32) -> JsValue {
    let part = match part {
        Part::Training => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    };
    let key = [JsValue::from_f64(run.0 as f64), part.into(), step.into()];
    key.into_iter().collect::<Array>().into()
}
