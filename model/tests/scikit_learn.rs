//! Everything that is measured against scikit-learn: `fixtures/scikit_learn.py` wrote what it
//! computed from the same logits.
#![allow(
    clippy::unwrap_used,
    reason = "a test that finds nothing to unwrap has failed"
)]

use kiln_model::evaluation::{
    BINS, Calibration, Confusion, CurvePoint, Measures, Predictions, Ranking, Report, Table,
    images_of, macro_roc, roc_area,
};
use kiln_model::spec::CLASSES;
use serde_json::Value;

/// Both compute in 64 bits, from the same probabilities to the last bit; sums are in another order.
const TOLERANCE: f64 = 1e-9;

type Measure = fn(&Measures) -> Option<f64>;

const CASES: [&str; 6] = [
    "random",
    "ties",
    "absent",
    "perfect",
    "constant",
    "one_class",
];

struct Case {
    name: &'static str,
    expected: Value,
    thresholds: Vec<f64>,
    predictions: Predictions,
}

fn cases() -> impl Iterator<Item = Case> {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/scikit_learn.json")).unwrap();
    CASES.into_iter().map(move |name| {
        let expected = fixture[name].clone();
        let logits: Vec<f32> = numbers(&expected["logits"])
            .into_iter()
            .map(|logit| logit as f32)
            .collect();
        let labels: Vec<u8> = numbers(&expected["labels"])
            .into_iter()
            .map(|label| label as u8)
            .collect();
        let mut predictions = Predictions::default();
        predictions.add(&logits, &labels).unwrap();
        // What is measured is what was saved.
        let predictions = Predictions::from_bytes(&predictions.to_bytes()).unwrap();
        Case {
            name,
            expected,
            thresholds: numbers(&fixture["thresholds"]),
            predictions,
        }
    })
}

fn numbers(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= TOLERANCE,
        "{what}: {found} instead of {expected}"
    );
}

/// Equal, or both undefined.
fn assert_same(found: Option<f64>, expected: &Value, what: &str) {
    assert_eq!(found.is_some(), expected.is_number(), "{what}: {found:?}");
    if let (Some(found), Some(expected)) = (found, expected.as_f64()) {
        assert_close(found, expected, what);
    }
}

fn assert_all(found: &[f64], expected: &Value, what: &str) {
    let expected = numbers(expected);
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, expected, what);
    }
}

fn assert_curve(found: Option<&[CurvePoint]>, expected: &Value, what: &str) {
    assert_eq!(found.is_some(), expected.is_object(), "{what}");
    let Some(points) = found else { return };
    let column = |of: fn(&CurvePoint) -> f64| Vec::from_iter(points.iter().map(of));
    assert_all(&column(|point| point.x), &expected["x"], what);
    assert_all(&column(|point| point.y), &expected["y"], what);
    if let Some(thresholds) = expected.get("thresholds") {
        assert_eq!(points[0].threshold, None, "{what}");
        let found = points[1..].iter().map(|point| point.threshold.unwrap());
        assert_all(&Vec::from_iter(found.map(f64::from)), thresholds, what);
    }
}

fn assert_ranking(ranking: &Ranking, expected: &Value, what: &str) {
    assert_same(ranking.auroc(), &expected["auroc"], what);
    assert_same(
        ranking.average_precision(),
        &expected["average_precision"],
        what,
    );
    let roc = ranking.roc();
    assert_curve(roc.as_deref(), &expected["roc"], what);
    assert_same(roc.as_deref().map(roc_area), &expected["auroc"], what);
    assert_curve(
        ranking.precision_recall().as_deref(),
        &expected["precision_recall"],
        what,
    );
}

#[test]
fn confusion_matrices_agree() {
    for case in cases() {
        let confusion = Confusion::new(&case.predictions);
        let expected = &case.expected;
        for (row, counts) in confusion.counts.iter().enumerate() {
            let what = format!("{}, row {row}", case.name);
            assert_all(&counts.map(f64::from), &expected["confusion"][row], &what);
            // scikit-learn has 0 where there is nothing to divide by.
            let shares = |shares: [Option<f64>; CLASSES]| shares.map(Option::unwrap_or_default);
            let rows = shares(confusion.row_shares()[row]);
            assert_all(&rows, &expected["row_shares"][row], &what);
            let columns = shares(confusion.column_shares()[row]);
            assert_all(&columns, &expected["column_shares"][row], &what);
            for (column, count) in counts.iter().enumerate() {
                let images = images_of(&case.predictions, row as u8, column as u8);
                assert_eq!(images.len(), *count as usize, "{what}");
                for image in images {
                    let prediction = case.predictions.get(image).unwrap();
                    assert_eq!(usize::from(prediction.label), row, "{what}");
                    assert_eq!(usize::from(prediction.answer), column, "{what}");
                }
            }
        }
        assert_same(confusion.accuracy(), &expected["accuracy"], case.name);
        assert_eq!(confusion.images() as usize, case.predictions.len());
    }
}

#[test]
fn classes_and_their_means_agree() {
    let measures: [(&str, Measure); 5] = [
        ("precision", |measures| measures.precision),
        ("recall", |measures| measures.recall),
        ("f1", |measures| measures.f1),
        ("auroc", |measures| measures.auroc),
        ("average_precision", |measures| measures.average_precision),
    ];
    for case in cases() {
        let report = Report::new(&case.predictions);
        let expected = &case.expected;
        assert_all(
            &report.support.map(f64::from),
            &expected["support"],
            case.name,
        );
        for (name, measure) in measures {
            let what = format!("{} of {}", name, case.name);
            for (class, found) in report.classes.iter().enumerate() {
                let expected = &expected["classes"][name][class];
                assert_same(measure(found), expected, &format!("{what}, class {class}"));
            }
            let means = [&report.macro_mean, &report.weighted_mean];
            for (mean, kind) in means.into_iter().zip(["macro", "weighted"]) {
                let what = format!("{kind} {what}");
                assert_same(measure(mean), &expected[kind][name], &what);
            }
        }
    }
}

#[test]
fn curves_agree() {
    for case in cases() {
        for (class, expected) in case.expected["curves"].as_object().unwrap() {
            let class = class.parse().unwrap();
            let ranking = Ranking::of_class(&case.predictions, class);
            let what = format!("{}, class {class}", case.name);
            assert_ranking(&ranking, expected, &what);
            let tables = expected["tables"].as_array().unwrap();
            assert_eq!(tables.len(), case.thresholds.len(), "{what}");
            for (threshold, expected) in case.thresholds.iter().zip(tables) {
                let table = Table::at(&case.predictions, class, *threshold);
                let found = [
                    table.true_positives,
                    table.false_negatives,
                    table.false_positives,
                    table.true_negatives,
                ];
                assert_all(&found.map(f64::from), expected, &what);
            }
        }
        let what = format!("{}, micro", case.name);
        let micro = Ranking::micro(&case.predictions);
        assert_ranking(&micro, &case.expected["micro"], &what);
    }
}

#[test]
fn the_mean_of_roc_curves_agrees() {
    for case in cases() {
        let curves: Vec<Vec<CurvePoint>> = (0..CLASSES)
            .filter_map(|class| Ranking::of_class(&case.predictions, class).roc())
            .collect();
        let mean = macro_roc(&curves);
        let expected = &case.expected["macro_roc"];
        assert_curve(mean.as_deref(), expected, case.name);
        assert_same(mean.as_deref().map(roc_area), &expected["area"], case.name);
    }
}

#[test]
fn calibration_agrees() {
    for case in cases() {
        let calibration = Calibration::new(&case.predictions);
        let expected = &case.expected["calibration"];
        let counts = calibration.bins.map(|bin| f64::from(bin.images));
        assert_eq!(counts.len(), BINS);
        assert_all(&counts, &expected["counts"], case.name);
        // scikit-learn leaves out the bins that hold nothing.
        let bins = calibration.bins.iter();
        let accuracy = Vec::from_iter(bins.clone().filter_map(|bin| bin.accuracy));
        assert_all(&accuracy, &expected["accuracy"], case.name);
        let confidence = Vec::from_iter(bins.filter_map(|bin| bin.confidence));
        assert_all(&confidence, &expected["confidence"], case.name);
        assert_same(calibration.error, &expected["error"], case.name);
    }
}

#[test]
fn no_images_measure_nothing() {
    let none = Predictions::default();
    assert_eq!(Confusion::new(&none).accuracy(), None);
    let report = Report::new(&none);
    assert_eq!(report.macro_mean, Measures::default());
    assert_eq!(report.weighted_mean, Measures::default());
    assert_eq!(Ranking::micro(&none).auroc(), None);
    assert_eq!(Calibration::new(&none).error, None);
}
