//! What a run is to do: its settings, their ranges and what follows from them.

use serde::{Deserialize, Serialize};

/// The settings of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Times every training image is seen, 1 to 50.
    pub epochs: u32,
    /// Images of a training step, 1 to 1024.
    pub batch_size: u32,
    /// Adam's learning rate, 1e-5 to 1.
    pub learning_rate: f64,
    /// Probability that dropout drops a feature, 0 to 0.9.
    pub dropout: f64,
    /// What the network is measured on while it trains.
    pub validate_on: ValidateOn,
    /// Share of the training images that are kept for validation, 0.05 to 0.3; unused, but kept
    /// as the course's script has it, when validating on the test set.
    pub validation_split: f64,
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

impl Default for Config {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 128,
            learning_rate: 0.001,
            dropout: 0.5,
            validate_on: ValidateOn::Split,
            validation_split: 0.1,
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
    /// [`Config::dropout`].
    Dropout,
    /// [`Config::validation_split`].
    ValidationSplit,
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
    pub const ALL: [Self; 7] = [
        Self::Epochs,
        Self::BatchSize,
        Self::LearningRate,
        Self::Dropout,
        Self::ValidationSplit,
        Self::TrainingImages,
        Self::Seed,
    ];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Epochs => "Epochs",
            Self::BatchSize => "Batch size",
            Self::LearningRate => "Learning rate",
            Self::Dropout => "Dropout",
            Self::ValidationSplit => "Validation split",
            Self::TrainingImages => "Training images",
            Self::Seed => "Random seed",
        }
    }

    /// The least and the most it may be.
    pub const fn range(self) -> (f64, f64) {
        match self {
            Self::Epochs => (1.0, 50.0),
            Self::BatchSize => (1.0, 1024.0),
            Self::LearningRate => (1e-5, 1.0),
            Self::Dropout => (0.0, 0.9),
            Self::ValidationSplit => (0.05, 0.3),
            Self::TrainingImages => (1_000.0, 60_000.0),
            Self::Seed => (0.0, u32::MAX as f64),
        }
    }

    /// Whether it must be a whole number.
    pub const fn is_whole(self) -> bool {
        !matches!(
            self,
            Self::LearningRate | Self::Dropout | Self::ValidationSplit
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

    /// Its value in `config`.
    pub fn get(self, config: &Config) -> f64 {
        match self {
            Self::Epochs => config.epochs.into(),
            Self::BatchSize => config.batch_size.into(),
            Self::LearningRate => config.learning_rate,
            Self::Dropout => config.dropout,
            Self::ValidationSplit => config.validation_split,
            Self::TrainingImages => config.training_images.into(),
            Self::Seed => config.seed.into(),
        }
    }

    /// Gives it a value in `config`.
    ///
    /// # Errors
    /// A value it may not have; `config` is then left as it was.
    pub fn set(self, config: &mut Config, value: f64) -> Result<(), OutOfRange> {
        self.check(value)?;
        match self {
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
            validations_per_epoch: if self.epochs <= 2 { 4 } else { 1 },
        }
    }
}

/// What follows from a [`Config`]: how many images and steps, and when to validate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Training images left once validation has its share.
    pub images_per_epoch: u32,
    /// Training images kept for validation; 0 when validating on the test set.
    pub validation_images: u32,
    /// Images of a step: as asked for, or all there are where that is less.
    pub batch_size: u32,
    /// Epochs of the run.
    pub epochs: u32,
    /// Whole batches of an epoch; the rest of the images wait for the next shuffle.
    pub steps_per_epoch: u32,
    /// Validations of an epoch.
    pub validations_per_epoch: u32,
}

impl Plan {
    /// Steps of the run.
    pub fn total_steps(&self) -> u32 {
        self.epochs * self.steps_per_epoch
    }

    /// Epochs done after `step` steps.
    pub fn epochs_after(&self, step: u32) -> f64 {
        f64::from(step) / f64::from(self.steps_per_epoch)
    }

    /// Training images seen after `step` steps.
    pub fn images_after(&self, step: u32) -> u64 {
        u64::from(step) * u64::from(self.batch_size)
    }

    /// Whether `step`, counted from 1, is the last of its epoch.
    pub fn ends_epoch(&self, step: u32) -> bool {
        step.is_multiple_of(self.steps_per_epoch)
    }

    /// Whether the network is validated after `step`, counted from 1.
    pub fn validates_after(&self, step: u32) -> bool {
        let passed = |step: u32| {
            u64::from(step) * u64::from(self.validations_per_epoch)
                / u64::from(self.steps_per_epoch)
        };
        passed(step) > passed(step - 1)
    }
}

/// Settings known by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A first run of well under a minute.
    QuickTaste,
    /// The course's first run.
    CourseRun1,
    /// The course's second run.
    CourseRun2,
}

impl Preset {
    /// Every preset, the shortest first.
    pub const ALL: [Self; 3] = [Self::QuickTaste, Self::CourseRun1, Self::CourseRun2];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::QuickTaste => "Quick taste",
            Self::CourseRun1 => "Course run 1",
            Self::CourseRun2 => "Course run 2",
        }
    }

    /// What it sets, and what came of it elsewhere, in a line.
    pub const fn note(self) -> &'static str {
        match self {
            Self::QuickTaste => "6,000 images, 1 epoch, batch 32",
            Self::CourseRun1 => "1 epoch, batch 1000. Report: loss 1.084, accuracy ≈67 %",
            Self::CourseRun2 => "5 epochs, batch 128. Report: loss 0.06, accuracy 98 %",
        }
    }

    /// Its settings.
    ///
    /// The course's script passes both a validation set and a validation split; Keras then uses
    /// the set, so the split it logged was never used. Both are kept here.
    pub fn config(self) -> Config {
        let course = Config {
            validate_on: ValidateOn::TestSet,
            validation_split: 0.1,
            ..Config::default()
        };
        match self {
            Self::QuickTaste => Config {
                training_images: 6_000,
                epochs: 1,
                batch_size: 32,
                ..Config::default()
            },
            Self::CourseRun1 => Config {
                epochs: 1,
                batch_size: 1_000,
                ..course
            },
            Self::CourseRun2 => Config {
                epochs: 5,
                batch_size: 128,
                ..course
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_and_presets_are_in_range() {
        Config::default().check().unwrap();
        for preset in Preset::ALL {
            preset.config().check().unwrap();
        }
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
                let mut config = Config::default();
                setting.set(&mut config, value).unwrap();
                assert_eq!(setting.get(&config), value, "{setting:?}");
            }
        }
    }

    #[test]
    fn steps_follow_from_images_and_batch() {
        let plan = Config::default().plan();
        assert_eq!(
            (plan.images_per_epoch, plan.validation_images),
            (54_000, 6_000)
        );
        assert_eq!((plan.steps_per_epoch, plan.total_steps()), (421, 2_105));
        assert_eq!(Preset::CourseRun1.config().plan().total_steps(), 60);
        assert_eq!(Preset::CourseRun2.config().plan().total_steps(), 2_340);
        assert_eq!(Preset::QuickTaste.config().plan().total_steps(), 168);
    }

    #[test]
    fn a_batch_is_never_larger_than_the_images() {
        let config = Config {
            training_images: 1_000,
            batch_size: 1_000,
            ..Config::default()
        };
        let plan = config.plan();
        assert_eq!((plan.batch_size, plan.steps_per_epoch), (900, 1));
    }

    #[test]
    fn short_runs_validate_four_times_an_epoch() {
        let steps = |plan: Plan| -> Vec<u32> {
            (1..=plan.total_steps())
                .filter(|step| plan.validates_after(*step))
                .collect()
        };
        assert_eq!(
            steps(Preset::QuickTaste.config().plan()),
            [42, 84, 126, 168]
        );
        assert_eq!(
            steps(Preset::CourseRun2.config().plan()),
            [468, 936, 1_404, 1_872, 2_340]
        );
        let one_step = Plan {
            steps_per_epoch: 1,
            ..Preset::QuickTaste.config().plan()
        };
        assert_eq!(steps(one_step), [1]);
    }
}
