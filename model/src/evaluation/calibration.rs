//! Whether the network is right as often as it is sure.

use super::{Predictions, share};

/// Equal parts of confidence, 0 to 1.
pub const BINS: usize = 15;

/// The answers of about one confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// How many.
    pub images: u32,
    /// Their mean confidence, 0 to 1; none over no images.
    pub confidence: Option<f64>,
    /// Share of them that is right, 0 to 1; none over no images.
    pub accuracy: Option<f64>,
}

/// Confidence against accuracy, and how far they are apart.
///
/// Bin i of M holds the answers with a confidence above i / M and up to (i + 1) / M, as in Guo et
/// al., “On Calibration of Modern Neural Networks” (2017), section 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The bins, the least sure first.
    pub bins: [Bin; BINS],
    /// The expected calibration error, 0 to 1: how far accuracy and mean confidence are apart in a
    /// bin, averaged over all images. None over no images.
    pub error: Option<f64>,
}

impl Calibration {
    /// Sorts all answers into the bins.
    pub fn new(predictions: &Predictions) -> Self {
        let mut sums = [(0_u32, 0_u32, 0.0); BINS];
        for prediction in predictions.iter() {
            let confidence = f64::from(prediction.confidence());
            // Exact, as confidence has 24 bits. A cast of what is below 0 gives 0.
            let bin = ((confidence * BINS as f64).ceil() - 1.0) as usize;
            let (images, right, sum) = &mut sums[bin.min(BINS - 1)];
            *images += 1;
            *right += u32::from(prediction.is_right());
            *sum += confidence;
        }
        let bins = sums.map(|(images, right, sum)| Bin {
            images,
            confidence: (images > 0).then(|| sum / f64::from(images)),
            accuracy: share(right, images),
        });
        let images = predictions.len() as f64;
        let gaps: f64 = sums
            .iter()
            .map(|(_, right, sum)| (f64::from(*right) - sum).abs())
            .sum();
        Self {
            bins,
            error: (!predictions.is_empty()).then(|| gaps / images),
        }
    }
}
