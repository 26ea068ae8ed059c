//! Each class by itself, and the means over all.

use serde::{Deserialize, Serialize};

use super::{Confusion, Predictions, Ranking, share};
use crate::spec::CLASSES;

/// How good the answers are for one class, or on average; each from 0 to 1, and none where it
/// would be 0/0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Of the images taken for the class, how many are of it.
    pub precision: Option<f64>,
    /// Of the images of the class, how many were taken for it.
    pub recall: Option<f64>,
    /// 2 TP / (2 TP + FP + FN), the harmonic mean of the two.
    pub f1: Option<f64>,
    /// [`Ranking::auroc`].
    pub auroc: Option<f64>,
    /// [`Ranking::average_precision`].
    pub average_precision: Option<f64>,
}

/// The measures of every class and their means.
///
/// A mean is taken over the classes that have the measure: what shows no number counts for none.
/// scikit-learn does so for precision, recall and F1 with `zero_division=nan`; by default it takes
/// a 0 instead, which makes the mean precision lower where a class is never answered. A class
/// without images has no recall, AUROC or average precision, and no F1 unless some image was taken
/// for it; scikit-learn refuses the AUROC of several classes there, and has 0 for the average
/// precision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Images of each class.
    pub support: [u32; CLASSES],
    /// The measures of each class.
    pub classes: [Measures; CLASSES],
    /// Their means, each class counting once.
    pub macro_mean: Measures,
    /// Their means, each class counting as often as it has images; once where those that have the
    /// measure have no images at all.
    pub weighted_mean: Measures,
}

impl Report {
    /// Measures every class.
    pub fn new(predictions: &Predictions) -> Self {
        let rankings = std::array::from_fn(|class| Ranking::of_class(predictions, class));
        Self::of(&Confusion::new(predictions), &rankings)
    }

    /// The same, from what is counted and ranked already.
    pub fn of(confusion: &Confusion, rankings: &[Ranking; CLASSES]) -> Self {
        let support = std::array::from_fn(|class| confusion.support(class));
        let classes = std::array::from_fn(|class| {
            let right = confusion.counts[class][class];
            let called = confusion.called(class);
            let ranking = &rankings[class];
            Measures {
                precision: share(right, called),
                recall: share(right, support[class]),
                f1: share(2 * right, called + support[class]),
                auroc: ranking.auroc(),
                average_precision: ranking.average_precision(),
            }
        });
        Self {
            support,
            macro_mean: means(&classes, &[1; CLASSES]),
            weighted_mean: means(&classes, &support),
            classes,
        }
    }
}

fn means(classes: &[Measures; CLASSES], weights: &[u32; CLASSES]) -> Measures {
    let mean =
        |measure: fn(&Measures) -> Option<f64>| mean(&classes.each_ref().map(measure), weights);
    Measures {
        precision: mean(|class| class.precision),
        recall: mean(|class| class.recall),
        f1: mean(|class| class.f1),
        auroc: mean(|class| class.auroc),
        average_precision: mean(|class| class.average_precision),
    }
}

fn mean(values: &[Option<f64>; CLASSES], weights: &[u32; CLASSES]) -> Option<f64> {
    let (mut weighted, mut weight_sum) = (0.0, 0.0);
    let (mut plain, mut count) = (0.0, 0.0);
    for (value, weight) in values.iter().zip(weights) {
        if let Some(value) = value {
            weighted += value * f64::from(*weight);
            weight_sum += f64::from(*weight);
            plain += value;
            count += 1.0;
        }
    }
    if weight_sum > 0.0 {
        Some(weighted / weight_sum)
    } else {
        (count > 0.0).then(|| plain / count)
    }
}
