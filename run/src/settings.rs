//! The settings of a run as lines of text: what tables compare and filters search.

use kiln_model::config::{Setting, ValidateOn};
use kiln_model::optimizer::Optimizer;

use crate::record::Record;
use crate::share::label;
use crate::{data, format};

/// One setting of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name in files and filters, such as `batch_size`.
    pub key: &'static str,
    /// The name a person reads.
    pub label: &'static str,
    /// Its value.
    pub text: String,
}

/// Every setting of a run, the same lines in the same order for every run; those that its
/// optimiser does not have say "–".
pub fn lines(record: &Record) -> Vec<Line> {
    let config = &record.config;
    let line = |key, text: &str| Line {
        key,
        label: label(key),
        text: text.to_owned(),
    };
    let number = |key, setting: Setting| line(key, &setting.get(config).to_string());
    let of_optimizer = |key, setting: Setting, has: bool| {
        if has {
            number(key, setting)
        } else {
            line(key, format::NOTHING)
        }
    };
    let optimizer = config.optimizer;
    vec![
        number("epochs", Setting::Epochs),
        number("batch_size", Setting::BatchSize),
        number("learning_rate", Setting::LearningRate),
        line("optimizer", optimizer.label()),
        of_optimizer(
            "momentum",
            Setting::Momentum,
            matches!(optimizer, Optimizer::Sgd { .. }),
        ),
        of_optimizer(
            "weight_decay",
            Setting::WeightDecay,
            matches!(optimizer, Optimizer::AdamW { .. }),
        ),
        line("schedule", config.schedule.label()),
        number("dropout", Setting::Dropout),
        line(
            "validate_on",
            match config.validate_on {
                ValidateOn::Split => "Split",
                ValidateOn::TestSet => "Test set",
            },
        ),
        number("validation_split", Setting::ValidationSplit),
        line("validate_every", config.validate_every.label()),
        of_optimizer("patience", Setting::Patience, config.patience.is_some()),
        number("training_images", Setting::TrainingImages),
        number("seed", Setting::Seed),
        Line {
            label: "Backend",
            ..line("backend", record.identity.backend.label())
        },
        Line {
            label: "Data",
            ..line(
                "data",
                &data::label(&record.identity.data_name, &record.data),
            )
        },
    ]
}
