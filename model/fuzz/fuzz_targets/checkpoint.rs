//! Whatever the bytes, the reader answers; and what it accepts can be written and read again.
#![no_main]

use kiln_model::checkpoint::{read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    // As they are, and as the body of a file whose header fits, which reaches the rest.
    let _refused = read(body);
    let mut file = b"KILNCKPT\x01\x00\x00\x00".to_vec();
    file.extend((body.len() as u64).to_le_bytes());
    file.extend(crc32fast::hash(body).to_le_bytes());
    file.extend(body);
    if let Ok(checkpoint) = read(&file) {
        let again = read(&write(&checkpoint).expect("what was read can be written"));
        assert!(again.is_ok());
    }
});
