//! Weights & Biases' smoothing of a curve, by what was measured until then alone.

/// A point of a curve, in the units of its axes.
pub type Point = (f64, f64);

/// The place of the last measurement of a stretch, counted from 0, and the mean of the stretch. Each
/// begins where the one before ends.
pub type Mean = (usize, f64);

/// How strongly curves are smoothed where nobody has chosen.
pub const USUAL: f64 = 0.6;

/// W&B's time-weighted exponential moving average, with its correction of the start ("Line plot
/// smoothing" in the W&B documentation): what lies a thousandth of the x axis back counts √`weight`
/// times. `weight` is 0 to 0.999.
///
/// W&B takes the whole axis, and every step that is added to a run changes the line of all before it.
/// Here it is the thousandth of what was measured until then, and at least one measurement: a line
/// only grows, and runs that begin alike have the same line as far as they are alike.
pub fn smooth(means: &[Mean], weight: f64) -> Vec<f64> {
    const PARTS: f64 = 1_000.0;
    let weight = weight.sqrt().min(0.999);
    let (mut sum, mut weights, mut before) = (0.0, 0.0, 0);
    let smoothed = means.iter().map(|&(last, mean)| {
        let reached = last + 1;
        let count = reached - before;
        before = reached;
        // What is no number is shown as such and spoils nothing after it.
        if !mean.is_finite() {
            return f64::NAN;
        }
        let for_one = weight.powf(PARTS / PARTS.max(reached as f64));
        let kept = for_one.powi(count as i32);
        // As much as all of its measurements count, one after the other.
        let counted = (1.0 - kept) / (1.0 - for_one);
        sum = sum * kept + mean * counted;
        weights = weights * kept + counted;
        sum / weights
    });
    smoothed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(values: &[f64]) -> Vec<Mean> {
        values.iter().copied().enumerate().collect()
    }

    #[test]
    fn smoothing_follows_the_published_formula() {
        // Of a thousand measurements each counts once: y₁ = (y₀·w + y₁) / (w + 1).
        let weight: f64 = 0.6;
        let smoothed = smooth(&each(&[1.0, 3.0, 0.0]), weight);
        let w = weight.sqrt();
        assert!((smoothed[0] - 1.0).abs() < 1e-12);
        assert!((smoothed[1] - (w + 3.0) / (w + 1.0)).abs() < 1e-12);
        let third = (w + 3.0) * w / ((w + 1.0) * w + 1.0);
        assert!((smoothed[2] - third).abs() < 1e-12);
    }

    #[test]
    fn no_smoothing_changes_nothing() {
        assert_eq!(smooth(&each(&[1.0, 3.0, 0.0]), 0.0), [1.0, 3.0, 0.0]);
    }

    #[test]
    fn a_stretch_counts_as_much_as_its_measurements() {
        let mut values = vec![2.0; 40];
        values.extend([1.0; 64]);
        let one_by_one = smooth(&each(&values), 0.9);
        let mut stretches = each(&values[..40]);
        stretches.push((103, 1.0));
        let at_once = smooth(&stretches, 0.9);
        assert!((one_by_one[103] - at_once[40]).abs() < 1e-12);
    }

    #[test]
    fn a_value_that_is_no_number_spoils_nothing() {
        let smoothed = smooth(&each(&[1.0, f64::NAN, 1.0]), 0.6);
        assert!(smoothed[1].is_nan());
        assert!((smoothed[2] - 1.0).abs() < 1e-12);
    }
}
