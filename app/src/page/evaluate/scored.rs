//! A run's best weights, and what they answered to the test images.

use kiln_model::checkpoint::{CheckpointError, Values};
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use leptos::prelude::*;

use crate::browser::store::{Store, StoreError};
use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;
use kiln_run::run::{Run, Weights};

/// The weights that are scored.
pub(super) struct Scored {
    pub(super) config: Config,
    pub(super) weights: Values,
    /// Training steps that they have behind them.
    pub(super) step: u32,
}

impl Scored {
    /// A run's best weights; nothing before its first checkpoint.
    fn of(run: &Run) -> Result<Option<Self>, CheckpointError> {
        let step = run.weights_step(Weights::Best);
        let weights = run.weights(Weights::Best)?;
        Ok(weights.zip(step).map(|(weights, step)| Self {
            config: *run.config(),
            weights: Values(weights),
            step,
        }))
    }
}

/// The step of the score of a run's best weights, of the answers that are kept. A score before
/// the best weights were found was that of others.
pub(super) async fn score_step(
    trainer: Trainer,
    id: RunId,
    kept: &[(Part, u32)],
) -> Result<Option<u32>, StoreError> {
    let scores = kept.iter().filter(|(part, _)| *part == Part::Test);
    let Some(last) = scores.map(|(_, step)| *step).max() else {
        return Ok(None);
    };
    let best = match scored(trainer, id).await {
        Ok(scored) => scored.map_or(0, |scored| scored.step),
        // Answers that are kept can be looked into whatever became of the weights.
        Err(StoreError::Unreadable(_)) => 0,
        Err(error) => return Err(error),
    };
    Ok((last >= best).then_some(last))
}

/// A run's best weights; nothing before its first checkpoint.
pub(super) async fn scored(trainer: Trainer, id: RunId) -> Result<Option<Scored>, StoreError> {
    let shown = trainer.run.with_untracked(|run| {
        let run = run.as_ref().filter(|run| run.identity.id == id)?;
        Some(Scored::of(run))
    });
    if let Some(shown) = shown {
        return Ok(shown?);
    }
    let Some(store) = trainer.library.store() else {
        return Ok(None);
    };
    match store.run(id).await {
        Ok(run) => Ok(Scored::of(&run)?),
        Err(StoreError::Gone) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a run's best weights answered to the test images; nothing where that is not kept.
///
/// # Errors
/// A browser that refuses, or answers that cannot be read.
pub async fn test_answers(
    trainer: Trainer,
    store: &dyn Store,
    id: RunId,
) -> Result<Option<Predictions>, StoreError> {
    let kept = store.answer_steps(id).await?;
    match score_step(trainer, id, &kept).await? {
        Some(step) => store.answers(id, Part::Test, step).await,
        None => Ok(None),
    }
}
