//! A data set of a person's own: idx files, gzipped or not, in any order.
//!
//! A file goes through `unpack`, `kind` and `header` into `content`; `names` says which belong
//! together; `orientation` and `order` look at the images, and turn or shuffle them where that was
//! chosen.

mod content;
mod error;
mod header;
mod kind;
mod names;
mod order;
mod orientation;
#[cfg(test)]
mod tests;
mod unpack;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::dataset::{Dataset, DatasetError, Images};
use crate::mnist::sha256;
use crate::spec::PIXELS;
use content::{Content, Holds, Start};
pub use error::ImportError;
pub use header::Number;
pub use kind::Kind;
pub use names::PairNames;
use names::{is_train, likeness};
pub use order::{is_sorted_by_class, shuffle};
pub use orientation::{looks_transposed, transpose};
use unpack::Unpacking;

/// The most images there may be in all: what fits into half a gigabyte.
pub const MOST_IMAGES: usize = 600_000;
/// The fewest training images there may be: the least that a run can be set to use
/// ([`crate::config::Setting::TrainingImages`]), so every setting keeps its range.
pub const FEWEST_TRAINING_IMAGES: usize = 1_000;
/// Where there is one pair of files, one part in so many becomes the test set, as in MNIST.
pub const TEST_PART: usize = 7;
/// The longest file that could be read, once unpacked: the header and the pixels of
/// [`MOST_IMAGES`].
pub const MOST_BYTES: usize = header::HEADER + MOST_IMAGES * PIXELS;
const _: () = assert!(MOST_BYTES <= 512 << 20);

/// A file as it was chosen.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its name, for the errors and to tell pairs of equal size apart.
    pub name: &'a str,
    /// Its bytes, gzipped or not.
    pub bytes: &'a [u8],
}

/// What is made of the images once they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Rows and columns of each image are exchanged.
    pub transpose: bool,
    /// The images that are trained on, and where there is one pair of files those of the test set,
    /// are put into an order that follows from this seed before they are split.
    pub shuffle: Option<u32>,
}

/// Where the test images came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestSource {
    /// A pair of files of their own.
    OwnPair,
    /// The last seventh ([`TEST_PART`]) of the one pair.
    LastSeventh,
}

/// Something about files that a person should know, though they are data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remark {
    /// A file says several numbers of each image, and the first was taken for its label.
    FirstColumn {
        /// The file.
        file: String,
        /// How many.
        columns: u32,
    },
    /// The images look as if rows and columns were exchanged.
    LooksTransposed,
    /// The images to train on come class by class.
    SortedByClass,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Import {
    /// The images. Their hash is made as [`crate::mnist::hash`] makes its own, so MNIST's four
    /// files give that very one: SHA-256, in hexadecimal, of the SHA-256 of the inflated files,
    /// in hexadecimal and one after the other: training labels, test labels, test images,
    /// training images; for one pair its labels and its images. Where anything was chosen, it is
    /// the SHA-256 of that one and of what was chosen in words, for the images are others.
    pub dataset: Dataset,
    /// SHA-256, in hexadecimal, of the inflated file of the labels to train on.
    pub labels_sha256: String,
    /// Where its test images came from.
    pub test_source: TestSource,
    /// What there is to say of it, after what was chosen was done.
    pub remarks: Vec<Remark>,
}

/// Images and labels that belong together.
struct Pair<'a> {
    images: Content<'a>,
    labels: Content<'a>,
}

/// Reads one pair of idx files, or two: of images (28 × 28 bytes) and of labels (whole numbers from
/// 0 to 9, or QMNIST's eight columns of which the first is such).
///
/// Of two pairs, the larger is for training; labels go with as many images. Where both are of one
/// size, the file names decide: labels go with the images whose name begins and ends most like
/// theirs, and the images with “train” in their name are for training. Of one pair, the last
/// seventh becomes the test set.
///
/// # Errors
/// Anything that is not so; see [`ImportError`]. Of other numbers of files no more than the
/// beginnings are read, to say which pairs they make.
pub fn import(files: &[File], choices: Choices) -> Result<Import, ImportError> {
    if !matches!(files.len(), 2 | 4) {
        return Err(names::ask(files));
    }
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        let content = Start::read(*file)?.finish()?;
        match content.holds {
            Holds::Images => images.push(content),
            Holds::Labels { .. } => labels.push(content),
        }
    }
    let all = images.iter().map(Content::count).sum();
    if all > MOST_IMAGES {
        return Err(ImportError::TooManyImages { images: all });
    }
    let counts = (images.len(), labels.len());
    let (mut images, mut labels) = (images.into_iter(), labels.into_iter());
    match (counts, images.next(), labels.next()) {
        ((1, 1), Some(images), Some(labels)) => one_pair(Pair { images, labels }, choices),
        ((2, 2), Some(a), Some(c)) => match (images.next(), labels.next()) {
            (Some(b), Some(d)) => {
                let (first, second) = pairs([a, b], [c, d])?;
                two_pairs(first, second, choices)
            }
            _ => Err(partner(counts)),
        },
        _ => Err(partner(counts)),
    }
}

/// What a file is, by its beginning alone; a gzipped one is what is in it. One of which the
/// beginning cannot be unpacked may be anything, so that reading it as an idx file says why.
pub fn kind(file: File) -> Kind {
    Unpacking::begin(file).map_or(Kind::Idx, |unpacking| Kind::of(&unpacking.head))
}

/// Whether a file is one of images, and not of labels, by its header; nothing where it is neither.
pub fn is_images(file: File) -> Option<bool> {
    let start = Start::read(file).ok()?;
    Some(start.holds == Holds::Images)
}

const fn partner((images, labels): (usize, usize)) -> ImportError {
    ImportError::Partner { images, labels }
}

fn one_pair(pair: Pair, choices: Choices) -> Result<Import, ImportError> {
    let hash = hash(&[&pair.labels, &pair.images], choices);
    let labels_sha256 = pair.labels.sha256();
    let mut remarks = pair.remarks();
    let images = pair.read(choices)?;
    let training = images.len() - images.len() / TEST_PART;
    enough(training)?;
    look(&images, &mut remarks);
    Ok(Import {
        dataset: Dataset::new(
            images.part(0..training),
            images.part(training..images.len()),
            hash,
        ),
        labels_sha256,
        test_source: TestSource::LastSeventh,
        remarks,
    })
}

/// Joins two files of images with the labels that belong to them.
fn pairs<'a>(
    [a, b]: [Content<'a>; 2],
    [c, d]: [Content<'a>; 2],
) -> Result<(Pair<'a>, Pair<'a>), ImportError> {
    let as_given = if a.count() == b.count() {
        let as_given = likeness(a.name, c.name) + likeness(b.name, d.name);
        let crossed = likeness(a.name, d.name) + likeness(b.name, c.name);
        if as_given == crossed {
            return Err(ImportError::WhichLabels { images: a.count() });
        }
        as_given > crossed
    } else {
        // The larger with the larger: where that does not fit, nothing does.
        (a.count() > b.count()) == (c.count() > d.count())
    };
    let (of_a, of_b) = if as_given { (c, d) } else { (d, c) };
    let pair = |images, labels| Pair { images, labels };
    Ok((pair(a, of_a), pair(b, of_b)))
}

fn two_pairs(first: Pair, second: Pair, choices: Choices) -> Result<Import, ImportError> {
    let first_trains = match first.images.count().cmp(&second.images.count()) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal if is_train(first.images.name) == is_train(second.images.name) => {
            return Err(ImportError::WhichTrains {
                images: first.images.count(),
            });
        }
        Ordering::Equal => is_train(first.images.name),
    };
    let (training, test) = if first_trains {
        (first, second)
    } else {
        (second, first)
    };
    let hash = hash(
        &[
            &training.labels,
            &test.labels,
            &test.images,
            &training.images,
        ],
        choices,
    );
    let labels_sha256 = training.labels.sha256();
    let mut remarks = training.remarks();
    remarks.extend(test.remarks());
    let test_name = test.images.name;
    let training_images = training.read(choices)?;
    // In which order images are scored makes no difference.
    let test_images = test.read(Choices {
        shuffle: None,
        ..choices
    })?;
    enough(training_images.len())?;
    if test_images.is_empty() {
        return Err(ImportError::NoTestImages {
            file: test_name.to_owned(),
        });
    }
    look(&training_images, &mut remarks);
    Ok(Import {
        dataset: Dataset::new(training_images, test_images, hash),
        labels_sha256,
        test_source: TestSource::OwnPair,
        remarks,
    })
}

impl Pair<'_> {
    fn read(self, choices: Choices) -> Result<Images, ImportError> {
        let Self { images, labels } = self;
        if images.count() != labels.count() {
            return Err(ImportError::Counts {
                images_file: images.name.to_owned(),
                images: images.count(),
                labels_file: labels.name.to_owned(),
                labels: labels.count(),
            });
        }
        let (file, mut digits) = (labels.name, labels.labels()?);
        let mut pixels = images.into_pixels();
        if choices.transpose {
            transpose(&mut pixels);
        }
        if let Some(seed) = choices.shuffle {
            shuffle(&mut pixels, &mut digits, seed);
        }
        Images::from_bytes(pixels, digits).map_err(|error: DatasetError| ImportError::File {
            file: file.to_owned(),
            error,
        })
    }

    fn remarks(&self) -> Vec<Remark> {
        match self.labels.holds {
            Holds::Labels { columns } if columns > 1 => vec![Remark::FirstColumn {
                file: self.labels.name.to_owned(),
                columns,
            }],
            _ => Vec::new(),
        }
    }
}

fn look(images: &Images, remarks: &mut Vec<Remark>) {
    if looks_transposed(images) {
        remarks.push(Remark::LooksTransposed);
    }
    if is_sorted_by_class(images.labels()) {
        remarks.push(Remark::SortedByClass);
    }
}

fn enough(images: usize) -> Result<(), ImportError> {
    if images < FEWEST_TRAINING_IMAGES {
        return Err(ImportError::TooFewImages { images });
    }
    Ok(())
}

fn hash(files: &[&Content], choices: Choices) -> String {
    let hashes: String = files.iter().map(|file| file.sha256()).collect();
    let mut hash = sha256(hashes.as_bytes());
    if choices.transpose {
        hash = sha256(format!("{hash} transposed").as_bytes());
    }
    if let Some(seed) = choices.shuffle {
        hash = sha256(format!("{hash} shuffled {seed}").as_bytes());
    }
    hash
}
