//! Files as they are chosen.

mod faults;

use super::unpack::tests::gzip;
use super::*;
use crate::config::Setting;
use crate::dataset::Part;
use crate::mnist;

/// What a file of images starts with, and one of labels.
const IMAGES_MAGIC: u32 = 2051;
const LABELS_MAGIC: u32 = 2049;

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

fn read(files: &[(&str, &[u8])]) -> Result<Import, ImportError> {
    let files: Vec<File> = files
        .iter()
        .map(|(name, bytes)| File { name, bytes })
        .collect();
    import(&files, Choices::default())
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
        let split = of(names)
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
fn every_import_can_be_set_to_train() {
    let (least, most) = Setting::TrainingImages.range();
    assert_eq!(least, FEWEST_TRAINING_IMAGES as f64);
    assert!(most <= MOST_IMAGES as f64);
}

/// What MNIST's file of this place holds, unpacked.
fn mnist_file(index: usize) -> Vec<u8> {
    let path = format!(
        "{}/data/{}",
        env!("CARGO_MANIFEST_DIR"),
        mnist::FILES[index].name
    );
    let bytes = std::fs::read(path).unwrap();
    let unpacking = unpack::Unpacking::begin(File {
        name: "mnist",
        bytes: &bytes,
    });
    unpacking.unwrap().finish(MOST_BYTES).unwrap().into_owned()
}

/// Labels as numbers of another kind, so many columns of them of which the others are 7.
fn wide_labels(code: u8, width: usize, columns: usize, labels: &[i32]) -> Vec<u8> {
    let axes = if columns == 1 { 1 } else { 2 };
    let mut file = vec![0, 0, code, axes];
    file.extend((labels.len() as u32).to_be_bytes());
    if columns > 1 {
        file.extend((columns as u32).to_be_bytes());
    }
    for label in labels {
        for number in std::iter::once(label).chain(std::iter::repeat_n(&7, columns - 1)) {
            file.extend(&number.to_be_bytes()[4 - width..]);
        }
    }
    file
}

#[test]
fn labels_of_any_whole_numbers_are_read_and_columns_are_told() {
    let images = images(1_200);
    let digits: Vec<i32> = (0..1_200).map(|index| index % 10).collect();
    let plain = read(&[("i", &images), ("l", &labels(1_200))]).unwrap();
    assert_eq!(plain.remarks, []);
    for (code, width, columns) in [(0x09, 1, 1), (0x0b, 2, 1), (0x0c, 4, 1), (0x0c, 4, 8)] {
        let wide = wide_labels(code, width, columns, &digits);
        let import = read(&[("i", &images), ("l", &gzip(&wide))]).unwrap();
        assert_eq!(
            import.dataset.test().images(),
            plain.dataset.test().images()
        );
        let expected = (columns > 1).then(|| Remark::FirstColumn {
            file: "l".to_owned(),
            columns: 8,
        });
        assert_eq!(import.remarks, Vec::from_iter(expected));
    }
    for (label, sentence) in [
        (-1, "l: label -1 of image 1 is not a digit from 0 to 9"),
        (256, "l: label 256 of image 1 is not a digit from 0 to 9"),
    ] {
        refused(
            &images,
            &wide_labels(0x0c, 4, 1, &[&[0, label], &digits[2..]].concat()),
            sentence,
        );
    }
    for (code, width, columns, holds) in [
        (0x0d, 4, 1, "32-bit floating-point numbers, 1200"),
        (0x0e, 8, 1, "64-bit floating-point numbers, 1200"),
        (0x0c, 4, 5, "32-bit whole numbers, 1200 × 5"),
        (0x08, 1, 8, "bytes from 0 to 255, 1200 × 8"),
    ] {
        let sentence = format!(
            "l holds {holds}: images are bytes from 0 to 255, count × 28 × 28, and labels are \
             whole numbers, one an image"
        );
        let file = wide_labels(code, width.min(4), columns, &digits);
        refused(&images, &file, &sentence);
    }
}

#[test]
fn of_other_numbers_of_files_the_names_say_the_pairs() {
    let (images, labels) = (images(2), labels(2));
    let pair = |images: &str, labels: &str, part| PairNames {
        images: images.to_owned(),
        labels: labels.to_owned(),
        count: 2,
        part,
    };
    let train = pair("train-images", "train-labels", Some(Part::Training));
    let error = read(&[
        ("train-labels", &labels),
        ("t10k-images", &images),
        ("train-images", &images),
    ])
    .unwrap_err();
    assert_eq!(
        error,
        ImportError::WhichPairs {
            pairs: vec![train.clone()],
            alone: vec!["t10k-images".to_owned()],
        }
    );
    assert_eq!(
        error.to_string(),
        "there is 1 pair of files by the names: train-images with train-labels, and without a \
         partner: t10k-images. Choose the files of one of them, or of two (training and test)"
    );
    let error = read(&[
        ("test-images.gz", &gzip(&images)),
        ("train-images", &images),
        ("valid-images", &images),
        ("train-labels", &labels),
        ("test-labels", &labels),
        ("valid-labels", &labels),
    ]);
    assert_eq!(
        error.unwrap_err(),
        ImportError::WhichPairs {
            pairs: vec![
                pair("test-images.gz", "test-labels", Some(Part::Test)),
                train,
                pair("valid-images", "valid-labels", Some(Part::Validation)),
            ],
            alone: Vec::new(),
        }
    );
    // Names that say nothing make no pairs.
    let files: Vec<(&str, &[u8])> = vec![("a", &images), ("b", &labels), ("c", &images)];
    assert_eq!(read(&files).unwrap_err(), ImportError::Files { files: 3 });
}

#[test]
fn images_are_turned_and_shuffled_by_choice_and_the_hash_tells() {
    let with =
        |files: &[File], transpose, shuffle| import(files, Choices { transpose, shuffle }).unwrap();
    let [labels, images] = [1, 2].map(mnist_file);
    let files = [("i", &images), ("l", &labels)].map(|(name, bytes)| File { name, bytes });
    let plain = with(&files, false, None);
    assert_eq!(plain.remarks, []);
    let turned = with(&files, true, None);
    assert_eq!(turned.remarks, [Remark::LooksTransposed]);
    let shuffled = with(&files, false, Some(7));
    assert_eq!(shuffled.remarks, []);
    let hashes = [
        &plain,
        &turned,
        &shuffled,
        &with(&files, true, Some(7)),
        &with(&files, false, Some(8)),
    ]
    .map(|import| import.dataset.hash().to_owned());
    for (index, hash) in hashes.iter().enumerate() {
        assert_eq!(hashes.iter().position(|other| other == hash), Some(index));
    }

    // Turned files are put right by the choice.
    let mut on_side = images.clone();
    transpose(&mut on_side[16..]);
    let right = with(
        &[
            File {
                name: "i",
                bytes: &on_side,
            },
            files[1],
        ],
        true,
        None,
    );
    assert_eq!(right.remarks, []);
    assert_eq!(right.dataset.files(), plain.dataset.files());

    // Sorted by class, the last seventh is all nines and eights; shuffled, it is of all digits.
    let mut order: Vec<usize> = (0..10_000).collect();
    order.sort_by_key(|index| labels[8 + index]);
    let mut sorted = [images[..16].to_vec(), labels[..8].to_vec()];
    for index in order {
        sorted[0].extend(&images[16 + PIXELS * index..16 + PIXELS * (index + 1)]);
        sorted[1].push(labels[8 + index]);
    }
    let files = [("i", &sorted[0]), ("l", &sorted[1])].map(|(name, bytes)| File { name, bytes });
    let import = with(&files, false, None);
    assert_eq!(import.remarks, [Remark::SortedByClass]);
    assert!(
        import
            .dataset
            .test()
            .images()
            .labels()
            .iter()
            .all(|digit| *digit >= 8)
    );
    let shuffled = with(&files, false, Some(7));
    assert_eq!(shuffled.remarks, []);
    for digit in 0..10 {
        assert!(shuffled.dataset.test().images().labels().contains(&digit));
    }
}
