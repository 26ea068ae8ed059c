//! What is said to files that are no data.

use super::header::Number;
use super::kind::Kind;
use super::names::PairNames;
use super::{FEWEST_TRAINING_IMAGES, MOST_BYTES, MOST_IMAGES};
use crate::dataset::DatasetError;

/// Names that one sentence lists, at most.
const MOST_LISTED: usize = 12;

/// Why files are no data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Neither one pair of files nor two.
    #[error("Kiln takes 2 files (images and labels) or 4 (training and test), not {files}")]
    Files {
        /// Files chosen.
        files: usize,
    },
    /// More pairs than two, or files without partners beside them; which are meant is to be asked.
    #[error(
        "there {}: {}{}. Choose the files of one of them, or of two (training and test)",
        made(pairs),
        listed(pairs),
        left(alone)
    )]
    WhichPairs {
        /// The pairs that the names make.
        pairs: Vec<PairNames>,
        /// The names of all other files.
        alone: Vec<String>,
    },
    /// Files of one kind lack their partners.
    #[error(
        "there are {images} files of images and {labels} of labels, but each needs a partner of the other kind"
    )]
    Partner {
        /// Files of images.
        images: usize,
        /// Files of labels.
        labels: usize,
    },
    /// A gzip stream that ends early.
    #[error("{file} is cut off: its gzip stream does not end within its {bytes} bytes")]
    Cut {
        /// The file.
        file: String,
        /// Bytes it has.
        bytes: usize,
    },
    /// A gzip stream that is broken.
    #[error("{file} is damaged and cannot be unpacked: {reason}")]
    Gzip {
        /// The file.
        file: String,
        /// What the decoder said.
        reason: String,
    },
    /// More bytes than the most images have.
    #[error(
        "{file} has more than {MOST_BYTES} bytes, and {MOST_IMAGES} images, the most that Kiln takes, have no more"
    )]
    TooLong {
        /// The file.
        file: String,
    },
    /// A file too short to say what it is.
    #[error("{file} has {bytes} bytes once unpacked, but the header alone has 8")]
    Short {
        /// The file.
        file: String,
        /// Bytes it has.
        bytes: usize,
    },
    /// A file of another kind.
    #[error("{file} is {kind}, not {}{}", wanted(file), kind.advice())]
    Alien {
        /// The file.
        file: String,
        /// What it is.
        kind: Kind,
    },
    /// An idx file of more axes than images have, or of none.
    #[error("{file} holds {number} in {axes} dimensions, but images have 3 and labels 1")]
    Axes {
        /// The file.
        file: String,
        /// What its numbers are.
        number: Number,
        /// How many axes.
        axes: u8,
    },
    /// An idx file that holds neither images nor labels.
    #[error(
        "{file} holds {header}: images are bytes from 0 to 255, count × 28 × 28, and labels are whole numbers, one an image"
    )]
    Shape {
        /// The file.
        file: String,
        /// What it holds, in words.
        header: String,
    },
    /// More than its header says.
    #[error("{file} has more than {bytes} bytes once unpacked, and its header promises no more")]
    Longer {
        /// The file.
        file: String,
        /// What the header says.
        bytes: usize,
    },
    /// More images than Kiln takes.
    #[error("there are {images} images, more than the {MOST_IMAGES} that Kiln takes")]
    TooManyImages {
        /// How many.
        images: usize,
    },
    /// More labels than images.
    #[error("there are {labels} labels, and Kiln takes no more than {MOST_IMAGES} images")]
    TooManyLabels {
        /// How many.
        labels: usize,
    },
    /// A label that is no digit.
    #[error("{file}: label {label} of image {index} is not a digit from 0 to 9")]
    Label {
        /// The file.
        file: String,
        /// The label.
        label: i64,
        /// Its image, counted from 0.
        index: usize,
    },
    /// What a file holds is not what it should be.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: DatasetError,
    },
    /// Images and labels do not belong together.
    #[error("{images_file} has {images} images but {labels_file} has {labels} labels")]
    Counts {
        /// The file of images.
        images_file: String,
        /// How many images.
        images: usize,
        /// The file of labels.
        labels_file: String,
        /// How many labels.
        labels: usize,
    },
    /// Two pairs of the same size whose names do not tell them apart.
    #[error(
        "both files of images have {images} of them, and the file names do not say which labels belong to which"
    )]
    WhichLabels {
        /// Images of either file.
        images: usize,
    },
    /// Two pairs of the same size of which neither, or both, are named for training.
    #[error("both pairs have {images} images, and not exactly one is named “train”")]
    WhichTrains {
        /// Images of either pair.
        images: usize,
    },
    /// Fewer images than a run can train on.
    #[error(
        "{images} images are left for training, fewer than the {FEWEST_TRAINING_IMAGES} that a run needs"
    )]
    TooFewImages {
        /// How many.
        images: usize,
    },
    /// Nothing to score on.
    #[error("{file} has 0 images, but a run is scored on 1 at least")]
    NoTestImages {
        /// The file.
        file: String,
    },
}

/// What a file of this name should be.
fn wanted(file: &str) -> &'static str {
    let file = file.to_ascii_lowercase();
    match (file.contains("image"), file.contains("label")) {
        (true, false) => "images",
        (false, true) => "labels",
        _ => "images or labels",
    }
}

fn made(pairs: &[PairNames]) -> String {
    match pairs.len() {
        1 => "is 1 pair of files by the names".to_owned(),
        pairs => format!("are {pairs} pairs of files by the names"),
    }
}

fn listed(pairs: &[PairNames]) -> String {
    let of = |pair: &PairNames| format!("{} with {}", pair.images, pair.labels);
    joined(pairs.iter().map(of).collect(), "; ")
}

fn left(alone: &[String]) -> String {
    if alone.is_empty() {
        return String::new();
    }
    format!(", and without a partner: {}", joined(alone.to_vec(), ", "))
}

fn joined(mut names: Vec<String>, between: &str) -> String {
    let more = names.len().saturating_sub(MOST_LISTED);
    names.truncate(MOST_LISTED);
    let names = names.join(between);
    match more {
        0 => names,
        more => format!("{names}{between}and {more} more"),
    }
}
