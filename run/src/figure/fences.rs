//! The values that a chart is made for, so that a few far out do not flatten all others.

/// Widths of the middle half of the values that others may lie beyond it. It is Tukey's outer fence:
/// what is beyond is "far out" (J. W. Tukey, Exploratory Data Analysis, 1977, on box plots).
const FENCE: f64 = 3.0;

/// The least and the greatest of these values.
pub(super) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}

/// The least and the greatest of these values that are not far out. Of values that are mostly one and
/// the same none is: there is no width to go by.
pub(super) fn extent_inside(mut values: Vec<f64>) -> (f64, f64) {
    let all = extent(values.iter().copied());
    let last = values.len().saturating_sub(1);
    let mut at = |index: usize| {
        let is_there = index < values.len();
        is_there.then(|| *values.select_nth_unstable_by(index, f64::total_cmp).1)
    };
    // Of a few values the middle half is nearly all of them.
    let (Some(low), Some(high)) = (at(last / 4), at((3 * last).div_ceil(4))) else {
        return all;
    };
    let reach = FENCE * (high - low);
    if reach > 0.0 {
        let is_inside = |value: &f64| (low - reach..=high + reach).contains(value);
        extent(values.into_iter().filter(is_inside))
    } else {
        all
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn what_is_far_out_is_left_out() {
        let mut values: Vec<f64> = (0..100).map(|index| f64::from(index) / 100.0).collect();
        assert_eq!(extent_inside(values.clone()), (0.0, 0.99));
        values.extend([9.0, -7.0]);
        assert_eq!(extent_inside(values), (0.0, 0.99));
        assert_eq!(extent_inside(vec![1.0, 1.1, 90.0]), (1.0, 90.0));
        assert_eq!(extent_inside(Vec::new()), extent(std::iter::empty()));
    }

    #[test]
    fn of_steps_of_a_schedule_none_is_far_out() {
        let mut rates = vec![0.001; 90];
        rates.extend([0.0001; 10]);
        assert_eq!(extent_inside(rates), (0.0001, 0.001));
    }

    /// More than half of the values stay, whatever they are, and no value between two that stay goes.
    #[test]
    fn most_values_stay_whatever_they_are() {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        for _ in 0..500 {
            let count = random.random_range(1..200);
            let power = random.random_range(1..30);
            let value = |_| random.random_range(-1.0_f64..1.0).powi(power);
            let values: Vec<f64> = (0..count).map(value).collect();
            let (least, greatest) = extent_inside(values.clone());
            let inside = values
                .iter()
                .filter(|value| (least..=greatest).contains(*value));
            assert!(2 * inside.count() >= values.len(), "{values:?}");
            assert!(values.contains(&least) && values.contains(&greatest));
        }
    }
}
