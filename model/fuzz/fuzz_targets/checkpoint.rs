//! Whatever the bytes, the reader answers; and what it accepts can be written and read again.
#![no_main]

use kiln_model::checkpoint::{history, read, write};
use kiln_model::frame;
use libfuzzer_sys::fuzz_target;

/// More than the tensors of any checkpoint of so few measurements take.
const MOST_TENSOR_BYTES: u64 = 1 << 20;

fuzz_target!(|input: &[u8]| {
    // As a file, as what follows the file's own header, and as the header of the tensors.
    let _refused = read(input);
    accept(input);
    if let Some(tensor_bytes) = promised(input) {
        let mut body = (input.len() as u64).to_le_bytes().to_vec();
        body.extend(input);
        body.resize(body.len() + tensor_bytes, 0);
        accept(&body);
    }
});

/// The tensor bytes that a header in safetensors' JSON promises.
fn promised(header: &[u8]) -> Option<usize> {
    let tensors: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(header).ok()?;
    let ends = tensors
        .values()
        .filter_map(|tensor| tensor.get("data_offsets")?.get(1)?.as_u64());
    let most = ends.max().filter(|most| *most <= MOST_TENSOR_BYTES)?;
    usize::try_from(most).ok()
}

/// Reads a body behind a header that fits it.
fn accept(body: &[u8]) {
    let first_version = frame::wrap(*b"KILNCKPT", 1, body);
    let _refused = history(&first_version);
    let file = frame::wrap(*b"KILNCKPT", 2, body);
    if let Ok(checkpoint) = read(&file) {
        let again = write(&checkpoint).expect("what was read can be written");
        // Compared as files, since a number that is none equals nothing.
        let reread = read(&again).expect("what was written can be read");
        assert_eq!(write(&reread).expect("it was written before"), again);
    }
}
