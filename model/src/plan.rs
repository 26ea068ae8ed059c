//! What follows from the settings: how many images and steps, and when to validate.

/// What follows from a [`crate::config::Config`]: how many images and steps, and when to validate.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::preset::Preset;

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
