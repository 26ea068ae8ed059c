//! Answers that belong to a run, its split and its epoch, and why there may be none.

use std::sync::Arc;

use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::evaluation::{Confusion, Predictions};
use leptos::prelude::GetUntracked as _;

use super::scored::{score_step, scored};
use crate::browser::store::StoreError;
use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;

/// Which validation of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Which {
    /// The last.
    Last,
    /// The one after so many steps.
    Step(u32),
    /// The one nearest to so many epochs, as an address names it.
    Epoch(f64),
}

/// The answers to every image of a split.
#[derive(Debug, PartialEq)]
pub struct Answers {
    /// The run.
    pub run: RunId,
    /// Its settings.
    pub config: Config,
    /// Which images.
    pub part: Part,
    /// Training steps done.
    pub step: u32,
    /// What the network said.
    pub predictions: Predictions,
    /// Which digits were taken for which.
    pub confusion: Confusion,
}

/// What there is to see.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// It is being read.
    Reading,
    /// No answers are kept.
    Nothing {
        /// Why not, as a sentence.
        why: &'static str,
        /// Whether the network can be asked now.
        can_score: bool,
    },
    /// They could not be read: why, as a sentence.
    Failed(String),
    /// All of it.
    There(Arc<Answers>),
}

/// What there is to see of a split of a run, and the steps of its validations whose answers are kept.
///
/// # Errors
/// A browser that refuses, or answers that cannot be read.
pub async fn find(
    trainer: Trainer,
    id: RunId,
    part: Part,
    which: Which,
) -> Result<(Vec<u32>, Sight), StoreError> {
    let library = trainer.library;
    let record = library.record_untracked(id);
    let Some(record) = record else {
        let is_read = library.is_read.get_untracked();
        return Ok((Vec::new(), gone(is_read)));
    };
    let store = library.store();
    let kept = match &store {
        Some(store) => store.answer_steps(id).await?,
        None => Vec::new(),
    };
    let validations = kept.iter().filter(|(part, _)| *part == Part::Validation);
    let steps: Vec<u32> = validations.map(|(_, step)| *step).collect();
    let step = match part {
        Part::Validation => pick(&steps, which, &record.config),
        _ => score_step(trainer, id, &kept).await?,
    };
    let predictions = match (&store, step) {
        (Some(store), Some(step)) => store.answers(id, part, step).await?,
        _ => None,
    };
    let (Some(predictions), Some(step)) = (predictions, step) else {
        let is_open = record.status.is_open();
        let has_weights = scored(trainer, id).await?.is_some();
        return Ok((steps, nothing(part, is_open, has_weights)));
    };
    let answers = Answers {
        run: id,
        config: record.config,
        part,
        step,
        confusion: Confusion::new(&predictions),
        predictions,
    };
    Ok((steps, Sight::There(Arc::new(answers))))
}

fn gone(is_read: bool) -> Sight {
    if is_read {
        Sight::Nothing {
            why: "This run is no longer kept: it was deleted. Choose another.",
            can_score: false,
        }
    } else {
        Sight::Reading
    }
}

fn nothing(part: Part, is_open: bool, has_weights: bool) -> Sight {
    let (why, can_score) = match (part, is_open, has_weights) {
        (Part::Validation, true, _) => {
            ("The first validation of this run is still to come.", false)
        }
        (_, true, _) => (
            "This run is still going: the test set is scored once, at the end.",
            false,
        ),
        (_, false, false) => (
            "This run has no checkpoint, so there are no weights to ask. Train it again to evaluate it.",
            false,
        ),
        (Part::Validation, false, true) => (
            "What this run answered in its validations is not kept.",
            true,
        ),
        (_, false, true) => ("This run was not scored on the test images.", true),
    };
    Sight::Nothing { why, can_score }
}

/// The step of the validation that is meant.
pub fn pick(steps: &[u32], which: Which, config: &Config) -> Option<u32> {
    let wanted = match which {
        Which::Last => return steps.last().copied(),
        Which::Step(step) => f64::from(step),
        Which::Epoch(epoch) => epoch * f64::from(config.plan().steps_per_epoch),
    };
    let distance = |step: &u32| (f64::from(*step) - wanted).abs();
    let nearest = steps
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.copied()
}
