//! Weights & Biases' smoothing of a curve.

/// A point of a curve, in the units of its axes.
pub type Point = (f64, f64);

/// How strongly curves are smoothed where nobody has chosen.
pub const USUAL: f64 = 0.6;

/// W&B's time-weighted exponential moving average, with its correction of the start.
///
/// `weight` is 0 to 0.999; `range` is the width of the x axis, over which W&B counts a thousand
/// steps of the average (its published source: "Line plot smoothing" in the W&B documentation).
pub fn smooth(points: &[Point], weight: f64, range: f64) -> Vec<Point> {
    const VIEWPORT_SCALE: f64 = 1_000.0;
    let weight = weight.sqrt().min(0.999);
    let mut previous = points.first().map_or(0.0, |point| point.0);
    let (mut sum, mut weights) = (0.0, 0.0);
    // Steps are mostly of one width, and a power takes longer than everything else here.
    let mut power = (0.0, 1.0);
    points
        .iter()
        .map(|&(x, y)| {
            let passed = if range > 0.0 {
                (x - previous) / range * VIEWPORT_SCALE
            } else {
                0.0
            };
            // What is no number is shown as such and spoils nothing after it.
            if !y.is_finite() {
                return (x, f64::NAN);
            }
            previous = x;
            if power.0 != passed {
                power = (passed, weight.powf(passed));
            }
            let kept = power.1;
            sum = sum * kept + y;
            weights = weights * kept + 1.0;
            (x, sum / weights)
        })
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
}
