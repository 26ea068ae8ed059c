//! Whatever the bytes, the reader of a run's log answers; and what it gives can be written and read
//! again.
#![no_main]

use kiln_model::config::Config;
use kiln_model::frame;
use kiln_run::log::entry::Entry;
use kiln_run::log::segment::{Reader, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _refused = Reader::default().read(input, |_| ());
    // And as what follows the header.
    let file = frame::wrap(*b"KILN LOG", 1, input);
    let created = Entry::Created {
        config: Box::default(),
        data: "data".to_owned(),
    };
    let mut entries = vec![created];
    let mut reader = Reader::default();
    let first = write(0, &entries, &Config::default().plan()).expect("one entry can be written");
    reader
        .read(&first.bytes, |_| ())
        .expect("what was written can be read");
    let _refused = reader.read(&file, |entry| entries.push(entry));
    let plan = Config::default().plan();
    if let Ok(again) = write(0, &entries, &plan) {
        let mut reread = Vec::new();
        let mut reader = Reader::default();
        // Other settings among them would give other moments.
        let same = |entry: &Entry| !matches!(entry, Entry::Created { .. });
        if entries[1..].iter().all(same) {
            reader
                .read(&again.bytes, |entry| reread.push(entry))
                .expect("what was written can be read");
            // In words, since a number that is none equals nothing.
            assert_eq!(format!("{reread:?}"), format!("{entries:?}"));
        }
    }
});
