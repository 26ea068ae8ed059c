//! How the learning rate goes over a run.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// Share of the steps over which [`Schedule::WarmUpCosine`] warms up.
const WARM_UP_SHARE: f64 = 0.05;

/// How the learning rate goes over a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same at every step.
    #[default]
    Constant,
    /// Half a cosine from the rate to zero (Loshchilov and Hutter 2017, equation 5, one cycle).
    Cosine,
    /// Rises evenly over the first twentieth of the steps, then half a cosine to zero.
    WarmUpCosine,
    /// A tenth from half of the steps on, a hundredth from three quarters on.
    Step,
}

impl Schedule {
    /// Every schedule.
    pub const ALL: [Self; 4] = [Self::Constant, Self::Cosine, Self::WarmUpCosine, Self::Step];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Constant => "Constant",
            Self::Cosine => "Cosine",
            Self::WarmUpCosine => "Warm-up + cosine",
            Self::Step => "Step ×0.1",
        }
    }

    /// Steps of a run of `total_steps` over which the learning rate rises; none but for
    /// [`Schedule::WarmUpCosine`].
    pub fn warm_up_steps(self, total_steps: u32) -> u32 {
        match self {
            Self::WarmUpCosine => (f64::from(total_steps) * WARM_UP_SHARE).ceil() as u32,
            Self::Constant | Self::Cosine | Self::Step => 0,
        }
    }

    /// The learning rate of the step after `steps_done` of `total_steps`, of which the first
    /// `warm_up_steps` warm up; never zero before the last step is done.
    pub fn rate(self, base: f64, steps_done: u32, warm_up_steps: u32, total_steps: u32) -> f64 {
        let (done, total) = (f64::from(steps_done), f64::from(total_steps.max(1)));
        match self {
            Self::Constant => base,
            Self::Cosine => base * half_cosine(done / total),
            Self::WarmUpCosine => {
                let warm_up = f64::from(warm_up_steps);
                if done < warm_up {
                    base * ((done + 1.0) / warm_up)
                } else {
                    base * half_cosine((done - warm_up) / (total - warm_up))
                }
            }
            Self::Step if done < 0.5 * total => base,
            Self::Step if done < 0.75 * total => base * 0.1,
            Self::Step => base * 0.01,
        }
    }
}

/// Half a cosine from 1 at 0 to 0 at 1, and 0 from there on; by the crate `libm`, the same on any
/// platform.
fn half_cosine(share: f64) -> f64 {
    f64::midpoint(1.0, libm::cos(PI * share.min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cosines and quotients are rounded in their last places.
    const TOLERANCE: f64 = 1e-12;

    fn check(schedule: Schedule, expected: &[(u32, f64)]) {
        for (steps_done, factor) in expected {
            let rate = schedule.rate(0.002, *steps_done, schedule.warm_up_steps(100), 100);
            assert!(
                (rate - 0.002 * factor).abs() < TOLERANCE,
                "{schedule:?} after {steps_done}: {rate}"
            );
        }
    }

    #[test]
    fn constant_never_changes() {
        check(Schedule::Constant, &[(0, 1.0), (50, 1.0), (99, 1.0)]);
    }

    #[test]
    fn cosine_halves_in_the_middle() {
        let quarter = (2.0 + 2.0_f64.sqrt()) / 4.0;
        check(
            Schedule::Cosine,
            &[
                (0, 1.0),
                (25, quarter),
                (50, 0.5),
                (75, 1.0 - quarter),
                (100, 0.0),
            ],
        );
    }

    #[test]
    fn warm_up_rises_to_the_rate_and_a_cosine_follows() {
        let middle = 5 + 95 / 5;
        let factor = (1.0 + (PI / 5.0).cos()) / 2.0;
        check(
            Schedule::WarmUpCosine,
            &[
                (0, 0.2),
                (1, 0.4),
                (4, 1.0),
                (5, 1.0),
                (middle, factor),
                (100, 0.0),
            ],
        );
    }

    #[test]
    fn step_falls_to_a_tenth_twice() {
        check(
            Schedule::Step,
            &[
                (0, 1.0),
                (49, 1.0),
                (50, 0.1),
                (74, 0.1),
                (75, 0.01),
                (99, 0.01),
            ],
        );
    }

    #[test]
    fn every_rate_before_the_end_is_above_zero() {
        for schedule in Schedule::ALL {
            for total in [1, 2, 3, 19, 20, 21, 2_105] {
                for done in 0..total {
                    let rate = schedule.rate(1e-5, done, schedule.warm_up_steps(total), total);
                    assert!(rate > 0.0 && rate <= 1e-5, "{schedule:?} {done} of {total}");
                }
            }
        }
    }
}
