//! How good the network's answers are.
//!
//! A [`Tally`] sums loss and accuracy while a run goes on. [`Predictions`] keeps what was answered
//! to each image, and all that the page shows of one evaluation is worked out from it:
//! [`Confusion`], [`Report`], the curves of a [`Ranking`], [`Calibration`], [`confident_mistakes`],
//! and against a second run [`Comparison`].
//!
//! What the network answers is settled once, by [`answer`] from the logits, and kept beside the
//! probabilities: rounding them can make two equal, and must not change an accuracy.

mod calibration;
mod comparison;
mod confusion;
mod mistakes;
mod predictions;
mod ranking;
mod report;
mod tally;

pub use calibration::{BINS, Bin, Calibration};
pub use comparison::{Comparison, ComparisonError};
pub use confusion::{Confusion, images_of};
pub use mistakes::{CONFIDENT_MISTAKES, Mistake, confident_mistakes};
pub use predictions::{Prediction, Predictions, PredictionsError};
pub use ranking::{CurvePoint, Ranking, Table, corners, macro_roc, roc_area};
pub use report::{Measures, Report};
pub use tally::{Tally, answer, cross_entropy};

/// A share of a whole; none of nothing.
fn share(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}
