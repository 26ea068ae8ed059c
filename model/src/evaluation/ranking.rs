//! Images by falling score, and the curves and measures that follow from their order.

use super::{Predictions, share};
use crate::spec::CLASSES;

/// How many images are called the class at a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Level {
    threshold: f32,
    true_positives: u32,
    false_positives: u32,
}

/// Right and wrong calls at every threshold that makes a difference.
///
/// An image is called the class where its score is at least the threshold. Images of equal score
/// are called together, so their order among themselves never counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    positives: u32,
    negatives: u32,
    /// By falling threshold; the last calls all.
    levels: Vec<Level>,
}

/// A point of a curve, drawn from the strictest threshold to the loosest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// False-positive rate (ROC) or recall (precision–recall), 0 to 1.
    pub x: f64,
    /// True-positive rate (ROC) or precision (precision–recall), 0 to 1.
    pub y: f64,
    /// The score from which images are called, 0 to 1; none where none is called, and none where
    /// the curve is a mean.
    pub threshold: Option<f32>,
}

/// The calls at one threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Images of the class that are called it.
    pub true_positives: u32,
    /// Other images that are called it.
    pub false_positives: u32,
    /// Images of the class that are missed.
    pub false_negatives: u32,
    /// Other images that are not called it.
    pub true_negatives: u32,
}

impl Table {
    /// The calls where a probability of at least `threshold` makes an image a `class`, 0 to 9.
    pub fn at(predictions: &Predictions, class: usize, threshold: f64) -> Self {
        let mut table = Self::default();
        for prediction in predictions.iter() {
            let is_called = f64::from(prediction.probabilities[class]) >= threshold;
            let count = match (usize::from(prediction.label) == class, is_called) {
                (true, true) => &mut table.true_positives,
                (false, true) => &mut table.false_positives,
                (true, false) => &mut table.false_negatives,
                (false, false) => &mut table.true_negatives,
            };
            *count += 1;
        }
        table
    }

    /// Of the images called, how many are of the class, 0 to 1; none where none is called.
    pub fn precision(&self) -> Option<f64> {
        share(
            self.true_positives,
            self.true_positives + self.false_positives,
        )
    }

    /// Of the images of the class, how many are called, 0 to 1; none where there are none.
    pub fn recall(&self) -> Option<f64> {
        share(
            self.true_positives,
            self.true_positives + self.false_negatives,
        )
    }
}

impl Ranking {
    /// All images by the probability of `class`, 0 to 9: one against the rest.
    pub fn of_class(predictions: &Predictions, class: usize) -> Self {
        let scores = predictions.iter().map(|prediction| {
            let positive = usize::from(prediction.label) == class;
            let probability = prediction.probabilities[class];
            (probability, u32::from(positive), u32::from(!positive))
        });
        Self::new(scores.collect())
    }

    /// Ten for each image: every class that it might be, by its probability (“micro”).
    pub fn micro(predictions: &Predictions) -> Self {
        let classes: [Self; CLASSES] =
            std::array::from_fn(|class| Self::of_class(predictions, class));
        Self::pooled(&classes)
    }

    /// All that is in these rankings in one. Of the ten classes' rankings it makes what
    /// [`Self::micro`] makes, and sooner.
    pub fn pooled(rankings: &[Self]) -> Self {
        let calls = rankings.iter().flat_map(|ranking| {
            let mut before = (0, 0);
            ranking.levels.iter().map(move |level| {
                let (right, wrong) = before;
                before = (level.true_positives, level.false_positives);
                (level.threshold, before.0 - right, before.1 - wrong)
            })
        });
        Self::new(calls.collect())
    }

    /// From scores, each with how many images of the class have it, and how many others.
    fn new(mut scores: Vec<(f32, u32, u32)>) -> Self {
        // What is in order already, piece by piece, is merged and not sorted again.
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut positives, mut negatives) = (0, 0);
        let levels = scores
            .chunk_by(|a, b| a.0 == b.0)
            .map(|equal| {
                positives += equal.iter().map(|(_, right, _)| right).sum::<u32>();
                negatives += equal.iter().map(|(_, _, wrong)| wrong).sum::<u32>();
                Level {
                    threshold: equal[0].0,
                    true_positives: positives,
                    false_positives: negatives,
                }
            })
            .collect();
        Self {
            positives,
            negatives,
            levels,
        }
    }

    /// True-positive rate over false-positive rate, from (0, 0) to (1, 1), a point for each
    /// threshold; none where all images or no images are of the class. What scikit-learn's
    /// `roc_curve(drop_intermediate=False)` gives.
    pub fn roc(&self) -> Option<Vec<CurvePoint>> {
        let (positives, negatives) = self.both()?;
        let start = CurvePoint {
            x: 0.0,
            y: 0.0,
            threshold: None,
        };
        let points = self.levels.iter().map(|level| CurvePoint {
            x: f64::from(level.false_positives) / negatives,
            y: f64::from(level.true_positives) / positives,
            threshold: Some(level.threshold),
        });
        Some(std::iter::once(start).chain(points).collect())
    }

    /// Precision over recall, from (0, 1) to where all is called, a point for each threshold; none
    /// where no images are of the class. What scikit-learn's `precision_recall_curve` gives, in the
    /// opposite order.
    ///
    /// There is no mean of such curves over classes: a straight line between two of their points
    /// is nothing that a threshold could reach.
    pub fn precision_recall(&self) -> Option<Vec<CurvePoint>> {
        let positives = self.some()?;
        let start = CurvePoint {
            x: 0.0,
            y: 1.0,
            threshold: None,
        };
        let points = self.levels.iter().map(|level| CurvePoint {
            x: f64::from(level.true_positives) / positives,
            y: level.precision(),
            threshold: Some(level.threshold),
        });
        Some(std::iter::once(start).chain(points).collect())
    }

    /// The area under the ROC curve, 0 to 1: the chance that an image of the class scores higher
    /// than another, equals counting half. None where all images or no images are of the class.
    ///
    /// This is the Mann–Whitney statistic with mid-ranks over its largest value, and exact: each
    /// negative beats no positive above it and half of those it equals.
    pub fn auroc(&self) -> Option<f64> {
        let (positives, negatives) = self.both()?;
        let (mut twice, mut above, mut wrong) = (0_u64, 0_u64, 0_u64);
        for level in &self.levels {
            let called = u64::from(level.true_positives);
            let wrongly = u64::from(level.false_positives);
            twice += (wrongly - wrong) * (above + called);
            (above, wrong) = (called, wrongly);
        }
        Some(twice as f64 / 2.0 / (positives * negatives))
    }

    /// Average precision, 0 to 1: the precision at each threshold, weighted by the recall that it
    /// adds. None where no images are of the class.
    pub fn average_precision(&self) -> Option<f64> {
        let positives = self.some()?;
        let (mut sum, mut before) = (0.0, 0);
        for level in &self.levels {
            sum += f64::from(level.true_positives - before) * level.precision();
            before = level.true_positives;
        }
        Some(sum / positives)
    }

    fn some(&self) -> Option<f64> {
        (self.positives > 0).then(|| f64::from(self.positives))
    }

    fn both(&self) -> Option<(f64, f64)> {
        let negatives = (self.negatives > 0).then(|| f64::from(self.negatives))?;
        Some((self.some()?, negatives))
    }
}

impl Level {
    /// A level calls one image at least.
    fn precision(&self) -> f64 {
        f64::from(self.true_positives) / f64::from(self.true_positives + self.false_positives)
    }
}

/// The mean of several ROC curves (“macro”): the true-positive rates, interpolated straight, at
/// every false-positive rate that one of them has; none of no curves.
///
/// This is how scikit-learn's example on multiclass ROC averages. Where a curve rises straight up,
/// the upper end counts, so the first point lies above (0, 0), and the area is a little more than
/// the mean of the curves' areas.
pub fn macro_roc(curves: &[Vec<CurvePoint>]) -> Option<Vec<CurvePoint>> {
    let mut rates: Vec<f64> = curves.iter().flatten().map(|point| point.x).collect();
    rates.sort_unstable_by(f64::total_cmp);
    rates.dedup();
    let count = curves.len() as f64;
    let points = rates.iter().map(|rate| CurvePoint {
        x: *rate,
        y: curves.iter().map(|curve| height(curve, *rate)).sum::<f64>() / count,
        threshold: None,
    });
    (!rates.is_empty()).then(|| points.collect())
}

/// The same curve without the points in the middle of its level and upright stretches: the same
/// line through far fewer points.
pub fn corners(curve: &[CurvePoint]) -> Vec<CurvePoint> {
    let is_corner = |index: usize| {
        let here = &curve[index];
        let (Some(before), Some(after)) = (
            index.checked_sub(1).and_then(|before| curve.get(before)),
            curve.get(index + 1),
        ) else {
            return true;
        };
        let is_level = before.y == here.y && here.y == after.y;
        let is_upright = before.x == here.x && here.x == after.x;
        !is_level && !is_upright
    };
    let kept = (0..curve.len()).filter(|index| is_corner(*index));
    kept.map(|index| curve[index]).collect()
}

/// A curve's height at `x`, by straight lines; 0 before the curve begins.
fn height(curve: &[CurvePoint], x: f64) -> f64 {
    let next = curve.partition_point(|point| point.x <= x);
    let before = next.checked_sub(1).and_then(|index| curve.get(index));
    match (before, curve.get(next)) {
        (Some(before), Some(after)) => {
            before.y + (after.y - before.y) / (after.x - before.x) * (x - before.x)
        }
        (Some(last), None) => last.y,
        (None, _) => 0.0,
    }
}

/// The area under a ROC curve, by trapezoids.
pub fn roc_area(curve: &[CurvePoint]) -> f64 {
    curve
        .windows(2)
        .map(|pair| (pair[1].x - pair[0].x) * (pair[0].y + pair[1].y) / 2.0)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(scores: &[(f32, bool)]) -> Ranking {
        let scores = scores.iter();
        let scores =
            scores.map(|(score, positive)| (*score, u32::from(*positive), u32::from(!*positive)));
        Ranking::new(scores.collect())
    }

    #[test]
    fn a_probability_at_the_threshold_is_called() {
        // Sixes by 0.75 and 0.5, others by 0.5 and 0.25; what is left is a seven's. All are exact in
        // 16 bits, but for the zeros, which are e⁻⁹⁹.
        let mut predictions = Predictions::default();
        for (sixth, label) in [(0.25_f32, 7), (0.75, 6), (0.5, 6), (0.5, 7)] {
            let mut logits = [-99.0; CLASSES];
            logits[6] = sixth.ln();
            logits[7] = (1.0 - sixth).ln();
            predictions.add(&logits, &[label]).unwrap();
        }
        let at = |threshold| Table::at(&predictions, 6, threshold);
        let table = |true_positives, false_positives, false_negatives, true_negatives| Table {
            true_positives,
            false_positives,
            false_negatives,
            true_negatives,
        };
        assert_eq!(at(0.0), table(2, 2, 0, 0));
        assert_eq!(at(0.5), table(2, 1, 0, 1));
        assert_eq!(at(0.51), table(1, 0, 1, 2));
        assert_eq!(at(0.76), table(0, 0, 2, 2));
        assert_eq!(at(f64::NAN), at(2.0));
        assert_eq!(at(0.51).precision(), Some(1.0));
        assert_eq!(at(0.51).recall(), Some(0.5));
        assert_eq!(at(0.76).precision(), None);
        let none = Table::at(&Predictions::default(), 6, 0.0);
        assert_eq!((none.precision(), none.recall()), (None, None));
    }

    #[test]
    fn a_class_that_is_absent_or_alone_has_no_area() {
        let (absent, alone) = (ranking(&[(0.5, false)]), ranking(&[(0.5, true)]));
        assert_eq!((absent.auroc(), alone.auroc()), (None, None));
        assert_eq!((absent.roc(), alone.roc()), (None, None));
        assert_eq!(absent.average_precision(), None);
        assert_eq!(absent.precision_recall(), None);
        assert_eq!(alone.average_precision(), Some(1.0));
        assert_eq!(macro_roc(&[]), None);
    }

    #[test]
    fn the_ranks_give_the_area_under_the_curve() {
        let ranking = ranking(&[
            (0.9, true),
            (0.8, false),
            (0.8, true),
            (0.8, true),
            (0.3, false),
            (0.2, true),
        ]);
        // Of 4 × 2 pairs, 4 are in order and 2 are equal.
        assert_eq!(ranking.auroc(), Some(5.0 / 8.0));
        assert_eq!(roc_area(&ranking.roc().unwrap()), 5.0 / 8.0);
    }

    #[test]
    fn corners_draw_the_same_line() {
        let scores: Vec<(f32, bool)> = (0..200_u32)
            .map(|place| ((place / 2) as f32 / 100.0, place * 7 % 11 < place % 5))
            .collect();
        let curve = ranking(&scores).roc().unwrap();
        let few = corners(&curve);
        assert!(few.len() < curve.len(), "{}", few.len());
        assert_eq!((few.first(), few.last()), (curve.first(), curve.last()));
        assert!((roc_area(&few) - roc_area(&curve)).abs() < 1e-12);
        let other = ranking(&scores[50..]).roc().unwrap();
        let mean = macro_roc(&[curve.clone(), other.clone()]).unwrap();
        let quick = macro_roc(&[few, corners(&other)]).unwrap();
        assert!((roc_area(&mean) - roc_area(&quick)).abs() < 1e-12);
        for point in &mean {
            assert!((height(&quick, point.x) - point.y).abs() < 1e-12);
        }
        assert_eq!(corners(&[]), []);
    }

    #[test]
    fn a_pool_holds_what_its_rankings_hold() {
        let scores = [
            (0.9, true),
            (0.8, false),
            (0.8, true),
            (0.3, false),
            (0.3, true),
        ];
        let parts = [ranking(&scores[..2]), ranking(&scores[2..])];
        assert_eq!(Ranking::pooled(&parts), ranking(&scores));
        assert_eq!(Ranking::pooled(&[]), ranking(&[]));
    }
}
