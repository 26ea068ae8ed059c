//! Whatever a graph does, weights are read out of it or refused.
#![no_main]

use kiln_run::import::weights::read;
use libfuzzer_sys::fuzz_target;

/// The network's arrays, and its dense layer's weights the other way around.
const ARRAYS: [(&str, &[usize]); 7] = [
    ("conv1.weight", &[32, 1, 3, 3]),
    ("conv1.bias", &[32]),
    ("conv2.weight", &[64, 32, 3, 3]),
    ("conv2.bias", &[64]),
    ("fc.weight", &[10, 1_600]),
    ("fc.bias", &[10]),
    ("fc.turned", &[1_600, 10]),
];

fuzz_target!(|graph: &[u8]| {
    let _refused = read("onnx", graph);
    // Of two messages one behind the other, protobuf makes one: the graph gets arrays.
    let mut file = graph.to_vec();
    let arrays: Vec<u8> = ARRAYS
        .iter()
        .flat_map(|(name, shape)| field(5, &array(name, shape)))
        .collect();
    file.extend(field(7, &arrays));
    if let Ok(found) = read("onnx", &file) {
        assert_eq!(found.weights.len(), 34_826);
    }
});

/// An array of zeros, as a `TensorProto`.
fn array(name: &str, shape: &[usize]) -> Vec<u8> {
    let mut array = Vec::new();
    for side in shape {
        array.push(1 << 3);
        array.extend(varint(*side));
    }
    // Floats.
    array.extend([2 << 3, 1]);
    array.extend(field(8, name.as_bytes()));
    array.extend(field(9, &vec![0; 4 * shape.iter().product::<usize>()]));
    array
}

/// A field that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    field.extend(varint(bytes.len()));
    field.extend(bytes);
    field
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}
