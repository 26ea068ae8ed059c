//! Which digits are taken for which.

use super::{Predictions, share};
use crate::spec::CLASSES;

/// Counts of images by what they are (rows) and what they were taken for (columns).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// `[true class][predicted class]`.
    pub counts: [[u32; CLASSES]; CLASSES],
}

impl Confusion {
    /// Counts all images.
    pub fn new(predictions: &Predictions) -> Self {
        let mut confusion = Self::default();
        for prediction in predictions.iter() {
            let row = usize::from(prediction.label);
            confusion.counts[row][usize::from(prediction.answer)] += 1;
        }
        confusion
    }

    /// Images of a class, 0 to 9: the sum of its row.
    pub fn support(&self, class: usize) -> u32 {
        self.counts[class].iter().sum()
    }

    /// Images taken for a class, 0 to 9: the sum of its column.
    pub fn called(&self, class: usize) -> u32 {
        self.counts.iter().map(|row| row[class]).sum()
    }

    /// All images.
    pub fn images(&self) -> u32 {
        self.counts.as_flattened().iter().sum()
    }

    /// Images answered rightly: the sum of the diagonal.
    pub fn correct(&self) -> u32 {
        (0..CLASSES).map(|class| self.counts[class][class]).sum()
    }

    /// Share of right answers, 0 to 1; none over no images.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.correct(), self.images())
    }

    /// Each cell's share of its row, 0 to 1: of the images of a class, how many were taken for
    /// which. None in the row of a class that has no images.
    pub fn row_shares(&self) -> [[Option<f64>; CLASSES]; CLASSES] {
        self.counts
            .map(|row| row.map(|count| share(count, row.iter().sum())))
    }

    /// Each cell's share of its column, 0 to 1: of the images taken for a class, how many are
    /// which. None in the column of a class that no image was taken for.
    pub fn column_shares(&self) -> [[Option<f64>; CLASSES]; CLASSES] {
        let called: [u32; CLASSES] = std::array::from_fn(|class| self.called(class));
        self.counts
            .map(|row| std::array::from_fn(|column| share(row[column], called[column])))
    }
}

/// The images in one cell of the matrix, in order: those of class `label` taken for `answer`.
pub fn images_of(predictions: &Predictions, label: u8, answer: u8) -> Vec<usize> {
    predictions
        .iter()
        .enumerate()
        .filter(|(_, prediction)| (prediction.label, prediction.answer) == (label, answer))
        .map(|(image, _)| image)
        .collect()
}
