//! Whatever the bytes, an archive is read or refused; and no file of it is longer than was asked for.
#![no_main]

use kiln_run::import::unzip::Archive;
use kiln_run::import::weights::read;
use libfuzzer_sys::fuzz_target;

/// Most bytes to ask for of a file.
const MOST_BYTES: usize = 1 << 16;

fuzz_target!(|input: &[u8]| {
    let _refused = read("zip", input);
    if let Ok(archive) = Archive::open(input) {
        for file in &archive.files {
            if let Ok(bytes) = archive.read(file, MOST_BYTES) {
                assert!(bytes.len() <= MOST_BYTES);
            }
        }
    }
});
