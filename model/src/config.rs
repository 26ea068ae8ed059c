//! What a run is to do: its settings, their ranges and what follows from them.

use serde::{Deserialize, Serialize};

use crate::optimizer::{DEFAULT_MOMENTUM, DEFAULT_WEIGHT_DECAY, Optimizer};
use crate::plan::Plan;
use crate::schedule::Schedule;

/// The settings of a run. A setting that a run of an older Kiln lacks is what it is by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Times every training image is seen, 1 to 50.
    pub epochs: u32,
    /// Images of a training step, 1 to 1024.
    pub batch_size: u32,
    /// The learning rate that the schedule starts from, 1e-5 to 1.
    pub learning_rate: f64,
    /// What turns gradients into steps.
    pub optimizer: Optimizer,
    /// How the learning rate goes over the run.
    pub schedule: Schedule,
    /// Probability that dropout drops a feature, 0 to 0.9.
    pub dropout: f64,
    /// What the network is measured on while it trains.
    pub validate_on: ValidateOn,
    /// Share of the training images that are kept for validation, 0.05 to 0.3; unused, but kept
    /// as the course's script has it, when validating on the test set.
    pub validation_split: f64,
    /// How often the network is measured while it trains.
    pub validate_every: ValidateEvery,
    /// Epochs without a lower validation loss after which the run ends with its best weights, 1
    /// to 10; none for a run that always goes to its last epoch.
    pub patience: Option<u32>,
    /// Training images used, the first of the files, 1,000 to 60,000.
    pub training_images: u32,
    /// Decides initial weights, order and dropout.
    pub seed: u32,
}

/// What a network is measured on while it trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidateOn {
    /// The last of the training images.
    Split,
    /// The test images.
    TestSet,
}

/// How often a network is measured while it trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidateEvery {
    /// Every quarter of an epoch in runs of one or two epochs, else every epoch.
    Auto,
    /// After every epoch.
    Epoch,
    /// Twice an epoch.
    HalfEpoch,
    /// Four times an epoch.
    QuarterEpoch,
}

impl ValidateEvery {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Epoch, Self::HalfEpoch, Self::QuarterEpoch];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::Epoch => "1 epoch",
            Self::HalfEpoch => "½ epoch",
            Self::QuarterEpoch => "¼ epoch",
        }
    }

    /// Validations of an epoch, in a run of so many epochs.
    pub const fn times_an_epoch(self, epochs: u32) -> u32 {
        match self {
            Self::Auto if epochs > 2 => 1,
            Self::Epoch => 1,
            Self::HalfEpoch => 2,
            Self::Auto | Self::QuarterEpoch => 4,
        }
    }
}

/// The patience that early stopping is switched on with.
pub const DEFAULT_PATIENCE: u32 = 3;

impl Default for Config {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 128,
            learning_rate: 0.001,
            optimizer: Optimizer::Adam,
            schedule: Schedule::Constant,
            dropout: 0.5,
            validate_on: ValidateOn::Split,
            validation_split: 0.1,
            validate_every: ValidateEvery::Auto,
            patience: None,
            training_images: 60_000,
            seed: 42,
        }
    }
}

/// A setting that is a number in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// [`Config::epochs`].
    Epochs,
    /// [`Config::batch_size`].
    BatchSize,
    /// [`Config::learning_rate`].
    LearningRate,
    /// The momentum of [`Optimizer::Sgd`].
    Momentum,
    /// The weight decay of [`Optimizer::AdamW`].
    WeightDecay,
    /// [`Config::dropout`].
    Dropout,
    /// [`Config::validation_split`].
    ValidationSplit,
    /// [`Config::patience`].
    Patience,
    /// [`Config::training_images`].
    TrainingImages,
    /// [`Config::seed`].
    Seed,
}

/// A setting outside its range.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{} must be {}from {min} to {max}, not {value}.", .setting.label(), if .setting.is_whole() { "a whole number " } else { "" })]
pub struct OutOfRange {
    /// The setting.
    pub setting: Setting,
    /// The value that was asked for.
    pub value: f64,
    /// The least it may be.
    pub min: f64,
    /// The most it may be.
    pub max: f64,
}

impl Setting {
    /// Every setting that is a number in a range.
    pub const ALL: [Self; 10] = [
        Self::Epochs,
        Self::BatchSize,
        Self::LearningRate,
        Self::Momentum,
        Self::WeightDecay,
        Self::Dropout,
        Self::ValidationSplit,
        Self::Patience,
        Self::TrainingImages,
        Self::Seed,
    ];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Epochs => "Epochs",
            Self::BatchSize => "Batch size",
            Self::LearningRate => "Learning rate",
            Self::Momentum => "Momentum",
            Self::WeightDecay => "Weight decay",
            Self::Dropout => "Dropout",
            Self::ValidationSplit => "Validation split",
            Self::Patience => "Patience",
            Self::TrainingImages => "Training images",
            Self::Seed => "Random seed",
        }
    }

    /// Whether it has a meaning beside these settings: some optimisers have no momentum.
    pub const fn is_used_by(self, config: &Config) -> bool {
        match self {
            Self::Momentum => matches!(config.optimizer, Optimizer::Sgd { .. }),
            Self::WeightDecay => matches!(config.optimizer, Optimizer::AdamW { .. }),
            Self::Patience => config.patience.is_some(),
            _ => true,
        }
    }

    /// The least and the most it may be.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Epochs => (1.0, 50.0),
            Self::BatchSize => (1.0, 1024.0),
            Self::LearningRate => (1e-5, 1.0),
            Self::Momentum => (0.0, 0.99),
            Self::WeightDecay => (0.0, 0.1),
            Self::Dropout => (0.0, 0.9),
            Self::ValidationSplit => (0.05, 0.3),
            Self::Patience => (1.0, 10.0),
            Self::TrainingImages => (1_000.0, 60_000.0),
            Self::Seed => (0.0, u32::MAX as f64),
        }
    }

    /// Whether it must be a whole number.
    pub const fn is_whole(self) -> bool {
        !matches!(
            self,
            Self::LearningRate
                | Self::Momentum
                | Self::WeightDecay
                | Self::Dropout
                | Self::ValidationSplit
        )
    }

    /// Says whether the setting may have this value.
    ///
    /// # Errors
    /// A value that is not finite, outside the range, or with a fraction where none may be.
    pub fn check(self, value: f64) -> Result<(), OutOfRange> {
        let (min, max) = self.range();
        if (min..=max).contains(&value) && !(self.is_whole() && value.fract() != 0.0) {
            return Ok(());
        }
        Err(OutOfRange {
            setting: self,
            value,
            min,
            max,
        })
    }

    /// Its value in `config`; where it has none there, the one it would start with.
    pub fn get(self, config: &Config) -> f64 {
        match self {
            Self::Momentum => match config.optimizer {
                Optimizer::Sgd { momentum } => momentum,
                _ => DEFAULT_MOMENTUM,
            },
            Self::WeightDecay => match config.optimizer {
                Optimizer::AdamW { weight_decay } => weight_decay,
                _ => DEFAULT_WEIGHT_DECAY,
            },
            Self::Patience => config.patience.unwrap_or(DEFAULT_PATIENCE).into(),
            Self::Epochs => config.epochs.into(),
            Self::BatchSize => config.batch_size.into(),
            Self::LearningRate => config.learning_rate,
            Self::Dropout => config.dropout,
            Self::ValidationSplit => config.validation_split,
            Self::TrainingImages => config.training_images.into(),
            Self::Seed => config.seed.into(),
        }
    }

    /// Gives it a value in `config`, where it has one.
    ///
    /// # Errors
    /// A value it may not have; `config` is then left as it was.
    pub fn set(self, config: &mut Config, value: f64) -> Result<(), OutOfRange> {
        self.check(value)?;
        match self {
            Self::Momentum => {
                if let Optimizer::Sgd { momentum } = &mut config.optimizer {
                    *momentum = value;
                }
            }
            Self::WeightDecay => {
                if let Optimizer::AdamW { weight_decay } = &mut config.optimizer {
                    *weight_decay = value;
                }
            }
            Self::Patience => {
                if let Some(patience) = &mut config.patience {
                    *patience = value as u32;
                }
            }
            Self::Epochs => config.epochs = value as u32,
            Self::BatchSize => config.batch_size = value as u32,
            Self::LearningRate => config.learning_rate = value,
            Self::Dropout => config.dropout = value,
            Self::ValidationSplit => config.validation_split = value,
            Self::TrainingImages => config.training_images = value as u32,
            Self::Seed => config.seed = value as u32,
        }
        Ok(())
    }
}

impl Config {
    /// Says whether every setting is in its range.
    ///
    /// # Errors
    /// The first setting that is not.
    pub fn check(&self) -> Result<(), OutOfRange> {
        Setting::ALL
            .into_iter()
            .try_for_each(|setting| setting.check(setting.get(self)))
    }

    /// What follows from the settings.
    pub fn plan(&self) -> Plan {
        let validation_images = match self.validate_on {
            // Whole images for every pair that the ranges allow; rounded for all others.
            ValidateOn::Split => {
                (f64::from(self.training_images) * self.validation_split).round() as u32
            }
            ValidateOn::TestSet => 0,
        };
        let images_per_epoch = self
            .training_images
            .saturating_sub(validation_images)
            .max(1);
        let batch_size = self.batch_size.clamp(1, images_per_epoch);
        Plan {
            images_per_epoch,
            validation_images,
            batch_size,
            epochs: self.epochs,
            steps_per_epoch: images_per_epoch / batch_size,
            validations_per_epoch: self.validate_every.times_an_epoch(self.epochs),
        }
    }

    /// The learning rate of the step after `steps_done` of a run whose first `warm_up_steps` warm
    /// up.
    pub fn rate_after(&self, steps_done: u32, warm_up_steps: u32) -> f64 {
        let total_steps = self.plan().total_steps();
        self.schedule
            .rate(self.learning_rate, steps_done, warm_up_steps, total_steps)
    }
}

/// A setting changed while a run is under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// [`Config::learning_rate`].
    LearningRate(f64),
    /// [`Config::epochs`].
    Epochs(u32),
    /// [`Config::patience`].
    Patience(Option<u32>),
}

impl Edit {
    /// Changes the setting in `config`.
    ///
    /// # Errors
    /// A value outside its range; `config` is then left as it was.
    pub fn apply(self, config: &mut Config) -> Result<(), OutOfRange> {
        match self {
            Self::LearningRate(rate) => Setting::LearningRate.set(config, rate),
            Self::Epochs(epochs) => Setting::Epochs.set(config, epochs.into()),
            Self::Patience(patience) => {
                if let Some(patience) = patience {
                    Setting::Patience.check(patience.into())?;
                }
                config.patience = patience;
                Ok(())
            }
        }
    }

    /// What it says to a person.
    pub fn describe(self) -> String {
        match self {
            Self::LearningRate(rate) => format!("Learning rate {rate}"),
            Self::Epochs(epochs) => format!("Epochs {epochs}"),
            Self::Patience(Some(patience)) => format!("Patience {patience}"),
            Self::Patience(None) => "Early stopping off".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_lack_one_are_read() {
        let all = serde_json::to_value(Config::default()).unwrap();
        for name in all.as_object().unwrap().keys() {
            let mut fewer = all.clone();
            fewer.as_object_mut().unwrap().remove(name);
            let read: Config = serde_json::from_value(fewer).unwrap();
            assert_eq!(read, Config::default(), "{name}");
        }
    }

    #[test]
    fn a_setting_that_others_leave_no_meaning_is_not_used() {
        let unused = |config: Config| {
            let unused = |setting: &Setting| !setting.is_used_by(&config);
            Setting::ALL.into_iter().filter(unused).collect::<Vec<_>>()
        };
        let config = |optimizer, patience| Config {
            optimizer,
            patience,
            ..Config::default()
        };
        assert_eq!(
            unused(config(Optimizer::Adam, None)),
            [Setting::Momentum, Setting::WeightDecay, Setting::Patience]
        );
        assert_eq!(
            unused(config(Optimizer::Sgd { momentum: 0.9 }, Some(2))),
            [Setting::WeightDecay]
        );
    }

    #[test]
    fn a_value_outside_names_the_range() {
        let mut config = Config::default();
        let error = Setting::Epochs.set(&mut config, 51.0).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Epochs must be a whole number from 1 to 50, not 51."
        );
        let error = Setting::Dropout.set(&mut config, -0.1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Dropout must be from 0 to 0.9, not -0.1."
        );
        assert!(Setting::BatchSize.set(&mut config, 1.5).is_err());
        assert!(Setting::LearningRate.set(&mut config, f64::NAN).is_err());
        assert_eq!(config, Config::default());
    }

    #[test]
    fn a_setting_reads_what_it_wrote() {
        for setting in Setting::ALL {
            let (min, max) = setting.range();
            for value in [min, max] {
                let mut config = Config {
                    optimizer: match setting {
                        Setting::Momentum => Optimizer::Sgd { momentum: 0.5 },
                        _ => Optimizer::AdamW { weight_decay: 0.05 },
                    },
                    patience: Some(2),
                    ..Config::default()
                };
                setting.set(&mut config, value).unwrap();
                assert_eq!(setting.get(&config), value, "{setting:?}");
            }
        }
    }

    #[test]
    fn a_setting_without_a_place_shows_its_default_and_changes_nothing() {
        for (setting, value) in [
            (Setting::Momentum, 0.9),
            (Setting::WeightDecay, 0.004),
            (Setting::Patience, 3.0),
        ] {
            let mut config = Config::default();
            assert_eq!(setting.get(&config), value, "{setting:?}");
            setting.set(&mut config, setting.range().1).unwrap();
            assert_eq!(config, Config::default());
        }
    }

    #[test]
    fn an_edit_out_of_range_changes_nothing() {
        let mut config = Config::default();
        for edit in [
            Edit::LearningRate(2.0),
            Edit::Epochs(0),
            Edit::Patience(Some(11)),
        ] {
            assert!(edit.apply(&mut config).is_err(), "{edit:?}");
        }
        assert_eq!(config, Config::default());
        Edit::Patience(Some(3)).apply(&mut config).unwrap();
        assert_eq!(config.patience, Some(3));
    }
}
