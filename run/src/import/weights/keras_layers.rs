//! Whether the layers that Keras describes are this network's, and how its features lie. What each
//! layer does is at <https://keras.io/api/layers/>.

use serde_json::Value;

use super::WeightsError;
use super::graph::other;
use super::layers::{Axis, CHANNELS_FIRST};
use super::named::shown;

/// How feature maps lie in Keras, where nothing else is said.
pub const CHANNELS_LAST: [Axis; 3] = [Axis::Row, Axis::Column, Axis::Channel];
/// Most pixel values that a layer may divide by.
const WHITE: f64 = 255.0;

/// What makes up the network. Activation and pooling may change places: the largest of some values
/// stays the largest.
const BLOCKS: [[&str; 3]; 2] = [
    ["Conv2D", "relu", "MaxPooling2D"],
    ["Conv2D", "MaxPooling2D", "relu"],
];

/// The order in which feature maps become features, the last axis running fastest, by the
/// description of a model that computes what this network does; nothing where it has no layers, since
/// they are code.
///
/// # Errors
/// A model that does anything else, or of which that cannot be told.
pub fn flattened(model: &Value) -> Result<Option<[Axis; 3]>, WeightsError> {
    let mut walk = Walk {
        maps: CHANNELS_LAST,
        features: CHANNELS_LAST,
        steps: Vec::new(),
    };
    let Some(layers) = layers(model) else {
        return Ok(None);
    };
    walk.all(layers)?;
    let (blocks, rest) = walk.steps.as_chunks::<3>();
    let (blocks, more) = blocks.split_at_checked(2).unwrap_or((blocks, &[]));
    let blocks_fit = blocks.len() == 2 && blocks.iter().all(|block| BLOCKS.contains(block));
    let rest = more.as_flattened().iter().chain(rest).copied();
    let rest: Vec<&str> = rest.collect();
    if !blocks_fit || !matches!(rest[..], ["Flatten", "Dense"] | ["Flatten", "Dense", "softmax"]) {
        return Err(other(format!("its layers are {}", walk.steps.join(", "))));
    }
    Ok(Some(walk.features))
}

/// The layers of a model. Old files list them without more.
fn layers(model: &Value) -> Option<&[Value]> {
    let config = model.get("config")?;
    let layers = config.get("layers").unwrap_or(config);
    layers.as_array().map(Vec::as_slice)
}

/// Somewhere on the way through the layers.
struct Walk<'a> {
    /// How the last feature maps lie.
    maps: [Axis; 3],
    /// How the features lie that were made of them.
    features: [Axis; 3],
    /// What was computed.
    steps: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn all(&mut self, layers: &'a [Value]) -> Result<(), WeightsError> {
        layers.iter().try_for_each(|layer| self.step(layer))
    }

    /// Goes on by a layer.
    fn step(&mut self, layer: &'a Value) -> Result<(), WeightsError> {
        let class = layer["class_name"].as_str().unwrap_or_default();
        if let Some(inner) = layers(layer) {
            return self.all(inner);
        }
        let config = &layer["config"];
        let odd = |what: &str| other(format!("{} has {what}", shown(class)));
        let is_valid = config["padding"] == "valid";
        match class {
            "InputLayer" | "Dropout" | "SpatialDropout2D" => {}
            "Reshape" if self.steps.is_empty() => {}
            "Rescaling" if self.steps.is_empty() => {
                let scale = config["scale"].as_f64().unwrap_or_default();
                if (scale * WHITE - 1.0).abs() > 1e-6 || !all(config, "offset", 0) {
                    return Err(odd("another scale"));
                }
            }
            "Conv2D" => {
                let ones = ["strides", "dilation_rate", "groups"];
                if !is_valid || !ones.iter().all(|name| all(config, name, 1)) {
                    return Err(odd("other strides, dilations, groups or padding"));
                }
                self.maps = axes(config);
                self.steps.push("Conv2D");
                self.activate(config, "activation");
            }
            "MaxPooling2D" => {
                let window = ["pool_size", "strides"];
                let same = window.iter().all(|name| all(config, name, 2));
                if !same || !is_valid || axes(config) != self.maps {
                    return Err(odd("another window"));
                }
                self.steps.push("MaxPooling2D");
            }
            "Activation" => self.activate(config, "activation"),
            "ReLU" => {
                let slopes = ["negative_slope", "threshold"];
                let plain = slopes.iter().all(|name| all(config, name, 0));
                if !plain || !config["max_value"].is_null() {
                    return Err(odd("another slope or limit"));
                }
                self.steps.push("relu");
            }
            "Softmax" => self.steps.push("softmax"),
            "Flatten" => {
                // It takes channels to be last unless it is told, and puts the second axis last where
                // it is.
                let [first, second, third] = self.maps;
                self.features = match axes(config) {
                    CHANNELS_FIRST => [second, third, first],
                    _ => self.maps,
                };
                self.steps.push("Flatten");
            }
            "Reshape" if config["target_shape"].as_array().is_some_and(|to| to.len() == 1) => {
                self.features = self.maps;
                self.steps.push("Flatten");
            }
            "Dense" => {
                self.steps.push("Dense");
                self.activate(config, "activation");
            }
            _ => return Err(other(format!("it has a layer {}", shown(class)))),
        }
        Ok(())
    }

    /// Goes on by an activation, if there is one.
    fn activate(&mut self, config: &'a Value, name: &str) {
        let activation = &config[name];
        match activation.as_str() {
            Some("linear") => {}
            Some(activation) => self.steps.push(activation),
            None if activation.is_null() => {}
            None => self.steps.push("an activation of its own"),
        }
    }
}

/// How a layer takes feature maps to lie.
fn axes(config: &Value) -> [Axis; 3] {
    match config["data_format"].as_str() {
        Some("channels_first") => CHANNELS_FIRST,
        _ => CHANNELS_LAST,
    }
}

/// Whether a setting, or each of its numbers, is this one; or is not there, as in files of versions
/// that did not have it.
fn all(config: &Value, name: &str, expected: i64) -> bool {
    let is_it = |value: &Value| value.as_f64() == Some(expected as f64);
    match config.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::Array(values)) => values.iter().all(is_it),
        Some(value) => is_it(value),
    }
}
