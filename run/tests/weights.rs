//! Weights come out of what the exporters of other programs wrote; the files' README says how.

use kiln_model::spec::PARAMETER_COUNT;
use kiln_run::import::weights::{Found, read};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

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
const KERAS_3: &[u8] = fixture!("keras3.keras");
const KERAS_3_HDF5: &[u8] = fixture!("keras3.h5");
const KERAS_3_WEIGHTS: &[u8] = fixture!("keras3.weights.h5");
const KERAS_2_HDF5: &[u8] = fixture!("keras2.h5");
const KERAS_2_WEIGHTS: &[u8] = fixture!("keras2-weights.h5");
const CHANNELS_FIRST: &[u8] = fixture!("channels-first.keras");

const OTHER_NAMES: &str = "Its tensors have other names; their shapes say which is which.";
const CHANNELS_LAST: &str =
    "Its features have another order; the dense layer's weights were put in that of PyTorch.";
const NO_CONFIG: &str = "It does not say which order its features have; that of Keras' default was \
                         taken, with channels last.";

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
    let files: [(&[u8], &[&str]); 10] = [
        (STATE_DICT, &[]),
        (TORCHSCRIPT, &[]),
        (DYNAMO, &[]),
        (KERAS_TORCH, &[OTHER_NAMES, CHANNELS_LAST]),
        (KERAS_TENSORFLOW, &[OTHER_NAMES, CHANNELS_LAST]),
        (KERAS_3, &[CHANNELS_LAST]),
        (KERAS_3_HDF5, &[CHANNELS_LAST]),
        (KERAS_3_WEIGHTS, &[OTHER_NAMES, NO_CONFIG]),
        (KERAS_2_HDF5, &[CHANNELS_LAST]),
        (KERAS_2_WEIGHTS, &[NO_CONFIG]),
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

/// Whether these are the known weights after they were halves, and that is all there is to say.
fn assert_halves(found: &Found) {
    assert!(found.remarks[0].contains("float16"), "{:?}", found.remarks);
    assert_eq!(found.remarks.len(), 1);
    for (found, known) in found.weights.iter().zip(known()) {
        // Halves have 11 significant bits, and below 2⁻¹⁴ steps of 2⁻²⁴.
        let error = (found - known).abs();
        let most = (known.abs() / 2048.0).max(0.5_f32.powi(25));
        assert!(error <= most, "{found} of {known}");
    }
}

#[test]
fn views_of_a_shared_storage_come_back() {
    assert_halves(&found(CHECKPOINT));
}

#[test]
fn features_with_channels_first_stay_in_their_order() {
    assert_halves(&found(CHANNELS_FIRST));
}

/// What becomes of a good file after `change`, many times over.
fn changed(seed: u64, mut change: impl FnMut(&mut ChaCha8Rng, &mut Vec<u8>)) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for good in [KERAS_3, KERAS_3_HDF5, KERAS_3_WEIGHTS, KERAS_2_HDF5] {
        for _ in 0..200 {
            let mut bytes = good.to_vec();
            change(&mut random, &mut bytes);
            if let Ok(found) = read("weights.h5", &bytes) {
                assert_eq!(found.weights.len(), PARAMETER_COUNT);
                assert!(found.weights.iter().all(|value| value.is_finite()));
            }
        }
    }
}

#[test]
fn what_is_cut_is_refused() {
    changed(1, |random, bytes| {
        let len = random.random_range(0..bytes.len());
        bytes.truncate(len);
    });
    // Where the values end which are last, nothing else is.
    assert!(read("weights.h5", &KERAS_2_HDF5[..KERAS_2_HDF5.len() / 2]).is_err());
}

#[test]
fn flipped_bytes_never_break_the_reader() {
    changed(2, |random, bytes| {
        for _ in 0..random.random_range(1..20) {
            // Most of what is not values is in the first part.
            let most = if random.random() { bytes.len() } else { 16_000 };
            let at = random.random_range(0..most);
            bytes[at] = random.random();
        }
    });
}

#[test]
fn what_refers_to_other_places_may_refer_anywhere() {
    changed(3, |random, bytes| {
        for _ in 0..random.random_range(1..4) {
            // Addresses and lengths are of 8 bytes and at multiples of 8.
            let at = random.random_range(0..2_000) * 8;
            let value = random.random_range(0..bytes.len() as u64) & !7;
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
    });
}
