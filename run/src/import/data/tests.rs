//! Data as people have it.

use std::io::Write as _;

use super::*;
use crate::classes::Classes;
use crate::import::unzip::tests::zipped;
use kiln_model::dataset::Part;
use kiln_model::spec::PIXELS;

fn idx(axes: &[u32], values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let magic = 0x0800 + axes.len() as u32;
    let words = std::iter::once(magic).chain(axes.iter().copied());
    let mut file: Vec<u8> = words.flat_map(u32::to_be_bytes).collect();
    file.extend(values);
    file
}

/// Images of one value and their labels.
fn pair(count: usize, value: u8) -> [Vec<u8>; 2] {
    [
        idx(
            &[count as u32, 28, 28],
            std::iter::repeat_n(value, PIXELS * count),
        ),
        idx(
            &[count as u32],
            (0..count).map(|image| (image * 7 % 10) as u8),
        ),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn summary_of(files: &[(&str, &[u8])], choices: DataChoices) -> Result<DataSummary, DataError> {
    let files: Vec<DataFile> = files
        .iter()
        .map(|(name, bytes)| DataFile {
            name: (*name).to_owned(),
            bytes: bytes.to_vec(),
        })
        .collect();
    read(&files, choices).map(|(summary, _)| summary)
}

fn sentence(files: &[(&str, &[u8])]) -> String {
    let error = summary_of(files, DataChoices::default()).unwrap_err();
    error.to_string()
}

#[test]
fn data_is_the_same_in_archives_and_beside_them() {
    let [images, labels] = pair(1_400, 3);
    let [test_images, test_labels] = pair(30, 4);
    let plain: [(&str, &[u8]); 4] = [
        ("train-images", &images),
        ("train-labels", &labels),
        ("test-images", &test_images),
        ("test-labels", &test_labels),
    ];
    let expected = summary_of(&plain, DataChoices::default()).unwrap();
    assert_eq!(
        (expected.training_images, expected.test_images),
        (1_400, 30)
    );
    assert_eq!(expected.remarks, []);

    let packed = gzip(&images);
    let whole = zipped(&[
        ("a/train-images.gz", &packed),
        ("__MACOSX/a/._train-images.gz", b"x"),
        ("a/README.md", b"About these."),
        ("a/b/train-labels", &labels),
        ("test-images", &test_images),
        ("test-labels", &test_labels),
    ]);
    let one = summary_of(&[("data.zip", &whole)], DataChoices::default()).unwrap();
    assert_eq!(one.hash, expected.hash);
    let left_out = Remark::LeftOut {
        files: vec!["data.zip/a/README.md".to_owned()],
    };
    assert_eq!(one.remarks, [left_out]);

    let train = zipped(&[plain[0], plain[1]]);
    let test = zipped(&[plain[2]]);
    let beside = summary_of(
        &[
            ("train.zip", &train),
            ("._test.zip", b"of macOS"),
            (".DS_Store", b"of macOS"),
            ("test.zip", &test),
            plain[3],
        ],
        DataChoices::default(),
    );
    assert_eq!(beside.unwrap(), expected);
}

#[test]
fn of_several_pairs_those_chosen_are_taken() {
    let files: Vec<[Vec<u8>; 2]> = (0..3).map(|value| pair(1_400, value)).collect();
    let names = ["letters", "digits-test", "digits-train"];
    let names = names.map(|name| [format!("{name}-images.gz"), format!("{name}-labels")]);
    let images: Vec<Vec<u8>> = files.iter().map(|[images, _]| gzip(images)).collect();
    let mut entries: Vec<(&str, &[u8])> = Vec::new();
    for ((names, images), [_, labels]) in names.iter().zip(&images).zip(&files) {
        entries.push((&names[0], images));
        entries.push((&names[1], labels));
    }
    let zip = zipped(&entries);
    let error = summary_of(&[("e.zip", &zip)], DataChoices::default()).unwrap_err();
    let pairs = error.pairs();
    assert_eq!(pairs.len(), 3);
    assert_eq!(pairs[1].images, "e.zip/digits-train-images.gz");
    assert_eq!(pairs[1].labels, "e.zip/digits-train-labels");
    assert_eq!(
        (pairs[1].count, pairs[1].part),
        (1_400, Some(Part::Training))
    );
    assert!(error.to_string().starts_with(
        "there are 3 pairs of files by the names: e.zip/digits-test-images.gz with \
         e.zip/digits-test-labels; "
    ));

    let chosen = |pairs: &[PairNames]| DataChoices {
        files: pairs
            .iter()
            .flat_map(|pair| [pair.images.clone(), pair.labels.clone()])
            .collect(),
        ..DataChoices::default()
    };
    let one = summary_of(&[("e.zip", &zip)], chosen(&pairs[2..])).unwrap();
    assert_eq!((one.training_images, one.is_test_cut_off), (1_200, true));
    let two = summary_of(&[("e.zip", &zip)], chosen(&pairs[..2])).unwrap();
    assert_eq!((two.training_images, two.test_images), (1_400, 1_400));
    assert_eq!(two.choices, chosen(&pairs[..2]));
    let mut missing = chosen(&pairs[..1]);
    missing.files[0] = "e.zip/none".to_owned();
    assert_eq!(
        summary_of(&[("e.zip", &zip)], missing)
            .unwrap_err()
            .to_string(),
        "e.zip/none was chosen, but is not among the files"
    );
}

#[test]
fn files_that_an_archive_holds_twice_count_once() {
    let ([images, labels], [more, others]) = (pair(1_100, 1), pair(40, 2));
    let twice: [(&str, &[u8]); 8] = [
        ("t10k-images/t10k-images", &more),
        ("t10k-images.idx3-ubyte", &more),
        ("t10k-labels/t10k-labels", &others),
        ("t10k-labels.idx1-ubyte", &others),
        ("train-images/train-images", &images),
        ("train-images.idx3-ubyte", &images),
        ("train-labels/train-labels", &labels),
        ("train-labels.idx1-ubyte", &labels),
    ];
    let summary = summary_of(&[("k.zip", &zipped(&twice))], DataChoices::default()).unwrap();
    assert_eq!((summary.training_images, summary.test_images), (1_100, 40));
    assert_eq!(summary.remarks.len(), 4);
    assert_eq!(
        crate::data::remark(&summary.remarks[0]),
        "k.zip/t10k-images.idx3-ubyte was left out: it is the same as \
         k.zip/t10k-images/t10k-images."
    );
    // Labels that two sets of images share are no mistake.
    let shared: [(&str, &[u8]); 6] = [
        ("a-images", &more),
        ("a-labels", &others),
        ("b-images", &pair(40, 9)[0]),
        ("b-labels", &others),
        ("c-images", &images),
        ("c-labels", &labels),
    ];
    let error = summary_of(&shared, DataChoices::default()).unwrap_err();
    assert_eq!(error.pairs().len(), 3);
}

#[test]
fn archives_of_other_things_are_called_what_they_are() {
    let [images, labels] = pair(2, 1);
    assert_eq!(
        sentence(&[("mnist.npz", &zipped(&[("x_test.npy", b"\x93NUMPY\x01\0")]))]),
        "mnist.npz holds no idx files of images or labels; x_test.npy in it is a NumPy array"
    );
    assert_eq!(sentence(&[("a.zip", &zipped(&[]))]), "a.zip holds no files");
    let whole = zipped(&[("images", &images), ("labels", &labels)]);
    assert!(
        sentence(&[("a.zip", &whole[..whole.len() - 1])]).starts_with("a.zip is no whole zip file")
    );
    let page = zipped(&[("images", b"<html>no</html>"), ("labels", &labels)]);
    // The labels alone are left.
    assert_eq!(
        sentence(&[("a.zip", &page)]),
        "Kiln takes 2 files (images and labels) or 4 (training and test), not 1"
    );
    // A file that is cut off is no other thing.
    let cut = gzip(&images);
    let cut = zipped(&[("images.gz", &cut[..cut.len() / 2]), ("labels", &labels)]);
    assert!(sentence(&[("a.zip", &cut)]).starts_with("a.zip/images.gz is cut off"));
    assert_eq!(
        sentence(&[("labels.zip", b"<!doctype html>"), ("images", &images)]),
        "labels.zip is a web page, not labels: the download was probably refused; open its \
         address in the browser and see"
    );
}

#[test]
fn whatever_was_altered_there_is_an_answer() {
    let [images, labels] = pair(3, 1);
    let good = zipped(&[("images", &images), ("labels.gz", &gzip(&labels))]);
    for at in (0..good.len()).filter(|at| *at < 60 || at + 700 > good.len()) {
        for value in [0, 1, 0x80, 0xff] {
            let mut altered = good.clone();
            altered[at] ^= value;
            let said = sentence(&[("a.zip", &altered)]);
            assert!(!said.is_empty());
        }
        assert!(!sentence(&[("a.zip", &good[..at])]).is_empty());
    }
}

/// The labels are Fashion-MNIST's own: `data/fashion/train-labels-idx1-ubyte.gz` of its repository,
/// <https://github.com/zalandoresearch/fashion-mnist> (MIT licence), whose MD5 its page names.
#[test]
fn fashion_mnist_is_known_by_its_labels() {
    let labels = include_bytes!("fashion-mnist-train-labels.gz");
    let images = gzip(&pair(60_000, 3)[0]);
    let files: [(&str, &[u8]); 2] = [("images.gz", &images), ("labels.gz", labels)];
    let known = |choices| {
        let summary = summary_of(&files, choices).unwrap();
        Classes::known(&summary.labels_sha256)
    };
    assert_eq!(known(DataChoices::default()).unwrap().name(9), "Ankle boot");
    // However they are arranged they are Fashion-MNIST's.
    let mut shuffled = DataChoices::default();
    shuffled.images.shuffle = Some(1);
    assert!(known(shuffled).is_some());
    let [images, labels] = pair(1_400, 3);
    let other = [("images", &*images), ("labels", &*labels)];
    let other = summary_of(&other, DataChoices::default()).unwrap();
    assert_eq!(other.labels_sha256.len(), 64);
    assert_eq!(Classes::known(&other.labels_sha256), None);
}
