//! Whatever a header says, weights are read behind it or refused.
#![no_main]

use kiln_run::import::weights::read;
use libfuzzer_sys::fuzz_target;

/// Values of the network.
const VALUES: usize = 34_826;

fuzz_target!(|header: &[u8]| {
    let _refused = read("safetensors", header);
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header);
    file.resize(file.len() + 4 * VALUES, 0);
    if let Ok(found) = read("safetensors", &file) {
        assert_eq!(found.weights.len(), VALUES);
    }
});
