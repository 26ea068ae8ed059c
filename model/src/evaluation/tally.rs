//! Loss and accuracy, summed while logits arrive.

use serde::{Deserialize, Serialize};

use crate::spec::CLASSES;

/// Sums over the images answered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    images: usize,
    correct: usize,
    loss_sum: f64,
}

impl Tally {
    /// Adds the answers to as many images as there are labels.
    ///
    /// `logits` is row-major, `[images, 10]`; rows beyond the labels (padding) are left out.
    pub fn add(&mut self, logits: &[f32], labels: &[u8]) {
        for (row, label) in logits.chunks_exact(CLASSES).zip(labels) {
            self.images += 1;
            self.correct += usize::from(answer(row) == usize::from(*label));
            self.loss_sum += cross_entropy(row, usize::from(*label));
        }
    }

    /// Images counted.
    pub fn images(&self) -> usize {
        self.images
    }

    /// Images answered rightly.
    pub fn correct(&self) -> usize {
        self.correct
    }

    /// Mean softmax cross-entropy in nats; NaN over no images.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.images as f64
    }

    /// Share of right answers, 0 to 1; NaN over no images.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.images as f64
    }
}

/// The class with the largest logit; the first of equals.
pub fn answer(logits: &[f32]) -> usize {
    let mut best = 0;
    for (class, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = class;
        }
    }
    best
}

/// −ln softmax(logits)\[label\], computed from the largest logit so that nothing overflows. The
/// powers and the logarithm are those of the crate `libm`, which are the same on any platform.
pub fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    if logits.iter().any(|logit| logit.is_nan()) {
        return f64::NAN;
    }
    let largest = logits
        .iter()
        .fold(f64::NEG_INFINITY, |most, logit| most.max(f64::from(*logit)));
    let sum: f64 = logits
        .iter()
        .map(|logit| libm::exp(f64::from(*logit) - largest))
        .sum();
    largest + libm::log(sum) - f64::from(logits[label])
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVEN: [f32; CLASSES] = [0.0; CLASSES];

    #[test]
    fn even_logits_lose_the_logarithm_of_ten() {
        assert!((cross_entropy(&EVEN, 3) - 10.0_f64.ln()).abs() < 1e-12);
        assert_eq!(answer(&EVEN), 0);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let mut logits = EVEN;
        logits[4] = 1e4;
        assert_eq!(cross_entropy(&logits, 4), 0.0);
        assert_eq!(cross_entropy(&logits, 5), 1e4);
    }

    #[test]
    fn a_broken_logit_shows() {
        for broken in [f32::NAN, f32::INFINITY] {
            let mut logits = EVEN;
            logits[4] = broken;
            assert!(!cross_entropy(&logits, 4).is_finite(), "{broken}");
        }
    }

    #[test]
    fn padding_does_not_count() {
        let mut logits = [EVEN; 3].concat();
        logits[7] = 9.0;
        logits[10 + 2] = 9.0;
        let mut tally = Tally::default();
        tally.add(&logits, &[7, 1]);
        assert_eq!((tally.images(), tally.correct()), (2, 1));
        assert_eq!(tally.accuracy(), 0.5);
    }
}
