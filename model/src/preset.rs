//! Settings known by a name.

use crate::config::{Config, ValidateOn};
use crate::schedule::Schedule;

/// Settings known by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A first run of a few seconds.
    QuickTaste,
    /// The course's first run.
    CourseRun1,
    /// The course's second run.
    CourseRun2,
    /// As good as this network gets in a minute or two.
    BestAccuracy,
}

impl Preset {
    /// Every preset, the shortest first.
    pub const ALL: [Self; 4] = [
        Self::QuickTaste,
        Self::CourseRun1,
        Self::CourseRun2,
        Self::BestAccuracy,
    ];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::QuickTaste => "Quick taste",
            Self::CourseRun1 => "Course run 1",
            Self::CourseRun2 => "Course run 2",
            Self::BestAccuracy => "Best accuracy",
        }
    }

    /// The part of its name that tells it from the others, where there is little room.
    pub const fn short(self) -> &'static str {
        match self {
            Self::QuickTaste => "Taste",
            Self::CourseRun1 => "Run 1",
            Self::CourseRun2 => "Run 2",
            Self::BestAccuracy => "Best",
        }
    }

    /// What it sets, and what came of it elsewhere, in a line.
    pub const fn note(self) -> &'static str {
        match self {
            Self::QuickTaste => "6,000 images, 1 epoch, batch 32",
            Self::CourseRun1 => "1 epoch, batch 1000. Report: loss 1.084, accuracy ≈67 %",
            Self::CourseRun2 => "5 epochs, batch 128. Report: loss 0.06, accuracy 98 %",
            Self::BestAccuracy => "20 epochs, batch 128, warm-up + cosine, patience 5",
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
            Self::BestAccuracy => Config {
                epochs: 20,
                batch_size: 128,
                schedule: Schedule::WarmUpCosine,
                patience: Some(5),
                ..Config::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_in_the_whole_one() {
        for preset in Preset::ALL {
            let (whole, short) = (preset.label().to_lowercase(), preset.short().to_lowercase());
            assert!(whole.contains(&short), "{short} for {whole}");
        }
    }

    #[test]
    fn the_defaults_and_presets_are_in_range() {
        Config::default().check().unwrap();
        for preset in Preset::ALL {
            preset.config().check().unwrap();
        }
    }
}
