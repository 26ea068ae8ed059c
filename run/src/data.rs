//! What data is called, and what its labels say.

use kiln_model::histogram::Histogram;
use kiln_model::mnist;
use serde::{Deserialize, Serialize};

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
}

/// Which data: what it is called and what tells it from any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub hash: String,
}

impl Source {
    /// The data that Kiln ships.
    pub fn mnist() -> Self {
        Self {
            name: MNIST.to_owned(),
            hash: mnist::hash(),
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

/// The most and the least frequent digit, and what they mean for accuracy.
pub fn fairness(histogram: &Histogram) -> String {
    if histogram.images() == 0 {
        return "There are no images.".to_owned();
    }
    let of = |class: usize| {
        let share = histogram.share(class).unwrap_or_default();
        format!(
            "{class}: {} ({:.1}\u{2009}%)",
            format::count(histogram.counts[class] as u64),
            100.0 * share
        )
    };
    let verdict = if histogram.accuracy_is_fair() {
        "accuracy is fair here."
    } else {
        "accuracy says little about the rare digits; look at each class as well."
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
        assert_eq!(name(&[]), OWN);
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
        let even = Histogram {
            counts: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        };
        assert_eq!(
            fairness(&even),
            "Largest 1: 6\u{2009}742 (11.2\u{2009}%), smallest 5: 5\u{2009}421 (9.0\u{2009}%): \
             accuracy is fair here."
        );
        let mut counts = even.counts;
        counts[3] = 0;
        let uneven = fairness(&Histogram { counts });
        assert!(
            uneven.contains("smallest 3: 0 (0.0\u{2009}%): accuracy says little"),
            "{uneven}"
        );
        assert_eq!(fairness(&Histogram::default()), "There are no images.");
    }
}
