//! Whatever files a person chooses, there is data or a sentence; and data is what was chosen of it.
#![no_main]

use kiln_model::import::{Choices, looks_transposed};
use kiln_run::data::DataChoices;
use kiln_run::import::data::read;
use kiln_run::protocol::DataFile;
use libfuzzer_sys::fuzz_target;

/// As few as a run needs, and a seventh for tests.
const IMAGES: u32 = 1_167;

fuzz_target!(|input: &[u8]| {
    // The first byte says into how many files the rest is cut, and what is chosen.
    let Some((first, rest)) = input.split_first() else {
        return;
    };
    let choices = DataChoices {
        files: Vec::new(),
        images: Choices {
            transpose: first & 0x80 != 0,
            shuffle: (first & 0x40 != 0).then_some(7),
        },
    };
    let count = usize::from(first % 7);
    let parts = rest.chunks(rest.len().div_ceil(count.max(1)).max(1));
    let names = ["train-images", "train-labels", "t10k-images", "t10k-labels"];
    let files = parts.enumerate().map(|(index, part)| DataFile {
        name: names[index % names.len()].to_owned(),
        bytes: part.to_vec(),
    });
    let files: Vec<DataFile> = files.collect();
    answer(&files, &choices);

    // As labels of images that are right, behind a header that fits them, and as they are.
    let mut images = [
        [0, 0, 8, 3],
        IMAGES.to_be_bytes(),
        [0, 0, 0, 28],
        [0, 0, 0, 28],
    ]
    .concat();
    images.resize(16 + 784 * IMAGES as usize, *first);
    let mut labels = [[0, 0, 8, 1], IMAGES.to_be_bytes()].concat();
    labels.extend(
        rest.iter()
            .map(|byte| byte % 16)
            .cycle()
            .take(IMAGES as usize),
    );
    labels.resize(8 + IMAGES as usize, 0);
    for labels in [labels, rest.to_vec()] {
        let file = |name: &str, bytes: Vec<u8>| DataFile {
            name: name.to_owned(),
            bytes,
        };
        let files = [file("images", images.clone()), file("labels", labels)];
        answer(&files, &choices);
    }
});

fn answer(files: &[DataFile], choices: &DataChoices) {
    match read(files, choices.clone()) {
        Ok((summary, dataset)) => {
            assert_eq!(summary.choices, *choices);
            let [training, test] = dataset.files();
            assert!(
                training
                    .labels()
                    .iter()
                    .chain(test.labels())
                    .all(|label| *label < 10)
            );
            assert!(!test.is_empty());
            let _looks = looks_transposed(training);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
