//! A data set of a person's own: idx files, gzipped or not, in any order.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::io::{ErrorKind, Read as _};

use flate2::read::GzDecoder;

use crate::dataset::{Dataset, DatasetError, Images, idx};
use crate::mnist::{GZIP_MAGIC, sha256};
use crate::spec::{IMAGE_SIDE, PIXELS};

/// The most images there may be in all: as many as MNIST has.
pub const MOST_IMAGES: usize = 70_000;
/// The fewest training images there may be: the least that a run can be set to use
/// ([`crate::config::Setting::TrainingImages`]), so every setting keeps its range.
pub const FEWEST_TRAINING_IMAGES: usize = 1_000;
/// Where there is one pair of files, one part in so many becomes the test set, as in MNIST.
pub const TEST_PART: usize = 7;

/// What a file of images starts with.
const IMAGES_MAGIC: u32 = 2051;
/// What a file of labels starts with.
const LABELS_MAGIC: u32 = 2049;
/// The longest file that could be read, once unpacked: the header and the pixels of
/// [`MOST_IMAGES`].
pub const MOST_BYTES: usize = 16 + MOST_IMAGES * PIXELS;

/// A file as it was chosen.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its name, for the errors and to tell pairs of equal size apart.
    pub name: &'a str,
    /// Its bytes, gzipped or not.
    pub bytes: &'a [u8],
}

/// Where the test images came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestSource {
    /// A pair of files of their own.
    OwnPair,
    /// The last seventh ([`TEST_PART`]) of the one pair.
    LastSeventh,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Import {
    /// The images. Their hash is made as [`crate::mnist::hash`] makes its own, so MNIST's four
    /// files give that very one: SHA-256, in hexadecimal, of the SHA-256 of the inflated files,
    /// in hexadecimal and one after the other: training labels, test labels, test images,
    /// training images; for one pair its labels and its images.
    pub dataset: Dataset,
    /// Where its test images came from.
    pub test_source: TestSource,
}

/// Why files are no data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Neither one pair of files nor two.
    #[error("Kiln takes 2 files (images and labels) or 4 (training and test), not {files}")]
    Files {
        /// Files chosen.
        files: usize,
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
        "{file} has more than {MOST_BYTES} bytes once unpacked, and {MOST_IMAGES} images have no more"
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
    /// A file that is neither.
    #[error(
        "{file} starts with {found}, not with {IMAGES_MAGIC} as idx images do or {LABELS_MAGIC} as idx labels do"
    )]
    Magic {
        /// The file.
        file: String,
        /// Its first four bytes as a number.
        found: u32,
    },
    /// More images than Kiln takes.
    #[error("there are {images} images, more than the {MOST_IMAGES} that Kiln takes")]
    TooManyImages {
        /// How many.
        images: usize,
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

/// A file, inflated.
struct Inflated<'a> {
    name: &'a str,
    bytes: Cow<'a, [u8]>,
    magic: u32,
    /// Images or labels in it.
    count: usize,
}

/// Images and labels that belong together.
#[derive(Clone, Copy)]
struct Pair<'a> {
    images: &'a Inflated<'a>,
    labels: &'a Inflated<'a>,
}

/// Reads one pair of idx files, or two: of images (28 × 28, magic number 2051) and of labels (0 to
/// 9, magic number 2049), each of unsigned bytes.
///
/// Of two pairs, the larger is for training; labels go with as many images. Where both are of one
/// size, the file names decide: labels go with the images whose name begins and ends most like
/// theirs, and the images with “train” in their name are for training. Of one pair, the last
/// seventh becomes the test set.
///
/// # Errors
/// Anything that is not so; see [`ImportError`].
pub fn import(files: &[File]) -> Result<Import, ImportError> {
    if !matches!(files.len(), 2 | 4) {
        return Err(ImportError::Files { files: files.len() });
    }
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for file in files {
        let inflated = inflate(file)?;
        match inflated.magic {
            IMAGES_MAGIC => images.push(inflated),
            _ => labels.push(inflated),
        }
    }
    let all = images.iter().map(|file| file.count).sum();
    if all > MOST_IMAGES {
        return Err(ImportError::TooManyImages { images: all });
    }
    match (images.as_slice(), labels.as_slice()) {
        ([images], [labels]) => one_pair(Pair { images, labels }),
        ([a, b], [c, d]) => {
            let (first, second) = pairs([a, b], [c, d])?;
            two_pairs(first, second)
        }
        _ => Err(ImportError::Partner {
            images: images.len(),
            labels: labels.len(),
        }),
    }
}

fn one_pair(pair: Pair) -> Result<Import, ImportError> {
    let images = pair.read()?;
    let training = images.len() - images.len() / TEST_PART;
    enough(training)?;
    Ok(Import {
        dataset: Dataset::new(
            images.part(0..training),
            images.part(training..images.len()),
            hash(&[pair.labels, pair.images]),
        ),
        test_source: TestSource::LastSeventh,
    })
}

/// Joins two files of images with the labels that belong to them.
fn pairs<'a>(
    [a, b]: [&'a Inflated<'a>; 2],
    [c, d]: [&'a Inflated<'a>; 2],
) -> Result<(Pair<'a>, Pair<'a>), ImportError> {
    let as_given = if a.count == b.count {
        let as_given = likeness(a.name, c.name) + likeness(b.name, d.name);
        let crossed = likeness(a.name, d.name) + likeness(b.name, c.name);
        if as_given == crossed {
            return Err(ImportError::WhichLabels { images: a.count });
        }
        as_given > crossed
    } else {
        // The larger with the larger: where that does not fit, nothing does.
        (a.count > b.count) == (c.count > d.count)
    };
    let (of_a, of_b) = if as_given { (c, d) } else { (d, c) };
    let pair = |images, labels| Pair { images, labels };
    Ok((pair(a, of_a), pair(b, of_b)))
}

fn two_pairs(first: Pair, second: Pair) -> Result<Import, ImportError> {
    let first_trains = match first.images.count.cmp(&second.images.count) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal if first.is_named_train() == second.is_named_train() => {
            return Err(ImportError::WhichTrains {
                images: first.images.count,
            });
        }
        Ordering::Equal => first.is_named_train(),
    };
    let (training, test) = if first_trains {
        (first, second)
    } else {
        (second, first)
    };
    let (training_images, test_images) = (training.read()?, test.read()?);
    enough(training_images.len())?;
    if test_images.is_empty() {
        return Err(ImportError::NoTestImages {
            file: test.images.name.to_owned(),
        });
    }
    let hash = hash(&[training.labels, test.labels, test.images, training.images]);
    Ok(Import {
        dataset: Dataset::new(training_images, test_images, hash),
        test_source: TestSource::OwnPair,
    })
}

impl Pair<'_> {
    fn read(self) -> Result<Images, ImportError> {
        let Self { images, labels } = self;
        if images.count != labels.count {
            return Err(ImportError::Counts {
                images_file: images.name.to_owned(),
                images: images.count,
                labels_file: labels.name.to_owned(),
                labels: labels.count,
            });
        }
        // What could be wrong with the images was looked at when they were inflated.
        Images::from_idx(images.bytes.to_vec(), &labels.bytes).map_err(|error| ImportError::File {
            file: labels.name.to_owned(),
            error,
        })
    }

    fn is_named_train(self) -> bool {
        self.images.name.to_ascii_lowercase().contains("train")
    }
}

fn enough(images: usize) -> Result<(), ImportError> {
    if images < FEWEST_TRAINING_IMAGES {
        return Err(ImportError::TooFewImages { images });
    }
    Ok(())
}

/// Inflates a file where it is gzipped, and looks at all that its header says.
fn inflate<'a>(file: &File<'a>) -> Result<Inflated<'a>, ImportError> {
    let name = || file.name.to_owned();
    let bytes = if file.bytes.starts_with(&GZIP_MAGIC) {
        Cow::Owned(gunzip(file)?)
    } else {
        Cow::Borrowed(file.bytes)
    };
    let word = |index: usize| {
        let word = bytes.get(4 * index..4 * index + 4)?;
        Some(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
    };
    let (Some(magic), Some(count)) = (word(0), word(1)) else {
        return Err(ImportError::Short {
            file: name(),
            bytes: bytes.len(),
        });
    };
    let in_file = |error| ImportError::File {
        file: name(),
        error,
    };
    let too_long = bytes.len() > MOST_BYTES;
    match magic {
        IMAGES_MAGIC if count as usize > MOST_IMAGES => {
            return Err(ImportError::TooManyImages {
                images: count as usize,
            });
        }
        IMAGES_MAGIC => {
            if let (Some(rows), Some(columns)) = (word(2), word(3))
                && [rows, columns] != [IMAGE_SIDE as u32; 2]
            {
                return Err(in_file(DatasetError::ImageSize { rows, columns }));
            }
        }
        LABELS_MAGIC => {}
        found => {
            return Err(ImportError::Magic {
                file: name(),
                found,
            });
        }
    }
    // Such a file may have been inflated in part, so its length would say nothing.
    if too_long {
        return Err(ImportError::TooLong { file: name() });
    }
    match magic {
        IMAGES_MAGIC => idx::<3>(&bytes).map(drop),
        _ => idx::<1>(&bytes).map(drop),
    }
    .map_err(in_file)?;
    Ok(Inflated {
        name: file.name,
        bytes,
        magic,
        count: count as usize,
    })
}

/// Inflates a gzip stream, but no more of it than one byte beyond what could be read: a small
/// stream may inflate to anything.
fn gunzip(file: &File) -> Result<Vec<u8>, ImportError> {
    let mut bytes = Vec::new();
    GzDecoder::new(file.bytes)
        .take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => ImportError::Cut {
                file: file.name.to_owned(),
                bytes: file.bytes.len(),
            },
            _ => ImportError::Gzip {
                file: file.name.to_owned(),
                reason: error.to_string(),
            },
        })?;
    Ok(bytes)
}

/// Letters that two names have in common at their beginnings and at their ends, in bytes.
fn likeness(a: &str, b: &str) -> usize {
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

fn hash(files: &[&Inflated]) -> String {
    let hashes: String = files.iter().map(|file| sha256(&file.bytes)).collect();
    sha256(hashes.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::config::Setting;
    use crate::mnist;

    /// Images of which every pixel of image i has the value i mod 251.
    fn images(count: usize) -> Vec<u8> {
        let words = [IMAGES_MAGIC, count as u32, 28, 28];
        let mut file = Vec::from_iter(words.into_iter().flat_map(u32::to_be_bytes));
        file.extend((0..count).flat_map(|image| [(image % 251) as u8; PIXELS]));
        file
    }

    /// Labels of which that of image i is i mod 10.
    fn labels(count: usize) -> Vec<u8> {
        let words = [LABELS_MAGIC, count as u32];
        let mut file = Vec::from_iter(words.into_iter().flat_map(u32::to_be_bytes));
        file.extend((0..count).map(|image| (image % 10) as u8));
        file
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(files: &[(&str, &[u8])]) -> Result<Import, ImportError> {
        let files: Vec<File> = files
            .iter()
            .map(|(name, bytes)| File { name, bytes })
            .collect();
        import(&files)
    }

    /// The error of a pair, and that it says so in words.
    fn refused(images: &[u8], labels: &[u8], sentence: &str) -> ImportError {
        let error = read(&[("i", images), ("l", labels)]).unwrap_err();
        assert_eq!(error.to_string(), sentence);
        error
    }

    #[test]
    fn the_last_seventh_of_one_pair_is_for_tests() {
        let (images, labels) = (images(1_400), labels(1_400));
        let raw = read(&[("i", &images), ("l", &labels)]).unwrap();
        assert_eq!(raw.test_source, TestSource::LastSeventh);
        assert_eq!(raw.dataset.training_len(), 1_200);
        let test = raw.dataset.test().images();
        assert_eq!(test.len(), 200);
        assert_eq!(test.pixels(3), [(1_203 % 251) as u8; PIXELS]);
        assert_eq!(test.labels()[3], 3);

        let zipped = read(&[("l.gz", &gzip(&labels)), ("i.gz", &gzip(&images))]).unwrap();
        assert_eq!(zipped.dataset.hash(), raw.dataset.hash());
        assert_eq!(zipped.dataset.test().images(), test);
    }

    #[test]
    fn the_larger_of_two_pairs_trains() {
        let (large, small) = (images(1_100), images(30));
        let (large_labels, small_labels) = (labels(1_100), labels(30));
        let files: [(&str, &[u8]); 4] = [
            ("a", &small),
            ("b", &large_labels),
            ("c", &large),
            ("d", &small_labels),
        ];
        let import = read(&files).unwrap();
        assert_eq!(import.test_source, TestSource::OwnPair);
        assert_eq!(import.dataset.training_len(), 1_100);
        assert_eq!(import.dataset.test().images().len(), 30);
        let mut turned = files;
        turned.reverse();
        assert_eq!(read(&turned).unwrap().dataset.hash(), import.dataset.hash());
    }

    #[test]
    fn names_tell_pairs_of_one_size_apart() {
        let (images, labels) = (images(1_000), labels(1_000));
        let mut other_labels = labels.clone();
        other_labels[8] = 7;
        let of = |names: [&str; 4]| {
            read(&[
                (names[0], &labels),
                (names[1], &images),
                (names[2], &images),
                (names[3], &other_labels),
            ])
        };
        for names in [
            [
                "t10k-labels-idx1-ubyte",
                "train-images-idx3-ubyte",
                "t10k-images-idx3-ubyte",
                "train-labels-idx1-ubyte",
            ],
            ["labels-test", "images-TRAIN", "images-test", "labels-train"],
        ] {
            let split =
                of(names)
                    .unwrap()
                    .dataset
                    .split(1_000, 0, crate::config::ValidateOn::Split);
            assert_eq!(split.training.images().labels()[0], 7, "{names:?}");
            assert_eq!(split.test.images().labels()[0], 0, "{names:?}");
        }
        assert_eq!(
            of(["1", "2", "3", "4"]).unwrap_err(),
            ImportError::WhichLabels { images: 1_000 }
        );
        assert_eq!(
            of(["a-labels", "b-images", "a-images", "b-labels"]).unwrap_err(),
            ImportError::WhichTrains { images: 1_000 }
        );
    }

    #[test]
    fn mnists_own_files_have_mnists_own_hash() {
        let files = mnist::FILES.each_ref().map(|file| {
            std::fs::read(format!("{}/data/{}", env!("CARGO_MANIFEST_DIR"), file.name)).unwrap()
        });
        let [a, b, c, d] = files.each_ref().map(Vec::as_slice);
        let import = read(&[("4", d), ("2", b), ("1", a), ("3", c)]).unwrap();
        assert_eq!(import.dataset.hash(), mnist::hash());
        assert_eq!(
            import.dataset.training_len(),
            mnist::TRAINING_IMAGES as usize
        );
    }

    #[test]
    fn files_without_their_partners_are_refused() {
        let (images, labels) = (images(2), labels(2));
        for count in [0, 1, 3, 5] {
            let files = vec![("i", images.as_slice()); count];
            assert_eq!(
                read(&files).unwrap_err(),
                ImportError::Files { files: count }
            );
        }
        let error = read(&[("i", &images), ("j", &images)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there are 2 files of images and 0 of labels, but each needs a partner of the other kind"
        );
        let error = read(&[
            ("i", &images),
            ("l", &labels),
            ("m", &labels),
            ("n", &labels),
        ]);
        assert_eq!(
            error.unwrap_err(),
            ImportError::Partner {
                images: 1,
                labels: 3
            }
        );
    }

    #[test]
    fn files_of_another_kind_are_refused() {
        let (good, good_labels) = (images(2), labels(2));
        refused(
            b"PK\x03\x04 and more",
            &good_labels,
            "i starts with 1347093252, not with 2051 as idx images do or 2049 as idx labels do",
        );
        refused(
            &good[..7],
            &good_labels,
            "i has 7 bytes once unpacked, but the header alone has 8",
        );
        for len in [8, 15, 16, good.len() - 1] {
            assert!(matches!(
                read(&[("i", &good[..len]), ("l", &good_labels)]),
                Err(ImportError::File { error: DatasetError::Length { found, .. }, .. }) if found == len
            ));
        }
        refused(&good, &good_labels[..9], "l: the file has 9 bytes, not 10");
        let mut wide = images(2);
        (wide[11], wide[15]) = (32, 32);
        refused(
            &wide,
            &good_labels,
            "i: the images are 32 × 32 pixels, not 28 × 28",
        );
        let mut eleven = labels(2);
        eleven[9] = 11;
        refused(
            &good,
            &eleven,
            "l: label 11 of image 1 is not a digit from 0 to 9",
        );
        refused(&good, &labels(3), "i has 2 images but l has 3 labels");
    }

    #[test]
    fn broken_streams_are_refused() {
        let good_labels = labels(2);
        let zipped = gzip(&images(2));
        let half = &zipped[..zipped.len() / 2];
        let sentence = format!(
            "i is cut off: its gzip stream does not end within its {} bytes",
            half.len()
        );
        refused(half, &good_labels, &sentence);
        for len in 2..zipped.len() {
            assert!(matches!(
                read(&[("i", &zipped[..len]), ("l", &good_labels)]),
                Err(ImportError::Cut { bytes, .. }) if bytes == len
            ));
        }
        let mut damaged = zipped;
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        assert!(matches!(
            read(&[("i", &damaged), ("l", &good_labels)]),
            Err(ImportError::Gzip { .. })
        ));
        let mut bomb = Vec::from(&images(2)[..16]);
        bomb.resize(MOST_BYTES + 2, 0);
        refused(
            &gzip(&bomb),
            &good_labels,
            "i has more than 54880016 bytes once unpacked, and 70000 images have no more",
        );
    }

    #[test]
    fn too_many_and_too_few_images_are_refused() {
        let many = [IMAGES_MAGIC, 70_001, 28, 28].map(u32::to_be_bytes);
        refused(
            many.as_flattened(),
            &labels(2),
            "there are 70001 images, more than the 70000 that Kiln takes",
        );
        // 1,165 less a seventh of 166.
        refused(
            &images(1_165),
            &labels(1_165),
            "999 images are left for training, fewer than the 1000 that a run needs",
        );
        assert!(read(&[("i", &images(1_166)), ("l", &labels(1_166))]).is_ok());
        let (images_, labels_) = (images(1_000), labels(1_000));
        let none = read(&[
            ("i", &images_),
            ("l", &labels_),
            ("j", &images(0)),
            ("m", &labels(0)),
        ]);
        assert_eq!(
            none.unwrap_err(),
            ImportError::NoTestImages {
                file: "j".to_owned()
            }
        );
    }

    #[test]
    fn every_import_can_be_set_to_train() {
        let (least, most) = Setting::TrainingImages.range();
        assert_eq!(least, FEWEST_TRAINING_IMAGES as f64);
        assert!(most <= MOST_IMAGES as f64);
    }
}
