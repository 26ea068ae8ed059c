//! Round numbers along an axis that is not even.

use crate::series::{Point, ticks};

pub(super) const MINUTE_MS: f64 = 60_000.0;

pub(super) const DAY_MS: f64 = 86_400_000.0;

/// Round times of a clock between two moments, few enough to stand side by side.
pub(super) fn clock_ticks((from, to): (f64, f64), utc_offset_ms: f64) -> Vec<f64> {
    const MOST: f64 = 3.0;
    const STEPS_SECS: [f64; 18] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0,
    ];
    let rough = (to - from) / MOST;
    let round = STEPS_SECS.map(|secs| 1_000.0 * secs);
    let step = round.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or((rough / DAY_MS).ceil() * DAY_MS);
    let first = ((from + utc_offset_ms) / step).ceil();
    let last = ((to + utc_offset_ms) / step).floor();
    let count = (last - first).max(-1.0) as i64 + 1;
    (0..count)
        .map(|index| (first + index as f64) * step - utc_offset_ms)
        .collect()
}

/// A logarithmic axis around values, with its ticks: powers of ten, and 2 and 5 times them where
/// there are few.
pub(super) fn decades(least: f64, greatest: f64) -> (Point, Vec<f64>) {
    if least > greatest {
        return ((0.1, 1.0), vec![0.1, 1.0]);
    }
    let (low, high) = (least / 1.05, greatest * 1.05);
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let few: &[f64] = if last - first <= 2 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let every = ((last - first) as usize / 6).max(1);
    let is_inside = |tick: &f64| (low..=high).contains(tick);
    let round: Vec<f64> = (first..=last)
        .step_by(every)
        .flat_map(|power| few.iter().map(move |factor| factor * 10.0_f64.powi(power)))
        .filter(is_inside)
        .collect();
    if round.len() > 1 {
        return ((low, high), round);
    }
    // Between two such numbers the axis is as good as an even one.
    let even = ticks(low, high).into_iter().filter(is_inside);
    ((low, high), even.collect())
}
