//! Labelled images, and the splits that keep test images out of training.
//!
//! A training step takes a [`TrainingImages`] alone, and only [`Dataset::split`] makes one, out
//! of the training files: a test image has no way in.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::{Config, ValidateOn};
use crate::spec::{CLASSES, IMAGE_SIDE, PIXELS};

/// Why bytes are not the images or labels they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
    /// The first four bytes name another kind of file.
    #[error("the file starts with {found:#010x}, not with {expected:#010x}")]
    Magic {
        /// What the file starts with.
        found: u32,
        /// What a file of this kind starts with.
        expected: u32,
    },
    /// The file ends early or goes on too long.
    #[error("the file has {found} bytes, not {expected}")]
    Length {
        /// Bytes the file has.
        found: usize,
        /// Bytes its header promises.
        expected: usize,
    },
    /// Images of another size.
    #[error("the images are {rows} × {columns} pixels, not 28 × 28")]
    ImageSize {
        /// Rows of an image.
        rows: u32,
        /// Columns of an image.
        columns: u32,
    },
    /// A label that is no digit.
    #[error("label {label} of image {index} is not a digit from 0 to 9")]
    Label {
        /// The label.
        label: u8,
        /// Its image, counted from 0.
        index: usize,
    },
    /// Images and labels do not belong together.
    #[error("there are {images} images but {labels} labels")]
    Counts {
        /// How many images.
        images: usize,
        /// How many labels.
        labels: usize,
    },
}

/// Images and their labels, in file order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// As they came, for they are many: a slice would be a copy.
    pixels: Arc<Vec<u8>>,
    labels: Arc<[u8]>,
    first: usize,
    len: usize,
}

impl Images {
    /// Reads a pair of idx files (magic numbers 2051 and 2049, big-endian counts); the images' becomes
    /// what holds the pixels.
    ///
    /// # Errors
    /// Another magic number, size or count than MNIST's format has, or a label above 9.
    pub fn from_idx(mut images: Vec<u8>, labels: &[u8]) -> Result<Self, DatasetError> {
        let ([count, rows, columns], pixels) = idx::<3>(&images)?;
        let header = images.len() - pixels.len();
        if rows as usize != IMAGE_SIDE || columns as usize != IMAGE_SIDE {
            return Err(DatasetError::ImageSize { rows, columns });
        }
        let ([label_count], labels) = idx::<1>(labels)?;
        if count != label_count {
            return Err(DatasetError::Counts {
                images: count as usize,
                labels: label_count as usize,
            });
        }
        images.drain(..header);
        Self::checked(images, labels.into())
    }

    /// The images of these bytes: 784 pixels each, and their labels.
    ///
    /// # Errors
    /// Other counts of images than of labels, or a label above 9.
    pub fn from_bytes(pixels: Vec<u8>, labels: Vec<u8>) -> Result<Self, DatasetError> {
        if pixels.len() != labels.len() * PIXELS {
            return Err(DatasetError::Counts {
                images: pixels.len() / PIXELS,
                labels: labels.len(),
            });
        }
        Self::checked(pixels, labels.into())
    }

    fn checked(pixels: Vec<u8>, labels: Arc<[u8]>) -> Result<Self, DatasetError> {
        let is_none = |label: &u8| usize::from(*label) >= CLASSES;
        if let Some(index) = labels.iter().position(is_none) {
            return Err(DatasetError::Label {
                label: labels[index],
                index,
            });
        }
        Ok(Self {
            len: labels.len(),
            pixels: Arc::new(pixels),
            labels,
            first: 0,
        })
    }

    /// All pixels, 784 an image, and all labels; [`Images::from_bytes`] makes the same images of
    /// them.
    pub fn bytes(&self) -> (&[u8], &[u8]) {
        let pixels = self.first * PIXELS..(self.first + self.len) * PIXELS;
        (&self.pixels[pixels], self.labels())
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The 784 pixels of an image, 0 to 255, row by row.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let start = (self.first + index) * PIXELS;
        &self.pixels[start..start + PIXELS]
    }

    /// The labels, 0 to 9.
    pub fn labels(&self) -> &[u8] {
        &self.labels[self.first..self.first + self.len]
    }

    /// A part of these images, sharing their memory.
    pub(crate) fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            pixels: Arc::clone(&self.pixels),
            labels: Arc::clone(&self.labels),
            first: self.first + range.start,
            len: range.len(),
        }
    }
}

/// An idx file of unsigned bytes with `N` axes: its axes and its values.
///
/// The format is four numbers and a run of bytes; the published crates read files from a path,
/// which a browser has not.
pub(crate) fn idx<const N: usize>(bytes: &[u8]) -> Result<([u32; N], &[u8]), DatasetError> {
    let number = |index: usize| {
        let word = bytes.get(4 * index..4 * index + 4)?;
        Some(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
    };
    let header = 4 * (N + 1);
    let short = DatasetError::Length {
        found: bytes.len(),
        expected: header,
    };
    let expected = 0x0800 + N as u32;
    let found = number(0).ok_or(short.clone())?;
    if found != expected {
        return Err(DatasetError::Magic { found, expected });
    }
    let mut axes = [0; N];
    for (index, axis) in axes.iter_mut().enumerate() {
        *axis = number(index + 1).ok_or(short.clone())?;
    }
    let expected = axes
        .iter()
        .fold(1, |len: usize, axis| len.saturating_mul(*axis as usize))
        .saturating_add(header);
    if bytes.len() != expected {
        return Err(DatasetError::Length {
            found: bytes.len(),
            expected,
        });
    }
    Ok((axes, &bytes[header..]))
}

/// The images a training step may see.
#[derive(Clone, Debug)]
pub struct TrainingImages(Images);

impl TrainingImages {
    /// The images.
    pub fn images(&self) -> &Images {
        &self.0
    }
}

/// The images a network is measured on while it trains; never trained on.
#[derive(Clone, Debug)]
pub struct ValidationImages(Images);

impl ValidationImages {
    /// The images.
    pub fn images(&self) -> &Images {
        &self.0
    }
}

/// The images a network is scored on, at the end; never trained on.
#[derive(Clone, Debug)]
pub struct TestImages(Images);

impl TestImages {
    /// The images.
    pub fn images(&self) -> &Images {
        &self.0
    }
}

/// Training and test images as they came in their files.
#[derive(Clone, Debug)]
pub struct Dataset {
    training: Images,
    test: TestImages,
    hash: String,
}

/// Which images of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Those it is trained on.
    Training,
    /// Those it is measured on while it trains.
    Validation,
    /// Those it is scored on at the end.
    Test,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Training => "Training",
            Self::Validation => "Validation",
            Self::Test => "Test",
        }
    }
}

impl Split {
    /// The images of a part, to be looked at.
    pub fn part(&self, part: Part) -> &Images {
        match part {
            Part::Training => self.training.images(),
            Part::Validation => self.validation.images(),
            Part::Test => self.test.images(),
        }
    }
}

/// What one run sees of a [`Dataset`].
#[derive(Clone, Debug)]
pub struct Split {
    /// For training steps.
    pub training: TrainingImages,
    /// For validation while training.
    pub validation: ValidationImages,
    /// For the score at the end.
    pub test: TestImages,
}

impl Dataset {
    /// Joins the images of the training files and of the test files; `hash` tells the two from
    /// any other data.
    pub fn new(training: Images, test: Images, hash: impl Into<String>) -> Self {
        Self {
            training,
            test: TestImages(test),
            hash: hash.into(),
        }
    }

    /// The images of the training files and of the test files.
    pub fn files(&self) -> [&Images; 2] {
        [&self.training, &self.test.0]
    }

    /// What tells this data from any other.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// How many images the training files hold.
    pub fn training_len(&self) -> usize {
        self.training.len()
    }

    /// The images of the test files.
    pub fn test(&self) -> &TestImages {
        &self.test
    }

    /// What a run with these settings sees.
    pub fn split_for(&self, config: &Config) -> Split {
        self.split(
            config.training_images as usize,
            config.plan().validation_images as usize,
            config.validate_on,
        )
    }

    /// Takes the first `training_images` of the training files, and of those, as Keras does, the
    /// last `validation_images` for validation; or validates on the test images and trains on all.
    pub fn split(
        &self,
        training_images: usize,
        validation_images: usize,
        validate_on: ValidateOn,
    ) -> Split {
        let used = training_images.min(self.training.len());
        let boundary = used - validation_images.min(used);
        let (training, validation) = match validate_on {
            ValidateOn::Split => (
                self.training.part(0..boundary),
                self.training.part(boundary..used),
            ),
            ValidateOn::TestSet => (self.training.part(0..used), self.test.0.clone()),
        };
        Split {
            training: TrainingImages(training),
            validation: ValidationImages(validation),
            test: self.test.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An idx pair of `labels.len()` images; every pixel of image i has the value i.
    fn pair(labels: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let count = (labels.len() as u32).to_be_bytes();
        let side = (IMAGE_SIDE as u32).to_be_bytes();
        let mut images = [[0, 0, 8, 3], count, side, side].concat();
        for index in 0..labels.len() {
            images.extend([index as u8; PIXELS]);
        }
        let mut file = [[0, 0, 8, 1], count].concat();
        file.extend(labels);
        (images, file)
    }

    fn images(labels: &[u8]) -> Images {
        let (images, labels) = pair(labels);
        Images::from_idx(images, &labels).unwrap()
    }

    #[test]
    fn a_pair_of_idx_files_is_read() {
        let images = images(&[3, 1, 4]);
        assert_eq!(images.labels(), [3, 1, 4]);
        assert_eq!(images.pixels(2), [2; PIXELS]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let (good, labels) = pair(&[3, 1, 4]);
        let read =
            |images: &[u8], labels: &[u8]| Images::from_idx(images.to_vec(), labels).unwrap_err();
        assert_eq!(
            read(&labels, &labels),
            DatasetError::Magic {
                found: 0x0801,
                expected: 0x0803
            }
        );
        for len in 0..good.len() {
            assert!(
                matches!(read(&good[..len], &labels), DatasetError::Length { found, .. } if found == len)
            );
        }
        let mut wide = good.clone();
        wide[15] = 32;
        wide.resize(16 + 3 * 28 * 32, 0);
        assert_eq!(
            read(&wide, &labels),
            DatasetError::ImageSize {
                rows: 28,
                columns: 32
            }
        );
        let mut eleven = labels.clone();
        eleven[9] = 11;
        assert_eq!(
            read(&good, &eleven),
            DatasetError::Label {
                label: 11,
                index: 1
            }
        );
        let (_, two) = pair(&[1, 2]);
        assert_eq!(
            read(&good, &two),
            DatasetError::Counts {
                images: 3,
                labels: 2
            }
        );
        let huge = [[0, 0, 8, 3], [255; 4], [255; 4], [255; 4]].concat();
        assert!(matches!(read(&huge, &labels), DatasetError::Length { .. }));
    }

    #[test]
    fn validation_takes_the_last_of_the_first_images() {
        let dataset = Dataset::new(images(&[0, 1, 2, 3, 4, 5]), images(&[9, 8]), "six");
        let split = dataset.split(5, 2, ValidateOn::Split);
        assert_eq!(split.training.images().labels(), [0, 1, 2]);
        assert_eq!(split.validation.images().labels(), [3, 4]);
        assert_eq!(split.validation.images().pixels(1), [4; PIXELS]);
        assert_eq!(split.test.images().labels(), [9, 8]);
    }

    #[test]
    fn validating_on_the_test_set_trains_on_all_the_rest() {
        let dataset = Dataset::new(images(&[0, 1, 2, 3]), images(&[9, 8]), "four");
        let split = dataset.split(4, 2, ValidateOn::TestSet);
        assert_eq!(split.training.images().labels(), [0, 1, 2, 3]);
        assert_eq!(split.validation.images().labels(), [9, 8]);
    }
}
