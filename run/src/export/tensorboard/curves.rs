//! Precision and recall of each class over the thresholds, as TensorBoard's plugin `pr_curves`
//! takes them.

use kiln_model::evaluation::Predictions;
use kiln_model::spec::CLASSES;

use super::messages::{CurveData, Metadata, Tensor, Value};
use crate::classes::Classes;

/// Thresholds of a curve, evenly from 0 to 1: as many as TensorBoard takes.
const THRESHOLDS: usize = 201;
/// What TensorBoard divides by at least.
const LEAST: f64 = 1e-7;

/// Images by the threshold that they just reach.
type Reached = [f64; THRESHOLDS];

/// The curve of each class, one against the rest.
pub fn values(predictions: &Predictions, names: &Classes) -> Vec<Value> {
    // Of each class, its own images and the others.
    let mut reached = vec![[[0.0; THRESHOLDS]; 2]; CLASSES];
    for prediction in predictions.iter() {
        let classes = reached.iter_mut().zip(prediction.probabilities);
        for (class, (sides, probability)) in classes.enumerate() {
            let is_other = class != usize::from(prediction.label);
            let threshold = f64::from(probability) * (THRESHOLDS - 1) as f64;
            if let Some(count) = sides[usize::from(is_other)].get_mut(threshold as usize) {
                *count += 1.0;
            }
        }
    }
    let curves = reached.iter().enumerate();
    let curves = curves.map(|(class, sides)| {
        // Its tag says which class it is; only other names have more to say.
        let name = match names.are_digits() {
            true => String::new(),
            false => format!("{class}: {}", names.name(class)),
        };
        value(class, name, sides)
    });
    curves.collect()
}

fn value(class: usize, display_name: String, [own, others]: &[Reached; 2]) -> Value {
    let data = CurveData {
        num_thresholds: THRESHOLDS as u32,
    };
    Value {
        tag: format!("pr_curve/class_{class}"),
        tensor: Some(Tensor::new(&[6, THRESHOLDS], table(own, others))),
        metadata: Some(Metadata {
            display_name,
            ..Metadata::of_plugin("pr_curves", &data)
        }),
        ..Value::default()
    }
}

/// True positives, false positives, true negatives, false negatives, precision and recall, each at
/// every threshold.
fn table(own: &Reached, others: &Reached) -> Vec<f32> {
    let (called, wrongly) = (from(own), from(others));
    let (positives, negatives) = (own.iter().sum::<f64>(), others.iter().sum::<f64>());
    let rows: [Reached; 6] = [
        called,
        wrongly,
        wrongly.map(|wrong| negatives - wrong),
        called.map(|right| positives - right),
        std::array::from_fn(|at| called[at] / (called[at] + wrongly[at]).max(LEAST)),
        called.map(|right| right / positives.max(LEAST)),
    ];
    rows.as_flattened()
        .iter()
        .map(|figure| *figure as f32)
        .collect()
}

/// How many images reach each threshold: those that just reach it or a higher one.
fn from(reached: &Reached) -> Reached {
    let (mut all, mut sum) = (*reached, 0.0);
    for count in all.iter_mut().rev() {
        sum += *count;
        *count = sum;
    }
    all
}

#[cfg(test)]
mod tests {
    use kiln_model::evaluation::Table;

    use super::*;

    #[test]
    fn a_curve_holds_the_calls_at_each_threshold() {
        let mut predictions = Predictions::default();
        for place in 0..40_u8 {
            let mut logits = [0.0; CLASSES];
            logits[usize::from(place % 7)] = f32::from(place) / 4.0;
            predictions.add(&logits, &[place % 3]).unwrap();
        }
        let values = values(&predictions, &Classes::default());
        assert_eq!(values.len(), CLASSES);
        assert_eq!(values[2].tag, "pr_curve/class_2");
        for (class, value) in values.iter().enumerate() {
            let tensor = value.tensor.as_ref().unwrap();
            let shape = tensor.tensor_shape.as_ref().unwrap().dim.iter();
            assert_eq!(shape.map(|axis| axis.size).collect::<Vec<_>>(), [6, 201]);
            let at =
                |row: usize, threshold: usize| f64::from(tensor.float_val[201 * row + threshold]);
            for threshold in 0..THRESHOLDS {
                let table = Table::at(&predictions, class, threshold as f64 / 200.0);
                let counts = [
                    table.true_positives,
                    table.false_positives,
                    table.true_negatives,
                    table.false_negatives,
                ];
                assert_eq!(
                    [0, 1, 2, 3].map(|row| at(row, threshold)),
                    counts.map(f64::from)
                );
                let shares = [table.precision(), table.recall()];
                for (row, share) in shares.into_iter().enumerate() {
                    assert!((at(4 + row, threshold) - share.unwrap_or(0.0)).abs() < 1e-7);
                }
            }
        }
    }
}
