//! What data is called, and what its labels say.

use kiln_model::histogram::Histogram;
use kiln_model::import::Choices;
use kiln_model::mnist;
use serde::{Deserialize, Serialize};

use crate::classes::Classes;
use crate::format;

/// The name of the data that Kiln ships.
pub const MNIST: &str = "MNIST";
/// The name of files that have no beginning in common.
const OWN: &str = "Own data";
/// Letters of the shortest beginning that makes a name.
const SHORTEST_NAME: usize = 3;
/// Digits of a hash that a person is shown.
const SHOWN_DIGITS: usize = 8;

/// What data there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSummary {
    /// What tells it from any other data.
    pub hash: String,
    /// Images to train and validate on.
    pub training_images: u32,
    /// Images to score on.
    pub test_images: u32,
    /// Whether the test images are the last seventh of the only pair of files.
    pub is_test_cut_off: bool,
    /// SHA-256 of the file of labels to train on, unpacked, in hexadecimal; empty where that was not
    /// noted.
    #[serde(default)]
    pub labels_sha256: String,
    /// What was chosen when it was read.
    #[serde(default)]
    pub choices: DataChoices,
    /// What there is to say of it.
    #[serde(default)]
    pub remarks: Vec<Remark>,
}

/// What a person chose of files, and to have done with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataChoices {
    /// Of several pairs those that are taken: the names of their files, as
    /// [`kiln_model::import::PairNames`] has them. Nothing for all files.
    pub files: Vec<String>,
    /// What is made of the images.
    pub images: Choices,
}

/// Something about data that a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Remark {
    /// Of the images.
    Images(kiln_model::import::Remark),
    /// Files of archives were left out, since they hold neither images nor labels.
    LeftOut {
        /// Their names, in order.
        files: Vec<String>,
    },
    /// A file was left out, since another is the same.
    Same {
        /// The one.
        file: String,
        /// The other.
        other: String,
    },
}

/// Files that one sentence names, at most.
const MOST_NAMED: usize = 3;

/// What a remark says: a sentence.
pub fn remark(remark: &Remark) -> String {
    use kiln_model::import::Remark as OfImages;
    match remark {
        Remark::Images(OfImages::FirstColumn { file, columns }) => format!(
            "{file} says {columns} numbers of each image; the first was taken for its label."
        ),
        Remark::Images(OfImages::LooksTransposed) => {
            "The digits look as if they lay on their side, \
             rows and columns exchanged, as in EMNIST's files."
                .to_owned()
        }
        Remark::Images(OfImages::SortedByClass) => "The training images come class by class: \
             what is split off for validation or tests has few of the classes, unless they are \
             shuffled."
            .to_owned(),
        Remark::LeftOut { files } => {
            let named = files.iter().take(MOST_NAMED).map(String::as_str);
            let named = named.collect::<Vec<&str>>().join(", ");
            match files.len().saturating_sub(MOST_NAMED) {
                0 => format!("Neither images nor labels, and left out: {named}."),
                more => {
                    format!("Neither images nor labels, and left out: {named} and {more} more.")
                }
            }
        }
        Remark::Same { file, other } => format!("{file} was left out: it is the same as {other}."),
    }
}

/// Which data: what it is called and what tells it from any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub hash: String,
    /// What its classes are called.
    #[serde(default)]
    pub classes: Classes,
}

impl Source {
    /// The data that Kiln ships.
    pub fn mnist() -> Self {
        Self {
            name: MNIST.to_owned(),
            hash: mnist::hash(),
            classes: Classes::default(),
        }
    }

    /// Whether it is the data that Kiln ships.
    pub fn is_mnist(&self) -> bool {
        self.hash == mnist::hash()
    }
}

/// What a table says of a run's data: MNIST, or the name and the first digits of the hash.
pub fn label(name: &str, hash: &str) -> String {
    let digits = hash.get(..SHOWN_DIGITS).unwrap_or(hash);
    if hash.is_empty() {
        format::NOTHING.to_owned()
    } else if hash == mnist::hash() {
        MNIST.to_owned()
    } else if name.is_empty() {
        digits.to_owned()
    } else {
        format!("{name} · {digits}")
    }
}

/// A name for data in these files: what all their names begin with.
pub fn name_of(files: &[String]) -> String {
    let Some((first, others)) = files.split_first() else {
        return OWN.to_owned();
    };
    let mut letters = first.chars().count();
    for other in others {
        let common = first.chars().zip(other.chars());
        letters = letters.min(common.take_while(|(a, b)| a == b).count());
    }
    let common: String = first.chars().take(letters).collect();
    // What they have in common may end within a word, of which half is no name.
    let goes_on = |file: &String| file.chars().nth(letters).is_some_and(char::is_alphanumeric);
    let common = match common.rfind(|letter: char| !letter.is_alphanumeric()) {
        Some(end) if files.iter().any(goes_on) => &common[..end],
        // A file alone is called as it is but for its ending.
        _ => common.strip_suffix(".zip").unwrap_or(&common),
    };
    let name = common.trim_matches(|letter: char| !letter.is_alphanumeric());
    if name.chars().count() < SHORTEST_NAME {
        OWN.to_owned()
    } else {
        name.to_owned()
    }
}

/// Such as `60 000 training and 10 000 test images`.
pub fn counts(data: &DataSummary) -> String {
    format!(
        "{} training and {} test images",
        format::count(data.training_images.into()),
        format::count(data.test_images.into())
    )
}

/// The most and the least frequent class, and what they mean for accuracy.
pub fn fairness(histogram: &Histogram, classes: &Classes) -> String {
    if histogram.images() == 0 {
        return "There are no images.".to_owned();
    }
    let of = |class: usize| {
        let share = histogram.share(class).unwrap_or_default();
        format!(
            "{}: {} ({:.1}\u{2009}%)",
            classes.name(class),
            format::count(histogram.counts[class] as u64),
            100.0 * share
        )
    };
    let verdict = if histogram.accuracy_is_fair() {
        "accuracy is fair here.".to_owned()
    } else {
        format!(
            "accuracy says little about the rare {}; look at each class as well.",
            classes.nouns()
        )
    };
    format!(
        "Largest {}, smallest {}: {verdict}",
        of(histogram.largest()),
        of(histogram.smallest())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_what_they_have_in_common() {
        let name = |files: &[&str]| {
            let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
            name_of(&files)
        };
        assert_eq!(name(&["kmnist-images.gz", "kmnist-labels.gz"]), "kmnist");
        assert_eq!(
            name(&["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]),
            "train"
        );
        assert_eq!(
            name(&["train-images", "train-labels", "t10k-images", "t10k-labels"]),
            OWN
        );
        assert_eq!(name(&["зачёт-а", "зачёт-б"]), "зачёт");
        assert_eq!(name(&["digits-train", "digits-test"]), "digits");
        assert_eq!(name(&["lettersA", "lettersB"]), "letters");
        assert_eq!(name(&["emnist-digits.zip"]), "emnist-digits");
        assert_eq!(name(&[]), OWN);
    }

    #[test]
    fn what_was_kept_before_there_were_choices_is_read() {
        let kept = r#"{"hash":"ab","training_images":2,"test_images":1,"is_test_cut_off":true}"#;
        let summary: DataSummary = serde_json::from_str(kept).unwrap();
        assert_eq!(summary.choices, DataChoices::default());
        assert_eq!(summary.remarks, []);
        let half: DataChoices = serde_json::from_str(r#"{"images":{"shuffle":7}}"#).unwrap();
        assert_eq!(half.images.shuffle, Some(7));
        assert!(!half.images.transpose);
    }

    #[test]
    fn remarks_are_sentences() {
        let files = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        assert_eq!(
            remark(&Remark::LeftOut {
                files: files[..2].to_vec()
            }),
            "Neither images nor labels, and left out: a, b."
        );
        assert_eq!(
            remark(&Remark::LeftOut { files }),
            "Neither images nor labels, and left out: a, b, c and 2 more."
        );
        let column = kiln_model::import::Remark::FirstColumn {
            file: "qmnist-labels".to_owned(),
            columns: 8,
        };
        assert_eq!(
            remark(&Remark::Images(column)),
            "qmnist-labels says 8 numbers of each image; the first was taken for its label."
        );
    }

    #[test]
    fn data_is_told_by_name_and_hash() {
        assert_eq!(label("", ""), "–");
        assert_eq!(label("", &mnist::hash()), "MNIST");
        assert_eq!(label("kmnist", "0123456789"), "kmnist · 01234567");
        assert_eq!(label("", "0123456789"), "01234567");
        assert!(Source::mnist().is_mnist());
    }

    #[test]
    fn the_sentence_names_the_extremes() {
        let digits = Classes::default();
        let even = Histogram {
            counts: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        };
        assert_eq!(
            fairness(&even, &digits),
            "Largest 1: 6\u{2009}742 (11.2\u{2009}%), smallest 5: 5\u{2009}421 (9.0\u{2009}%): \
             accuracy is fair here."
        );
        let mut counts = even.counts;
        counts[3] = 0;
        let uneven = fairness(&Histogram { counts }, &digits);
        assert!(
            uneven.contains("smallest 3: 0 (0.0\u{2009}%): accuracy says little"),
            "{uneven}"
        );
        assert_eq!(
            fairness(&Histogram::default(), &digits),
            "There are no images."
        );
    }
}
