//! Two runs on the same images.

use super::{Confusion, Predictions};
use crate::spec::CLASSES;

/// Why two runs cannot be compared image by image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComparisonError {
    /// One run answered more images than the other.
    #[error("run A answered {a} images and run B {b}: they were not scored on the same")]
    Images {
        /// Images of run A.
        a: usize,
        /// Images of run B.
        b: usize,
    },
    /// The labels differ.
    #[error(
        "image {image} is a {a} for run A and a {b} for run B: they were not scored on the same images"
    )]
    Labels {
        /// The first image whose labels differ, counted from 0.
        image: usize,
        /// Its label in run A.
        a: u8,
        /// Its label in run B.
        b: u8,
    },
}

/// How the answers of run A and run B to the same images differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// A's confusion matrix less B's, `[true class][predicted class]`. Each row sums to 0.
    pub difference: [[i64; CLASSES]; CLASSES],
    /// Images that A answered rightly and B wrongly, in order.
    pub only_a_right: Vec<usize>,
    /// Images that B answered rightly and A wrongly, in order.
    pub only_b_right: Vec<usize>,
}

impl Comparison {
    /// Compares image by image.
    ///
    /// # Errors
    /// Runs that answered different numbers of images, or images with other labels.
    pub fn new(a: &Predictions, b: &Predictions) -> Result<Self, ComparisonError> {
        if a.len() != b.len() {
            return Err(ComparisonError::Images {
                a: a.len(),
                b: b.len(),
            });
        }
        let (mut only_a_right, mut only_b_right) = (Vec::new(), Vec::new());
        for (image, (a, b)) in a.iter().zip(b.iter()).enumerate() {
            if a.label != b.label {
                return Err(ComparisonError::Labels {
                    image,
                    a: a.label,
                    b: b.label,
                });
            }
            match (a.is_right(), b.is_right()) {
                (true, false) => only_a_right.push(image),
                (false, true) => only_b_right.push(image),
                _ => {}
            }
        }
        let (a, b) = (Confusion::new(a).counts, Confusion::new(b).counts);
        Ok(Self {
            difference: std::array::from_fn(|row| {
                std::array::from_fn(|column| i64::from(a[row][column]) - i64::from(b[row][column]))
            }),
            only_a_right,
            only_b_right,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of `labels` that are answered with `answers`.
    fn predictions(labels: &[u8], answers: &[usize]) -> Predictions {
        let mut predictions = Predictions::default();
        for (label, answer) in labels.iter().zip(answers) {
            let mut logits = [0.0; CLASSES];
            logits[*answer] = 4.0;
            predictions.add(&logits, &[*label]).unwrap();
        }
        predictions
    }

    #[test]
    fn each_cell_and_image_is_compared() {
        let labels = [1, 1, 7, 7, 7];
        let a = predictions(&labels, &[1, 1, 1, 7, 2]);
        let b = predictions(&labels, &[1, 7, 7, 1, 3]);
        let comparison = Comparison::new(&a, &b).unwrap();
        assert_eq!(comparison.only_a_right, [1, 3]);
        assert_eq!(comparison.only_b_right, [2]);
        assert_eq!(comparison.difference[1], [0, 1, 0, 0, 0, 0, 0, -1, 0, 0]);
        assert_eq!(comparison.difference[7], [0, 0, 1, -1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn other_images_are_refused() {
        let a = predictions(&[1, 2, 3], &[0, 0, 0]);
        assert_eq!(
            Comparison::new(&a, &predictions(&[1, 2], &[0, 0])),
            Err(ComparisonError::Images { a: 3, b: 2 })
        );
        assert_eq!(
            Comparison::new(&a, &predictions(&[1, 4, 3], &[0, 0, 0])),
            Err(ComparisonError::Labels {
                image: 1,
                a: 2,
                b: 4
            })
        );
    }
}
