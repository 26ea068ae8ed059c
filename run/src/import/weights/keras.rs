//! Weights out of files of Keras: HDF5, by itself or in a zip archive with a description.
//!
//! Keras 2, and `.h5` of Keras 3, have arrays such as `conv1/conv1/kernel:0` in groups of layers;
//! newer files have them as `layers/conv2d/vars/0`. Kernels are `[rows, columns, in, out]` and the
//! dense layer's weights `[features, out]`, whichever way feature maps lie.

use serde_json::Value;

use super::axes::CHANNELS_FIRST;
use super::found::{Found, WeightsError};
use super::keras_layers::{self, CHANNELS_LAST};
use super::layers::Dense;
use super::named::{Tensor, network};
use super::number::{ByteOrder, Number};
use super::onnx::{OTHER_ORDER, in_order};
use crate::hdf5::read::{self, Kind, Object};
use crate::import::unzip::{Archive, Packed};

/// The file with the weights in an archive.
pub const WEIGHTS: &str = "model.weights.h5";
/// The file with the description.
const CONFIG: &str = "config.json";
/// Most bytes of either.
const WEIGHTS_BYTES: usize = 1 << 26;
const CONFIG_BYTES: usize = 1 << 20;
/// What groups at the root begin with that hold no weights of layers.
const OTHER_GROUPS: [&str; 2] = ["/optimizer", "/metrics"];

/// The weights in an archive whose file [`WEIGHTS`] this is.
pub fn read_archive(archive: &Archive, weights: &Packed) -> Result<Found, WeightsError> {
    let config = archive.files.iter().find(|file| file.name == CONFIG);
    let config = config.map(|config| archive.read(config, CONFIG_BYTES));
    let weights = archive.read(weights, WEIGHTS_BYTES)?;
    found(&objects(&weights)?, config.transpose()?.as_deref())
}

/// The weights in an HDF5 file.
pub fn read(bytes: &[u8]) -> Result<Found, WeightsError> {
    let objects = objects(bytes)?;
    let config = objects.first().and_then(|root| root.text("model_config"));
    found(&objects, config.map(str::as_bytes))
}

fn objects(bytes: &[u8]) -> Result<Vec<Object<'_>>, WeightsError> {
    let wanted = |path: &str| !OTHER_GROUPS.iter().any(|group| path.starts_with(group));
    Ok(read::read(bytes, wanted)?)
}

fn found(objects: &[Object], config: Option<&[u8]>) -> Result<Found, WeightsError> {
    let described = match config {
        Some(config) if config.len() > CONFIG_BYTES => {
            let reason = format!("its description is larger than {} MB", CONFIG_BYTES >> 20);
            return Err(WeightsError::OtherNetwork(reason));
        }
        Some(config) => {
            let config: Value =
                serde_json::from_slice(config).map_err(|error| WeightsError::Damaged {
                    format: "Keras",
                    reason: error.to_string(),
                })?;
            keras_layers::flattened(&config)?
        }
        None => None,
    };
    let dense = Dense {
        features_first: true,
        flattened: described.unwrap_or(CHANNELS_LAST),
    };
    let arrays = objects.iter().filter(|object| object.array.is_some());
    let names: Vec<_> = arrays
        .map(|object| (name(object, objects), object))
        .collect();
    let named = names.iter().map(|(name, object)| tensor(name, object));
    let tensors: Vec<_> = named.flatten().collect();
    let mut found = network(&tensors, |tensor, number| {
        let values = number.values(tensor.place.values()?, order(tensor.place));
        Ok(match *tensor.shape {
            [outputs, inputs, _, _] => kernels(&values, outputs, inputs),
            [_, _] => in_order(&values, dense),
            _ => values,
        })
    })?;
    let remark = match described {
        Some(CHANNELS_FIRST) => None,
        Some(_) => Some(OTHER_ORDER),
        None => Some(
            "It does not say which order its features have; that of Keras' default was taken, \
             with channels last.",
        ),
    };
    found.remarks.extend(remark.map(str::to_owned));
    Ok(found)
}

/// An array as PyTorch would lay it out; nothing for a group.
fn tensor<'o, 'a>(name: &'o str, object: &'o Object<'a>) -> Option<Tensor<'o, &'o Object<'a>>> {
    let array = object.array.as_ref()?;
    let shape = match *array.shape {
        [rows, columns, inputs, outputs] => vec![outputs, inputs, rows, columns],
        [features, outputs] => vec![outputs, features],
        _ => array.shape.clone(),
    };
    let number = match array.kind {
        Kind::Float { bits, fraction, .. } => match (bits, fraction) {
            (16, 10) => Some(Number::Half),
            (16, 7) => Some(Number::Brain),
            (32, _) => Some(Number::Single),
            (64, _) => Some(Number::Double),
            _ => None,
        },
        // h5py has no other way to keep them.
        Kind::Opaque(2) if object.text("dtype") == Some("bfloat16") => Some(Number::Brain),
        _ => None,
    };
    Some(Tensor {
        name,
        shape,
        number,
        place: object,
    })
}

/// A name such as `conv1.weight`.
fn name(object: &Object, objects: &[Object]) -> String {
    let (group, own) = object.path.rsplit_once('/').unwrap_or_default();
    // Newer files give the layer's name as an attribute of the group, and it has no other.
    let (layer, is_newer) = match group.strip_suffix("/vars") {
        Some(layer) => (layer, true),
        None => (group, false),
    };
    let said = || {
        let group = objects.iter().find(|object| object.path == group)?;
        group.text("name").filter(|_| is_newer)
    };
    let layer = said().or_else(|| layer.rsplit('/').next());
    let own = match own.strip_suffix(":0").unwrap_or(own) {
        "kernel" => "weight",
        "0" if is_newer => "weight",
        "1" if is_newer => "bias",
        own => own,
    };
    match layer {
        Some(layer) if !layer.is_empty() => format!("{layer}.{own}"),
        _ => own.to_owned(),
    }
}

fn order(object: &Object) -> ByteOrder {
    match object.array.as_ref().map(|array| array.kind) {
        Some(Kind::Float {
            is_big_endian: true,
            ..
        }) => ByteOrder::Big,
        _ => ByteOrder::Little,
    }
}

/// The values of kernels `[rows, columns, in, out]` as `[out, in, rows, columns]`.
fn kernels(values: &[f32], outputs: usize, inputs: usize) -> Vec<f32> {
    let places = values.len() / (outputs * inputs).max(1);
    let source = |index: usize| {
        let (kernel, place) = (index / places, index % places);
        let (output, input) = (kernel / inputs, kernel % inputs);
        (place * inputs + input) * outputs + output
    };
    let indices = (0..values.len()).map(source);
    let found = indices.filter_map(|index| values.get(index));
    found.copied().collect()
}

#[cfg(test)]
mod tests {
    use kiln_model::spec::{PARAMETERS, Parameter};

    use super::*;
    use crate::export::tests::exported;
    use crate::hdf5::{Array, Group, write};
    use crate::import::unzip::tests::zipped;
    use crate::import::weights;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn our_own_files_come_back_bit_by_bit() {
        let run = scored_run();
        for ending in [".keras", ".h5"] {
            // The last weights go with the state of the optimiser.
            for which in [Weights::Best, Weights::Last] {
                let file = exported(ending, &run, which, Vec::new()).unwrap();
                let found = weights::read("run", &file).unwrap();
                let written = run.weights(which).unwrap().unwrap();
                let bits = |values: &[f32]| -> Vec<u32> {
                    values.iter().map(|value| value.to_bits()).collect()
                };
                assert!(bits(&found.weights) == bits(&written), "{ending}");
            }
        }
    }

    /// A file of `save_weights` whose arrays were changed.
    fn saved(change: impl Fn(&Parameter, &mut Group)) -> Vec<u8> {
        let mut root = Group::default();
        for parameter in &PARAMETERS {
            let (layer, name) = parameter.name.split_once('.').unwrap();
            let name = if name == "weight" {
                "kernel:0"
            } else {
                "bias:0"
            };
            let shape = match *parameter.shape {
                [outputs, inputs, rows, columns] => vec![rows, columns, inputs, outputs],
                [outputs, features] => vec![features, outputs],
                _ => parameter.shape.to_vec(),
            };
            let group = root.group(layer).group(layer);
            group.put(name, Array::f32(shape, vec![0.5; parameter.len()]));
            change(parameter, group);
        }
        write(&root).unwrap()
    }

    fn refused(bytes: &[u8], words: &str) {
        let error = weights::read("model.h5", bytes).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_name() {
        assert!(weights::read("model.h5", &saved(|_, _| ())).is_ok());
        let is_fc = |parameter: &Parameter| parameter.name == "fc.weight";
        let bytes = saved(|parameter, group| {
            if is_fc(parameter) {
                let values = vec![0.5; 3_136 * 10];
                group.put("kernel:0", Array::f32(vec![3_136, 10], values));
            }
        });
        refused(&bytes, "\"fc.weight\" of shape [10, 3136]");
        let bytes = saved(|parameter, group| {
            if is_fc(parameter) {
                group.arrays.clear();
            }
        });
        refused(&bytes, "no fc.weight");
        let bytes = saved(|_, group| group.put("gamma:0", Array::f32(vec![32], vec![1.0; 32])));
        refused(&bytes, "gamma");
        let bytes = saved(|parameter, group| {
            if is_fc(parameter) {
                let mut values = vec![0.5; parameter.len()];
                values[7] = f32::NAN;
                group.put("kernel:0", Array::f32(vec![1_600, 10], values));
            }
        });
        refused(&bytes, "\"fc.weight\" with values that are no number");
        let bytes = saved(|parameter, group| {
            if is_fc(parameter) {
                group.put("kernel:0", Array::f32(vec![1_600, 10], vec![0.5; 7]));
            }
        });
        refused(&bytes, "more or fewer values");
    }

    #[test]
    fn what_is_no_weights_of_layers_is_left_out() {
        let mut root = Group::default();
        root.group("optimizer/vars").put("0", Array::i32(3));
        root.group("optimizer_weights")
            .put("iteration:0", Array::i32(3));
        root.group("metrics/mean/vars").put("0", Array::i32(3));
        let bytes = write(&root).unwrap();
        refused(&bytes, "what else it has is nothing");
        refused(&zipped(&[(WEIGHTS, &bytes)]), "what else it has is nothing");
        let broken = [(WEIGHTS, bytes.as_slice()), (CONFIG, b"{")];
        refused(&zipped(&broken), "no whole Keras file");
        refused(&zipped(&[(CONFIG, b"{}")]), "none that PyTorch or Keras");
    }
}
