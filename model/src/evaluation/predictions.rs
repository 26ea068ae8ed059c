//! What the network said to each image: ten probabilities, the answer, the label.

use half::f16;

use super::answer;
use crate::spec::CLASSES;

/// What the byte form starts with; the last byte is its version.
const MAGIC: [u8; 8] = *b"KILNPRD\x01";
/// The magic bytes and the number of images, 32 bits.
const HEADER_BYTES: usize = MAGIC.len() + 4;
/// Probabilities kept of an image: all but the answer's, which is what they leave of 1.
const KEPT: usize = CLASSES - 1;
/// Bytes of an image: label and answer, four bits each, and 16 bits a probability.
const ROW_BYTES: usize = 1 + 2 * KEPT;

/// Why there are no predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredictionsError {
    /// A logit is infinite or no number, as after a run that diverged.
    #[error("the network's answer to image {image} is not a number")]
    NotFinite {
        /// The image, counted from 0.
        image: usize,
    },
    /// A label that is no digit.
    #[error("label {label} of image {image} is not a digit from 0 to 9")]
    Label {
        /// The label.
        label: u8,
        /// Its image, counted from 0.
        image: usize,
    },
    /// Fewer rows of logits than labels.
    #[error("{logits} logits are too few for {labels} images with {CLASSES} each")]
    TooFew {
        /// Logits given.
        logits: usize,
        /// Labels given.
        labels: usize,
    },
    /// Bytes that hold no predictions, or those of another version.
    #[error("the bytes do not start as saved predictions of version 1 do")]
    Magic,
    /// Bytes that end early or go on too long.
    #[error("the saved predictions have {found} bytes, not {expected}")]
    Length {
        /// Bytes there are.
        found: usize,
        /// Bytes that the header promises, or that a header has.
        expected: usize,
    },
    /// An image whose classes or probabilities cannot be.
    #[error("the saved prediction for image {image} is damaged")]
    Damaged {
        /// The image, counted from 0.
        image: usize,
    },
}

/// What the network said to one image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The digit it is, 0 to 9.
    pub label: u8,
    /// The digit it was taken for, 0 to 9: what [`answer`] gives for the logits.
    pub answer: u8,
    /// The probability of each class, 0 to 1; together exactly 1.
    pub probabilities: [f32; CLASSES],
}

impl Prediction {
    /// Whether the answer is right.
    pub fn is_right(&self) -> bool {
        self.answer == self.label
    }

    /// The probability of the answer, 0 to 1. As the others are rounded, it can be below one of
    /// them by their rounding, at most 0.0005 each.
    pub fn confidence(&self) -> f32 {
        self.probabilities[usize::from(self.answer)]
    }
}

/// What the network said to every image of a split, in the order of its images.
///
/// An image takes 19 bytes, so 50 evaluations of 10,000 images take 9.5 MB. Nine probabilities are
/// kept as 16-bit floats. The answer's is what they leave of 1: they are small, so it comes out
/// finer near 1 than 16 bits could say it. All 16-bit floats up to 1 are whole multiples of 2⁻²⁴,
/// and so is their difference from 1: as 32-bit floats all ten are exact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predictions {
    rows: Vec<[u8; ROW_BYTES]>,
}

impl Predictions {
    /// Adds the answers to as many images as there are labels, after those added before.
    ///
    /// `logits` is row-major, `[images, 10]`; rows beyond the labels (padding) are left out. The
    /// softmax is worked out in 64 bits, from the largest logit so that nothing overflows.
    ///
    /// # Errors
    /// Fewer rows than labels, a label above 9, a logit that is not finite. Nothing is then added.
    pub fn add(&mut self, logits: &[f32], labels: &[u8]) -> Result<(), PredictionsError> {
        let (logit_rows, _) = logits.as_chunks::<CLASSES>();
        if logit_rows.len() < labels.len() {
            return Err(PredictionsError::TooFew {
                logits: logits.len(),
                labels: labels.len(),
            });
        }
        let before = self.rows.len();
        for (logits, label) in logit_rows.iter().zip(labels) {
            let image = self.rows.len();
            let row = if usize::from(*label) >= CLASSES {
                Err(PredictionsError::Label {
                    label: *label,
                    image,
                })
            } else if logits.iter().all(|logit| logit.is_finite()) {
                Ok(row(logits, *label))
            } else {
                Err(PredictionsError::NotFinite { image })
            };
            match row {
                Ok(row) => self.rows.push(row),
                Err(error) => {
                    self.rows.truncate(before);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What was said to an image, if there is one of that index.
    pub fn get(&self, image: usize) -> Option<Prediction> {
        self.rows.get(image).map(prediction)
    }

    /// What was said to each image, in order.
    pub fn iter(&self) -> impl Iterator<Item = Prediction> {
        self.rows.iter().map(prediction)
    }

    /// The byte form: 8 bytes of magic with the version, the number of images (32 bits,
    /// little-endian), then 19 bytes an image.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + ROW_BYTES * self.rows.len());
        bytes.extend(MAGIC);
        bytes.extend((self.rows.len() as u32).to_le_bytes());
        bytes.extend(self.rows.as_flattened());
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// Bytes of another kind, version or length, or an image whose classes are no digits or whose
    /// probabilities are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PredictionsError> {
        let length = |expected| PredictionsError::Length {
            found: bytes.len(),
            expected,
        };
        let (header, body) = bytes
            .split_first_chunk::<HEADER_BYTES>()
            .ok_or_else(|| length(HEADER_BYTES))?;
        let [magic @ .., a, b, c, d] = header;
        if *magic != MAGIC {
            return Err(PredictionsError::Magic);
        }
        let images = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let expected = images.saturating_mul(ROW_BYTES);
        if body.len() != expected {
            return Err(length(expected.saturating_add(HEADER_BYTES)));
        }
        let (rows, _) = body.as_chunks::<ROW_BYTES>();
        match rows.iter().position(|row| !is_sound(row)) {
            Some(image) => Err(PredictionsError::Damaged { image }),
            None => Ok(Self {
                rows: rows.to_vec(),
            }),
        }
    }
}

fn row(logits: &[f32; CLASSES], label: u8) -> [u8; ROW_BYTES] {
    let answer = answer(logits);
    let largest = f64::from(logits[answer]);
    let exponentials = logits.map(|logit| (f64::from(logit) - largest).exp());
    let sum: f64 = exponentials.iter().sum();
    let mut row = [0; ROW_BYTES];
    row[0] = label << 4 | answer as u8;
    let others = (0..CLASSES).filter(|class| *class != answer);
    for (kept, class) in row[1..].as_chunks_mut::<2>().0.iter_mut().zip(others) {
        // By way of 32 bits: without hardware for it, `f16::from_f64` drops half of the bits before
        // it rounds, and the platforms would differ.
        let probability = (exponentials[class] / sum) as f32;
        *kept = f16::from_f32(probability).to_le_bytes();
    }
    row
}

fn classes(row: &[u8; ROW_BYTES]) -> (u8, u8) {
    (row[0] >> 4, row[0] & 0xf)
}

fn others(row: &[u8; ROW_BYTES]) -> impl Iterator<Item = f32> {
    let (kept, _) = row[1..].as_chunks::<2>();
    kept.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32())
}

fn is_sound(row: &[u8; ROW_BYTES]) -> bool {
    let (label, answer) = classes(row);
    let digits = usize::from(label.max(answer)) < CLASSES;
    digits && others(row).all(|probability| (0.0..=1.0).contains(&probability)) && rest(row) >= 0.0
}

/// The answer's probability: what the others leave of 1.
fn rest(row: &[u8; ROW_BYTES]) -> f32 {
    others(row).fold(1.0, |rest, probability| rest - probability)
}

fn prediction(row: &[u8; ROW_BYTES]) -> Prediction {
    let (label, answer) = classes(row);
    let mut probabilities = [0.0; CLASSES];
    let classes = (0..CLASSES).filter(|class| *class != usize::from(answer));
    for (class, probability) in classes.zip(others(row)) {
        probabilities[class] = probability;
    }
    probabilities[usize::from(answer)] = rest(row);
    Prediction {
        label,
        answer,
        probabilities,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Predictions {
        let mut logits = [0.0; 3 * CLASSES];
        logits[4] = 9.0;
        logits[CLASSES + 7] = 2.0;
        logits[CLASSES + 8] = 1.5;
        let mut predictions = Predictions::default();
        predictions.add(&logits[..CLASSES], &[4]).unwrap();
        predictions.add(&logits[CLASSES..], &[8, 0]).unwrap();
        predictions
    }

    #[test]
    fn probabilities_are_the_softmax_to_sixteen_bits() {
        let predictions = three();
        assert_eq!(predictions.len(), 3);
        let sure = predictions.get(0).unwrap();
        let sum = 9.0_f64.exp() + 9.0;
        assert_eq!((sure.answer, sure.is_right()), (4, true));
        // Nine roundings, each to 11 bits.
        let rest = 9.0 / sum;
        assert!((f64::from(sure.confidence()) - (1.0 - rest)).abs() < rest / 2048.0);
        let other = f64::from(sure.probabilities[0]);
        assert!((other * sum - 1.0).abs() < 1.0 / 2048.0);
        assert!(!predictions.get(1).unwrap().is_right());
        assert_eq!(predictions.get(3), None);
        for prediction in predictions.iter() {
            assert_eq!(prediction.probabilities.iter().sum::<f32>(), 1.0);
        }
    }

    #[test]
    fn the_answer_outlives_the_rounding() {
        // Apart in 32 bits, equal in 16.
        let mut logits = [-20.0; CLASSES];
        logits[3] = 1.0;
        logits[6] = 1.0 + f32::EPSILON;
        let mut predictions = Predictions::default();
        predictions.add(&logits, &[6]).unwrap();
        let prediction = predictions.get(0).unwrap();
        assert_eq!((prediction.answer, answer(&logits)), (6, 6));
        assert_eq!(prediction.probabilities[3], prediction.probabilities[6]);
    }

    #[test]
    fn far_logits_do_not_overflow() {
        let mut logits = [f32::MIN; CLASSES];
        logits[2] = f32::MAX;
        let mut predictions = Predictions::default();
        predictions.add(&logits, &[2]).unwrap();
        assert_eq!(predictions.get(0).unwrap().confidence(), 1.0);
    }

    #[test]
    fn what_cannot_be_added_leaves_all_as_it_was() {
        let mut predictions = three();
        let before = predictions.clone();
        let mut logits = [0.0; 2 * CLASSES];
        let mut add = |logits: &[f32], labels: &[u8]| predictions.add(logits, labels).unwrap_err();
        assert_eq!(
            add(&logits, &[1, 10]),
            PredictionsError::Label {
                label: 10,
                image: 4
            }
        );
        assert_eq!(
            add(&logits[1..], &[1, 2]),
            PredictionsError::TooFew {
                logits: 19,
                labels: 2
            }
        );
        for broken in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            logits[CLASSES] = broken;
            assert_eq!(
                add(&logits, &[1, 2]),
                PredictionsError::NotFinite { image: 4 }
            );
        }
        assert_eq!(predictions, before);
    }

    #[test]
    fn bytes_bring_the_same_back() {
        for predictions in [three(), Predictions::default()] {
            let bytes = predictions.to_bytes();
            assert_eq!(bytes.len(), 12 + 19 * predictions.len());
            assert_eq!(Predictions::from_bytes(&bytes), Ok(predictions));
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let good = three().to_bytes();
        let altered = |index: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[index] = byte;
            Predictions::from_bytes(&bytes)
        };
        for len in 0..good.len() {
            assert!(matches!(
                Predictions::from_bytes(&good[..len]),
                Err(PredictionsError::Length { found, .. }) if found == len
            ));
        }
        assert_eq!(altered(7, 2), Err(PredictionsError::Magic));
        assert!(matches!(
            altered(11, 255),
            Err(PredictionsError::Length { found: 69, .. })
        ));
        // Label 10; answer 10; a negative probability; one above 1; no number; all ten above 1.
        let second = 12 + 19;
        let sixth_high = second + 2 * 6;
        for (index, byte) in [(second, 0xa0), (second, 0x0a), (sixth_high, 0x80 | 0x2c)]
            .into_iter()
            .chain([0x40, 0x7e, 0x3b].map(|high| (sixth_high, high)))
        {
            assert_eq!(
                altered(index, byte),
                Err(PredictionsError::Damaged { image: 1 }),
                "{byte:#x} at {index}"
            );
        }
    }
}
