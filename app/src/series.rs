//! Curves out of measurements: smoothing, decimation, ticks.

/// A point of a curve, in the units of its axes.
pub type Point = (f64, f64);

/// W&B's time-weighted exponential moving average, with its correction of the start.
///
/// `weight` is 0 to 0.999; `range` is the width of the x axis, over which W&B counts a thousand
/// steps of the average (its published source: "Line plot smoothing" in the W&B documentation).
pub fn smooth(points: &[Point], weight: f64, range: f64) -> Vec<Point> {
    const VIEWPORT_SCALE: f64 = 1_000.0;
    let weight = weight.sqrt().min(0.999);
    let mut previous = points.first().map_or(0.0, |point| point.0);
    let (mut sum, mut weights) = (0.0, 0.0);
    points
        .iter()
        .map(|&(x, y)| {
            let passed = if range > 0.0 {
                (x - previous) / range * VIEWPORT_SCALE
            } else {
                0.0
            };
            previous = x;
            let kept = weight.powf(passed);
            sum = sum * kept + y;
            weights = weights * kept + 1.0;
            (x, sum / weights)
        })
        .collect()
}

/// The points that matter to a curve drawn `columns` pixels wide: of each column the first, the
/// least, the greatest and the last. Every extreme stays.
pub fn decimate(points: &[Point], columns: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if points.len() <= columns * 4 || last.0 <= first.0 {
        return points.to_vec();
    }
    let column = |x: f64| ((x - first.0) / (last.0 - first.0) * columns as f64) as usize;
    points
        .chunk_by(|a, b| column(a.0) == column(b.0))
        .flat_map(|chunk| {
            let of = |less: fn(&f64, &f64) -> std::cmp::Ordering| {
                (0..chunk.len())
                    .max_by(|a, b| less(&chunk[*a].1, &chunk[*b].1))
                    .unwrap_or(0)
            };
            let mut kept = [
                0,
                of(|a, b| b.total_cmp(a)),
                of(f64::total_cmp),
                chunk.len() - 1,
            ];
            kept.sort_unstable();
            let mut kept = kept.to_vec();
            kept.dedup();
            kept.into_iter().map(|index| chunk[index])
        })
        .collect()
}

/// Four to six round numbers that cover `low` to `high`, with the step between them.
pub fn ticks(low: f64, high: f64) -> Vec<f64> {
    const MOST: f64 = 5.0;
    let span = (high - low).max(f64::MIN_POSITIVE);
    let rough = span / MOST;
    let power = 10.0_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    let first = (low / step).ceil();
    let count = ((high / step) - first + 1e-9).floor().max(0.0) as usize;
    (0..=count)
        .map(|index| (first + index as f64) * step)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_follows_the_published_formula() {
        // Over a range of 1,000 each step of one counts once: y₁ = (y₀·w + y₁) / (w + 1).
        let weight: f64 = 0.6;
        let smoothed = smooth(&[(0.0, 1.0), (1.0, 3.0), (3.0, 0.0)], weight, 1_000.0);
        let w = weight.sqrt();
        assert_eq!(smoothed[0], (0.0, 1.0));
        assert!((smoothed[1].1 - (w + 3.0) / (w + 1.0)).abs() < 1e-12);
        let third = (w + 3.0) * w * w / ((w + 1.0) * w * w + 1.0);
        assert!((smoothed[2].1 - third).abs() < 1e-12);
    }

    #[test]
    fn no_smoothing_changes_nothing() {
        let points = [(0.0, 1.0), (1.0, 3.0), (2.0, 0.0)];
        assert_eq!(smooth(&points, 0.0, 2.0), points);
    }

    #[test]
    fn decimation_keeps_every_extreme_and_both_ends() {
        let points: Vec<Point> = (0..10_000)
            .map(|index| {
                let x = f64::from(index);
                (
                    x,
                    if index == 4_321 {
                        99.0
                    } else {
                        (x / 50.0).sin()
                    },
                )
            })
            .collect();
        let kept = decimate(&points, 100);
        assert!(kept.len() <= 404, "{}", kept.len());
        assert!(kept.contains(&points[4_321]));
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        for column in points.chunks(100) {
            let least = column
                .iter()
                .map(|point| point.1)
                .fold(f64::INFINITY, f64::min);
            assert!(kept.iter().any(|point| point.1 <= least));
        }
    }

    #[test]
    fn few_points_stay_as_they_are() {
        assert_eq!(decimate(&[], 10), []);
        assert_eq!(decimate(&[(1.0, 2.0)], 10), [(1.0, 2.0)]);
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(
            ticks(0.0, 1.0),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        assert_eq!(ticks(0.0, 168.0), [0.0, 50.0, 100.0, 150.0]);
        for high in [0.001, 2.3, 7.0, 99.0, 123_456.0] {
            let count = ticks(0.0, high).len();
            assert!((3..=7).contains(&count), "{high}: {count}");
        }
    }
}
