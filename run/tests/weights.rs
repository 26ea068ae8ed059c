//! Weights come out of what the exporters of other programs wrote; the files' README says how.

use kiln_model::spec::PARAMETER_COUNT;
use kiln_run::import::weights::{Found, read};

/// A file's bytes.
macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/interop/fixtures/", $name)).as_slice()
    };
}

const STATE_DICT: &[u8] = fixture!("state_dict.pt");
const CHECKPOINT: &[u8] = fixture!("checkpoint.pt");
const SAFETENSORS: &[u8] = fixture!("bfloat16.safetensors");
const TORCHSCRIPT: &[u8] = fixture!("torchscript.onnx");
const DYNAMO: &[u8] = fixture!("dynamo.onnx");
const KERAS_TORCH: &[u8] = fixture!("keras-torch.onnx");
const KERAS_TENSORFLOW: &[u8] = fixture!("keras-tensorflow.onnx");

const OTHER_NAMES: &str = "Its tensors have other names; their shapes say which is which.";
const CHANNELS_LAST: &str =
    "Its features have another order; the dense layer's weights were put in that of PyTorch.";

/// What is in all files.
fn known() -> Vec<f32> {
    let (values, rest) = fixture!("weights.f32").as_chunks();
    assert!(rest.is_empty());
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

/// The bits, so that 0 and −0 differ.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The nearest number of 8 significant bits, of two as near the even one.
fn bfloat16(value: &f32) -> f32 {
    let bits = value.to_bits();
    let odd = bits >> 16 & 1;
    f32::from_bits((bits + 0x7fff + odd) & 0xffff_0000)
}

/// The file may be called anything.
fn found(bytes: &[u8]) -> Found {
    read("weights.bin", bytes).unwrap()
}

#[test]
fn weights_come_back_bit_by_bit() {
    let known = known();
    assert_eq!(known.len(), PARAMETER_COUNT);
    let files: [(&[u8], &[&str]); 5] = [
        (STATE_DICT, &[]),
        (TORCHSCRIPT, &[]),
        (DYNAMO, &[]),
        (KERAS_TORCH, &[OTHER_NAMES, CHANNELS_LAST]),
        (KERAS_TENSORFLOW, &[OTHER_NAMES, CHANNELS_LAST]),
    ];
    for (bytes, remarks) in files {
        let found = found(bytes);
        assert_eq!(found.remarks, remarks);
        assert!(bits(&found.weights) == bits(&known), "{remarks:?}");
    }
}

#[test]
fn coarse_weights_come_back_as_coarse_as_they_were() {
    let found = found(SAFETENSORS);
    let coarse: Vec<f32> = known().iter().map(bfloat16).collect();
    assert!(bits(&found.weights) == bits(&coarse));
    assert_eq!(found.remarks.len(), 1);
    assert!(found.remarks[0].contains("bfloat16"), "{:?}", found.remarks);
}

#[test]
fn views_of_a_shared_storage_come_back() {
    let found = found(CHECKPOINT);
    assert!(found.remarks[0].contains("float16"), "{:?}", found.remarks);
    assert_eq!(found.remarks.len(), 1);
    for (found, known) in found.weights.iter().zip(known()) {
        // Halves have 11 significant bits, and below 2⁻¹⁴ steps of 2⁻²⁴.
        let error = (found - known).abs();
        let most = (known.abs() / 2048.0).max(0.5_f32.powi(25));
        assert!(error <= most, "{found} of {known}");
    }
}
