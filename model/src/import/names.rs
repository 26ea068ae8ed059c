//! What the names of files say: which images and labels belong together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::{Holds, Start};
use super::{File, ImportError};
use crate::dataset::Part;

/// Words that say that a file holds images or labels, or how, not which.
const KINDS: [&str; 4] = ["images", "image", "labels", "label"];
const FORMATS: [&str; 12] = [
    "idx", "idx1", "idx2", "idx3", "ubyte", "int", "gz", "gzip", "bin", "dat", "x", "y",
];
/// Words for each part.
const PARTS: [(Part, &[&str]); 3] = [
    (Part::Training, &["train", "training"]),
    (Part::Validation, &["val", "valid", "validation", "dev"]),
    (Part::Test, &["test", "t10k", "testing"]),
];

/// A file of images and one of labels that belong together by their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairNames {
    /// The file of images.
    pub images: String,
    /// The file of labels.
    pub labels: String,
    /// How many images there are, by the header of their file.
    pub count: u32,
    /// What they are for, where the names say so.
    pub part: Option<Part>,
}

/// Files of images and of labels, and how many of these each claims to hold.
type OfKey<'a> = [Vec<(&'a str, u32)>; 2];

/// What can be said to files of which there are neither two nor four: which pairs they make, or that
/// they make none.
pub fn ask(files: &[File]) -> ImportError {
    let mut keys: BTreeMap<Vec<String>, OfKey> = BTreeMap::new();
    for file in files {
        let start = match Start::read(*file) {
            Ok(start) => start,
            Err(error) => return error,
        };
        let kind = usize::from(start.holds != Holds::Images);
        let of_key = keys.entry(key(file.name)).or_default();
        of_key[kind].push((file.name, start.count() as u32));
    }
    let (mut pairs, mut alone) = (Vec::new(), Vec::new());
    for of_key in keys.into_values() {
        match of_key {
            [images, labels] if images.len() == 1 && labels.len() == 1 => pairs.push(PairNames {
                images: images[0].0.to_owned(),
                labels: labels[0].0.to_owned(),
                count: images[0].1,
                part: part(images[0].0),
            }),
            of_key => alone.extend(of_key.concat().iter().map(|(name, _)| (*name).to_owned())),
        }
    }
    if pairs.is_empty() {
        return ImportError::Files { files: files.len() };
    }
    ImportError::WhichPairs { pairs, alone }
}

/// The words that say which images a file is about.
fn key(name: &str) -> Vec<String> {
    let mut name = name.to_lowercase();
    for kind in KINDS {
        name = name.replace(kind, " ");
    }
    name.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !FORMATS.contains(word))
        .map(|word| {
            let part = PARTS.iter().find(|(_, words)| words.contains(&word));
            part.map_or(word, |(_, words)| words[0]).to_owned()
        })
        .collect()
}

/// What the images in a file of this name are for, by its own name or else by its folders; nothing
/// where that says several things or none.
fn part(name: &str) -> Option<Part> {
    let named = |name: &str| -> Vec<Part> {
        let key = key(name);
        let is_named = |words: &[&str]| key.iter().any(|word| word == words[0]);
        let parts = PARTS.iter().filter(|(_, words)| is_named(words));
        parts.map(|(part, _)| *part).collect()
    };
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    match (named(file).as_slice(), named(folders).as_slice()) {
        ([part], _) | ([], [part]) => Some(*part),
        _ => None,
    }
}

/// Whether a file of images is named for training.
pub fn is_train(name: &str) -> bool {
    let (_, file) = name.rsplit_once('/').unwrap_or(("", name));
    match part(name) {
        Some(part) => part == Part::Training,
        None => file.to_ascii_lowercase().contains("train"),
    }
}

/// Letters that two names have in common at their beginnings and at their ends, in bytes.
pub fn likeness(a: &str, b: &str) -> usize {
    let equal = |(a, b): &(u8, u8)| a.eq_ignore_ascii_case(b);
    let from_start = a.bytes().zip(b.bytes()).take_while(equal).count();
    let from_end = a
        .bytes()
        .rev()
        .zip(b.bytes().rev())
        .take_while(equal)
        .count();
    from_start + from_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_labels_of_one_set_have_one_key() {
        for (images, labels, expected) in [
            (
                "train-images-idx3-ubyte.gz",
                "train-labels-idx1-ubyte.gz",
                Some(Part::Training),
            ),
            (
                "train-test.zip/t10k-images-idx3-ubyte/t10k-images-idx3-ubyte",
                "train-test.zip/t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte",
                Some(Part::Test),
            ),
            (
                "qmnist-test-images-idx3-ubyte.gz",
                "qmnist-test-labels-idx2-int.gz",
                Some(Part::Test),
            ),
            ("validImages", "validLabels", Some(Part::Validation)),
            ("images/Training", "labels/training", Some(Part::Training)),
            ("x_test.bin", "y_test.bin", Some(Part::Test)),
            ("a-images", "a-labels", None),
            ("train-test-images", "train-test-labels", None),
        ] {
            assert_eq!(key(images), key(labels), "{images}");
            assert_eq!(part(images), expected, "{images}");
        }
        assert_ne!(
            key("emnist-digits-train-images"),
            key("emnist-mnist-train-images")
        );
        assert_ne!(key("train-images"), key("test-images"));
        assert!(is_train("constrained-images") && is_train("training/images"));
        assert!(!is_train("training.zip/test-images") && !is_train("images"));
    }
}
