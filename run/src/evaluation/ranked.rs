//! All that follows from the order of the scores, ready to be drawn.

use kiln_model::evaluation::{
    Confusion, CurvePoint, Predictions, Ranking, Report, corners, macro_roc,
};
use kiln_model::spec::CLASSES;
use serde::{Deserialize, Serialize};

use super::curves::{Window, path};

/// Curves and measures of an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranked {
    /// The precision–recall curve of each class against the rest, as the path of a drawing; none where
    /// no images are of the class.
    pub precision_recall: [Option<String>; CLASSES],
    /// The ROC curve of each class against the rest; none where all images or no images are of it.
    pub roc: [Option<Roc>; CLASSES],
    /// Their mean.
    pub macro_roc: Option<Roc>,
    /// All classes in one.
    pub micro: Micro,
    /// The measures of every class.
    pub report: Report,
}

/// All classes in one: ten scores for each image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Micro {
    /// The ROC curve.
    pub roc: Option<Roc>,
    /// The area under it.
    pub auroc: Option<f64>,
    /// The precision–recall curve as the path of a drawing.
    pub precision_recall: Option<String>,
    /// What it comes to.
    pub average_precision: Option<f64>,
}

/// A ROC curve as the path of a drawing, for each part of the plane that can be in sight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roc {
    whole: String,
    corner: String,
}

impl Roc {
    fn of(curve: &[CurvePoint]) -> Self {
        Self {
            whole: path(curve, Window::Whole),
            corner: path(curve, Window::Corner),
        }
    }

    /// The path in a drawing of [`super::curves::UNITS`].
    pub fn within(&self, window: Window) -> &str {
        match window {
            Window::Whole => &self.whole,
            Window::Corner => &self.corner,
        }
    }
}

impl Micro {
    fn of(ranking: &Ranking) -> Self {
        Self {
            roc: ranking.roc().map(|curve| Roc::of(&corners(&curve))),
            auroc: ranking.auroc(),
            precision_recall: precision_recall(ranking),
            average_precision: ranking.average_precision(),
        }
    }
}

impl Ranked {
    /// Works it all out, which takes some 30 ms of 10,000 images.
    pub fn new(predictions: &Predictions) -> Self {
        let classes: [Ranking; CLASSES] =
            std::array::from_fn(|class| Ranking::of_class(predictions, class));
        let curves = classes
            .each_ref()
            .map(|ranking| ranking.roc().as_deref().map(corners));
        let all: Vec<Vec<CurvePoint>> = curves.iter().flatten().cloned().collect();
        Self {
            precision_recall: classes.each_ref().map(precision_recall),
            roc: curves.map(|curve| curve.as_deref().map(Roc::of)),
            macro_roc: macro_roc(&all).as_deref().map(Roc::of),
            micro: Micro::of(&Ranking::pooled(&classes)),
            report: Report::of(&Confusion::new(predictions), &classes),
        }
    }

    /// The class with the lowest F1; the first of equals.
    pub fn weakest(&self) -> usize {
        let f1 = |class: &usize| self.report.classes[*class].f1.unwrap_or(f64::INFINITY);
        (0..CLASSES)
            .min_by(|a, b| f1(a).total_cmp(&f1(b)))
            .unwrap_or(0)
    }
}

fn precision_recall(ranking: &Ranking) -> Option<String> {
    let curve = ranking.precision_recall()?;
    Some(path(&curve, Window::Whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions() -> Predictions {
        let mut predictions = Predictions::default();
        for image in 0..400_u32 {
            let label = image % 10;
            let mut logits = [0.0; CLASSES];
            logits[label as usize] = (image % 7) as f32;
            logits[(image % 9) as usize] += 3.0;
            predictions.add(&logits, &[label as u8]).unwrap();
        }
        predictions
    }

    #[test]
    fn it_comes_to_what_the_parts_come_to() {
        let predictions = predictions();
        let ranked = Ranked::new(&predictions);
        assert_eq!(ranked.report, Report::new(&predictions));
        let micro = Ranking::micro(&predictions);
        assert_eq!(ranked.micro.auroc, micro.auroc());
        assert_eq!(ranked.micro.average_precision, micro.average_precision());
        let curve = micro.precision_recall().unwrap();
        let drawn = path(&curve, Window::Whole);
        assert_eq!(ranked.micro.precision_recall, Some(drawn));
        let third = Ranking::of_class(&predictions, 3).roc().unwrap();
        let drawn = ranked.roc[3].as_ref().unwrap();
        for window in [Window::Whole, Window::Corner] {
            assert_eq!(drawn.within(window), path(&corners(&third), window));
        }
        let weakest = ranked.report.classes[ranked.weakest()].f1;
        let lowest = ranked.report.classes.iter().filter_map(|class| class.f1);
        assert_eq!(weakest, lowest.min_by(f64::total_cmp));
    }

    #[test]
    fn no_images_are_no_problem() {
        let none = Ranked::new(&Predictions::default());
        assert_eq!((none.weakest(), none.macro_roc), (0, None));
        assert_eq!(none.micro, Micro::default());
    }
}
