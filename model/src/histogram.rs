//! How many images each class has, and whether accuracy is a fair measure there.

use crate::spec::CLASSES;

/// Images of each class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// One count for each class, 0 to 9.
    pub counts: [usize; CLASSES],
}

impl Histogram {
    /// Counts `labels`; one that is no digit is left out.
    pub fn new(labels: &[u8]) -> Self {
        let mut counts = [0; CLASSES];
        for label in labels {
            if let Some(count) = counts.get_mut(usize::from(*label)) {
                *count += 1;
            }
        }
        Self { counts }
    }

    /// All images.
    pub fn images(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The share of a class, 0 to 9, of all images, 0 to 1; none over no images.
    pub fn share(&self, class: usize) -> Option<f64> {
        let images = self.images();
        (images > 0).then(|| self.counts[class] as f64 / images as f64)
    }

    /// The class with the most images; the first of equals. Its share is the accuracy of always
    /// answering with it.
    pub fn largest(&self) -> usize {
        (1..CLASSES).fold(0, |best, class| {
            if self.counts[class] > self.counts[best] {
                class
            } else {
                best
            }
        })
    }

    /// The class with the fewest images; the first of equals.
    pub fn smallest(&self) -> usize {
        (1..CLASSES).fold(0, |best, class| {
            if self.counts[class] < self.counts[best] {
                class
            } else {
                best
            }
        })
    }

    /// Whether accuracy is a fair measure: every class has at least half as many images as the
    /// largest. The line is Kiln's own; beyond it, a class can be answered badly with little harm
    /// to the accuracy.
    pub fn accuracy_is_fair(&self) -> bool {
        self.images() > 0 && 2 * self.counts[self.smallest()] >= self.counts[self.largest()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_counted() {
        let histogram = Histogram::new(&[1, 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10]);
        assert_eq!(histogram.counts, [1, 2, 1, 1, 1, 1, 1, 1, 1, 2]);
        assert_eq!(histogram.images(), 12);
        assert_eq!(histogram.share(9), Some(2.0 / 12.0));
        assert_eq!((histogram.largest(), histogram.smallest()), (1, 0));
        assert!(histogram.accuracy_is_fair());
    }

    #[test]
    fn accuracy_is_not_fair_where_a_class_is_rare() {
        assert!(!Histogram::new(&[0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).accuracy_is_fair());
        assert!(!Histogram::default().accuracy_is_fair());
        assert_eq!(Histogram::default().share(0), None);
    }
}
