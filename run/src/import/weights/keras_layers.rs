//! Whether the layers that Keras describes are this network's, and how its features lie. What each
//! layer does is at <https://keras.io/api/layers/>.

use serde_json::Value;

use super::axes::{Axis, CHANNELS_FIRST};
use super::found::WeightsError;
use super::graph::other;

use super::named::shown;
use crate::run::names::cut;

/// How feature maps lie in Keras, where nothing else is said.
pub const CHANNELS_LAST: [Axis; 3] = [Axis::Row, Axis::Column, Axis::Channel];
/// The pixel value that Kiln has as 1.
const WHITE: f64 = 255.0;

/// Most letters of all layers in an error.
const STEPS_LETTERS: usize = 200;

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
    let fits = walk.steps.split_at_checked(6).is_some_and(|(steps, rest)| {
        let (blocks, _) = steps.as_chunks::<3>();
        let ends = matches!(rest, ["Flatten", "Dense"] | ["Flatten", "Dense", "softmax"]);
        ends && blocks.iter().all(|block| BLOCKS.contains(block))
    });
    if !fits {
        let steps = walk.steps.join(", ");
        return Err(other(format!(
            "its layers are {}",
            cut(&steps, STEPS_LETTERS)
        )));
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
                self.activate(config);
            }
            "MaxPooling2D" => {
                let window = ["pool_size", "strides"];
                let same = window.iter().all(|name| all(config, name, 2));
                if !same || !is_valid || axes(config) != self.maps {
                    return Err(odd("another window"));
                }
                self.steps.push("MaxPooling2D");
            }
            "Activation" => self.activate(config),
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
            "Reshape"
                if config["target_shape"]
                    .as_array()
                    .is_some_and(|to| to.len() == 1) =>
            {
                self.features = self.maps;
                self.steps.push("Flatten");
            }
            "Dense" => {
                self.steps.push("Dense");
                self.activate(config);
            }
            _ => return Err(other(format!("it has a layer {}", shown(class)))),
        }
        Ok(())
    }

    /// Goes on by an activation, if there is one.
    fn activate(&mut self, config: &'a Value) {
        let activation = &config["activation"];
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layer(class: &str, config: Value) -> Value {
        json!({ "class_name": class, "config": config })
    }

    /// The network with feature maps that lie so, and features made by this layer.
    fn network(maps: &str, flatten: Value) -> Vec<Value> {
        let convolution = json!({
            "data_format": maps, "padding": "valid", "strides": [1, 1], "activation": "relu",
        });
        let pooling = json!({
            "data_format": maps, "padding": "valid", "pool_size": [2, 2], "strides": [2, 2],
        });
        vec![
            layer("InputLayer", json!({})),
            layer("Conv2D", convolution.clone()),
            layer("MaxPooling2D", pooling.clone()),
            layer("Conv2D", convolution),
            layer("MaxPooling2D", pooling),
            flatten,
            layer("Dropout", json!({ "rate": 0.5 })),
            layer("Dense", json!({ "activation": "softmax" })),
        ]
    }

    fn read(layers: Vec<Value>) -> Result<Option<[Axis; 3]>, WeightsError> {
        flattened(&layer("Sequential", json!({ "layers": layers })))
    }

    #[test]
    fn features_lie_as_the_layers_say() {
        let flatten = |format: &str| layer("Flatten", json!({ "data_format": format }));
        let [row, column, channel] = CHANNELS_LAST;
        for (maps, flatten, features) in [
            ("channels_last", flatten("channels_last"), CHANNELS_LAST),
            ("channels_last", layer("Flatten", json!({})), CHANNELS_LAST),
            ("channels_first", flatten("channels_first"), CHANNELS_LAST),
            ("channels_first", flatten("channels_last"), CHANNELS_FIRST),
            (
                "channels_last",
                flatten("channels_first"),
                [column, channel, row],
            ),
            (
                "channels_first",
                layer("Reshape", json!({ "target_shape": [-1] })),
                CHANNELS_FIRST,
            ),
        ] {
            assert_eq!(read(network(maps, flatten)).unwrap(), Some(features));
        }
    }

    #[test]
    fn models_in_models_and_layers_apart_are_the_same() {
        let all = network("channels_last", layer("Flatten", json!({})));
        let inner = layer("Functional", json!({ "layers": all[1..5] }));
        let mut outer = vec![layer(
            "Rescaling",
            json!({ "scale": 1.0 / 255.0, "offset": 0.0 }),
        )];
        outer.push(inner);
        outer.extend_from_slice(&all[5..]);
        assert_eq!(read(outer).unwrap(), Some(CHANNELS_LAST));
        let mut apart = all.clone();
        apart[7]["config"]["activation"] = "linear".into();
        apart.push(layer("Activation", json!({ "activation": "softmax" })));
        apart[1]["config"]["activation"] = Value::Null;
        apart.insert(
            3,
            layer("ReLU", json!({ "max_value": null, "threshold": 0.0 })),
        );
        assert_eq!(read(apart).unwrap(), Some(CHANNELS_LAST));
        // As Keras had it before it had names for models.
        let list = layer("Sequential", Value::Array(all));
        assert_eq!(flattened(&list).unwrap(), Some(CHANNELS_LAST));
        let code = layer("Network", json!({ "name": "network" }));
        assert_eq!(flattened(&code).unwrap(), None);
    }

    #[test]
    fn other_networks_are_refused_by_what_is_other() {
        let refused = |at: usize, name: &str, value: Value, words: &str| {
            let mut layers = network("channels_last", layer("Flatten", json!({})));
            layers[at]["config"][name] = value;
            let error = read(layers).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(1, "padding", json!("same"), "padding");
        refused(1, "strides", json!([1, 2]), "strides");
        refused(3, "groups", json!(2), "groups");
        refused(3, "activation", json!("tanh"), "tanh");
        refused(
            1,
            "activation",
            json!({ "class_name": "ReLU" }),
            "of its own",
        );
        refused(2, "pool_size", json!([3, 3]), "window");
        refused(4, "data_format", json!("channels_first"), "window");
        refused(7, "activation", json!("sigmoid"), "sigmoid");
        for layers in [
            Vec::new(),
            vec![Value::Null],
            vec![layer("Rescaling", json!({ "scale": 2.0 }))],
            vec![layer("BatchNormalization", json!({}))],
        ] {
            assert!(read(layers).is_err());
        }
    }
}
