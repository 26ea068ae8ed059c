//! All that follows from the order of the scores, worked out in pieces.

use kiln_model::evaluation::{
    Confusion, CurvePoint, Predictions, Ranking, Report, corners, macro_roc,
};
use kiln_model::spec::CLASSES;

/// Rankings of an evaluation, with their curves and measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Each class against the rest.
    pub classes: [Ranking; CLASSES],
    /// The ROC curve of each class; none where all images or no images are of it.
    pub roc: [Option<Vec<CurvePoint>>; CLASSES],
    /// Their mean.
    pub macro_roc: Option<Vec<CurvePoint>>,
    /// All classes in one.
    pub micro: Micro,
    /// The measures of every class.
    pub report: Report,
}

/// All classes in one: ten scores for each image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Micro {
    /// The ROC curve.
    pub roc: Option<Vec<CurvePoint>>,
    /// The area under it.
    pub auroc: Option<f64>,
    /// The precision–recall curve.
    pub precision_recall: Option<Vec<CurvePoint>>,
    /// What it comes to.
    pub average_precision: Option<f64>,
}

impl Micro {
    /// Works it out alone, as [`Ranked::work_out`] does.
    pub async fn work_out(
        predictions: &Predictions,
        pause: impl AsyncFn() -> bool,
    ) -> Option<Self> {
        let classes = rankings(predictions, &pause).await?;
        Some(Self::of(&classes))
    }

    fn of(classes: &[Ranking]) -> Self {
        let ranking = Ranking::pooled(classes);
        Self {
            roc: ranking.roc().as_deref().map(corners),
            auroc: ranking.auroc(),
            precision_recall: ranking.precision_recall(),
            average_precision: ranking.average_precision(),
        }
    }
}

impl Ranked {
    /// Works it all out. Between two pieces `pause` lets others have a turn; nothing comes of it
    /// once that says that nobody waits any more.
    pub async fn work_out(
        predictions: &Predictions,
        pause: impl AsyncFn() -> bool,
    ) -> Option<Self> {
        let classes = rankings(predictions, &pause).await?;
        let report = Report::of(&Confusion::new(predictions), &classes);
        let roc = classes
            .each_ref()
            .map(|ranking| ranking.roc().as_deref().map(corners));
        if !pause().await {
            return None;
        }
        let curves: Vec<Vec<CurvePoint>> = roc.iter().flatten().cloned().collect();
        let macro_roc = macro_roc(&curves);
        if !pause().await {
            return None;
        }
        Some(Self {
            micro: Micro::of(&classes),
            classes,
            roc,
            macro_roc,
            report,
        })
    }

    /// The class with the lowest F1; the first of equals.
    pub fn weakest(&self) -> usize {
        let f1 = |class: &usize| self.report.classes[*class].f1.unwrap_or(f64::INFINITY);
        (0..CLASSES)
            .min_by(|a, b| f1(a).total_cmp(&f1(b)))
            .unwrap_or(0)
    }
}

/// Each class against the rest, one at a time.
async fn rankings(
    predictions: &Predictions,
    pause: &impl AsyncFn() -> bool,
) -> Option<[Ranking; CLASSES]> {
    let mut rankings = Vec::with_capacity(CLASSES);
    for class in 0..CLASSES {
        rankings.push(Ranking::of_class(predictions, class));
        if !pause().await {
            return None;
        }
    }
    rankings.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// What a future that never waits comes to.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

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
        let pieces = Cell::new(0);
        let ranked = now(Ranked::work_out(&predictions, async || {
            pieces.set(pieces.get() + 1);
            true
        }))
        .unwrap();
        assert_eq!(pieces.get(), CLASSES + 2);
        assert_eq!(ranked.report, Report::new(&predictions));
        let micro = Ranking::micro(&predictions);
        assert_eq!(ranked.micro.auroc, micro.auroc());
        assert_eq!(ranked.micro.average_precision, micro.average_precision());
        let alone = now(Micro::work_out(&predictions, async || true));
        assert_eq!(alone.as_ref(), Some(&ranked.micro));
        let weakest = ranked.report.classes[ranked.weakest()].f1;
        let lowest = ranked.report.classes.iter().filter_map(|class| class.f1);
        assert_eq!(weakest, lowest.min_by(f64::total_cmp));
    }

    #[test]
    fn nothing_comes_of_it_when_nobody_waits() {
        assert_eq!(now(Ranked::work_out(&predictions(), async || false)), None);
    }

    #[test]
    fn no_images_are_no_problem() {
        let none = now(Ranked::work_out(&Predictions::default(), async || true)).unwrap();
        assert_eq!((none.weakest(), none.macro_roc), (0, None));
        assert_eq!(none.micro, Micro::default());
    }
}
