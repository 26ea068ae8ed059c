//! What is said to each fault.

use super::*;

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
        "i is a zip archive, not images or labels: unpack it and choose the files in it",
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
    // It inflates to a hundred times what its header promises.
    let mut bomb = images(2);
    bomb.resize(1 << 20, 0);
    refused(
        &gzip(&bomb),
        &good_labels,
        "i has more than 1584 bytes once unpacked, and its header promises no more",
    );
}

#[test]
fn too_many_and_too_few_images_are_refused() {
    let many = [IMAGES_MAGIC, 600_001, 28, 28].map(u32::to_be_bytes);
    refused(
        many.as_flattened(),
        &labels(2),
        "there are 600001 images, more than the 600000 that Kiln takes",
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
fn what_is_no_idx_file_is_called_what_it_is() {
    let good = labels(2);
    for (name, bytes, sentence) in [
        (
            "train-images",
            &b"<!DOCTYPE html>"[..],
            "train-images is a web page, not images: the download was probably refused; open its \
             address in the browser and see",
        ),
        (
            "labels.csv",
            b"5,0,0,1",
            "labels.csv is a table in text (CSV), not labels",
        ),
        (
            "x",
            b"",
            "x is empty, not images or labels: the download probably failed",
        ),
        (
            "x",
            b"\x89HDF\r\n\x1a\n",
            "x is an HDF5 file, not images or labels",
        ),
        (
            "x",
            &[0, 0, 8, 9, 0, 0, 0, 0],
            "x holds bytes from 0 to 255 in 9 dimensions, but images have 3 and labels 1",
        ),
        (
            "x",
            &[0, 0, 1, 1, 0, 0, 0, 0],
            "x is of a kind that Kiln does not know, not images or labels",
        ),
    ] {
        for bytes in [bytes.to_vec(), gzip(bytes)] {
            let error = read(&[(name, &bytes), ("l", &good)]).unwrap_err();
            assert_eq!(error.to_string(), sentence);
        }
    }
}

#[test]
fn whatever_the_bytes_there_is_an_answer() {
    use crate::random::{Purpose, numbers};
    use rand_chacha::rand_core::Rng as _;

    let (images, labels) = (images(40), labels(40));
    let qmnist = wide_labels(0x0c, 4, 8, &[3; 40]);
    let packed = [gzip(&images), gzip(&gzip(&labels)), gzip(&qmnist)];
    let good = [images, labels, qmnist].into_iter().chain(packed);
    let good: Vec<Vec<u8>> = good.collect();
    let mut rng = numbers(5, Purpose::Sample, 9);
    let mut below = |most: usize| rng.next_u32() as usize % most;
    for _ in 0..3_000 {
        let mut files: Vec<Vec<u8>> = (0..1 + below(6)).map(|_| good[below(6)].clone()).collect();
        for file in &mut files {
            // The header above all.
            for _ in 0..below(4) {
                let at = if below(2) == 0 {
                    below(20)
                } else {
                    below(file.len())
                };
                file[at] = below(256) as u8;
            }
            if below(3) == 0 {
                file.truncate(below(file.len()));
            }
        }
        let files: Vec<(&str, &[u8])> = files.iter().map(|file| ("f", file.as_slice())).collect();
        // So few images are never enough.
        let sentence = read(&files).unwrap_err().to_string();
        assert!(
            !sentence.is_empty() && !sentence.contains("0x"),
            "{sentence}"
        );
    }
}
