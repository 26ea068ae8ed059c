//! Whatever an HDF5 file says, weights are read out of it or refused.
#![no_main]

use kiln_run::import::weights::read;
use libfuzzer_sys::fuzz_target;

/// What every file begins with.
const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

fuzz_target!(|input: &[u8]| {
    let file = [&SIGNATURE, input].concat();
    if let Ok(found) = read("keras", &file) {
        assert_eq!(found.weights.len(), 34_826);
    }
});
