//! Weights come out of what the exporters of other programs wrote; the files' README says how.

use kiln_model::spec::PARAMETER_COUNT;
use kiln_run::export::zip::Zip;
use kiln_run::import::unzip::Archive;
use kiln_run::import::weights::{Found, WeightsError, read};
use rand::{RngExt as _, SeedableRng as _};
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
const NOT_SAID: &str = "It does not say which order its features have; that of Keras' default was \
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
fn any_name(bytes: &[u8]) -> Result<Found, WeightsError> {
    read("weights.bin", bytes)
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
        (KERAS_3_WEIGHTS, &[OTHER_NAMES, NOT_SAID]),
        (KERAS_2_HDF5, &[CHANNELS_LAST]),
        (KERAS_2_WEIGHTS, &[NOT_SAID]),
    ];
    for (bytes, remarks) in files {
        let found = any_name(bytes).unwrap();
        assert_eq!(found.remarks, remarks);
        assert!(bits(&found.weights) == bits(&known), "{remarks:?}");
    }
}

#[test]
fn coarse_weights_come_back_as_coarse_as_they_were() {
    let found = any_name(SAFETENSORS).unwrap();
    let coarse: Vec<f32> = known().iter().map(bfloat16).collect();
    assert!(bits(&found.weights) == bits(&coarse));
    assert_eq!(found.remarks.len(), 1);
    assert!(found.remarks[0].contains("bfloat16"), "{:?}", found.remarks);
}

/// Whether these are the known weights as halves, and that is all there is to say.
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
    assert_halves(&any_name(CHECKPOINT).unwrap());
}

#[test]
fn features_with_channels_first_stay_in_their_order() {
    assert_halves(&any_name(CHANNELS_FIRST).unwrap());
}

/// All that can be read, each whole.
const ALL: [&[u8]; 13] = [
    STATE_DICT,
    CHECKPOINT,
    SAFETENSORS,
    TORCHSCRIPT,
    DYNAMO,
    KERAS_TORCH,
    KERAS_TENSORFLOW,
    KERAS_3,
    KERAS_3_HDF5,
    KERAS_3_WEIGHTS,
    KERAS_2_HDF5,
    KERAS_2_WEIGHTS,
    CHANNELS_FIRST,
];

/// Whatever the bytes are, there is an answer, and weights are those of the network.
fn answers(bytes: &[u8]) {
    match any_name(bytes) {
        Ok(found) => {
            assert_eq!(found.weights.len(), PARAMETER_COUNT);
            assert!(found.weights.iter().all(|value| value.is_finite()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Some bytes of a file are others, or not there, or there twice.
fn altered(bytes: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..4) {
            0 => bytes[at] = random.random(),
            1 => bytes[at] ^= 1 << random.random_range(0..8),
            2 => drop(bytes.remove(at)),
            _ => bytes.insert(at, bytes[at]),
        }
    }
    bytes
}

#[test]
fn a_file_that_is_cut_is_refused() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for file in ALL {
        let begin = 0..300;
        let end = file.len() - 300..file.len();
        let between = (0..100).map(|_| random.random_range(0..file.len()));
        for length in begin.chain(end).chain(between.collect::<Vec<_>>()) {
            // Protobuf does not say where it ends: without the last of what stands behind the
            // weights a model may still be one.
            if let Ok(cut) = any_name(&file[..length]) {
                assert_eq!(cut, any_name(file).unwrap());
                assert!(file.len() - length < 40, "{length}");
            }
        }
    }
}

#[test]
fn an_altered_file_is_answered() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for file in ALL {
        for _ in 0..80 {
            answers(&altered(file, &mut random));
        }
    }
    // What is not values is a small part of ONNX and safetensors, and decides most.
    for file in [SAFETENSORS, DYNAMO, KERAS_TORCH] {
        let (head, tail) = file.split_at(1_000);
        for _ in 0..200 {
            answers(&[&altered(head, &mut random), tail].concat());
        }
        let (head, tail) = file.split_at(file.len() - 4_000);
        for _ in 0..200 {
            answers(&[head, &altered(tail, &mut random)].concat());
        }
    }
}

#[test]
fn an_altered_pickle_is_answered() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for file in [STATE_DICT, CHECKPOINT] {
        let archive = Archive::open(file).unwrap();
        let files: Vec<(&str, Vec<u8>)> = archive
            .files
            .iter()
            .map(|packed| (packed.name.as_str(), archive.read(packed, 1 << 20).unwrap()))
            .collect();
        for _ in 0..300 {
            // The checksums of an archive would refuse it before its pickle is read.
            let mut zip = Zip::new(Vec::new());
            for (name, bytes) in &files {
                let pickle = name.ends_with(".pkl");
                let altered = pickle.then(|| altered(bytes, &mut random));
                zip.store(name, altered.as_ref().unwrap_or(bytes)).unwrap();
            }
            answers(&zip.finish().unwrap());
        }
    }
}

#[test]
fn an_hdf5_file_may_refer_to_anywhere() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for file in [KERAS_3_HDF5, KERAS_3_WEIGHTS, KERAS_2_HDF5, KERAS_2_WEIGHTS] {
        for _ in 0..400 {
            let mut bytes = file.to_vec();
            for _ in 0..random.random_range(1..4) {
                // What is not values is in the first part, with addresses and lengths of 8 bytes, at
                // multiples of 8.
                let at = random.random_range(0..2_000) * 8;
                let other = random.random_range(0..bytes.len() as u64) & !7;
                bytes[at..at + 8].copy_from_slice(&other.to_le_bytes());
            }
            answers(&bytes);
        }
    }
}
