//! The network and its training as Keras writes them down: one description for both of its files.

use kiln_model::config::Config;
use kiln_model::optimizer::{BETA_1, BETA_2, EPSILON, Optimizer, RHO};
use kiln_model::spec::{CONV1_WEIGHT, CONV2_WEIGHT, FC_WEIGHT, IMAGE_SIDE, POOL_SIDE, Parameter};
use serde_json::{Value, json};

/// The generation of Keras that a description is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Keras 2, as it is in TensorFlow up to 2.15; later ones read it too.
    Two,
    /// Keras 3.
    Three,
}

/// The layer that a parameter belongs to, such as `conv1`, and what Keras calls the parameter in it.
pub fn place(parameter: &Parameter) -> (&'static str, &'static str) {
    match parameter.name.split_once('.') {
        Some((layer, "weight")) => (layer, "kernel"),
        Some((layer, name)) => (layer, name),
        None => (parameter.name, parameter.name),
    }
}

impl Dialect {
    /// The layers, for images `[n, 28, 28, 1]`.
    pub fn network(self, dropout: f64) -> Value {
        let shape = match self {
            Self::Two => "batch_input_shape",
            Self::Three => "batch_shape",
        };
        let image = json!({ "name": "image", (shape): [null, IMAGE_SIDE, IMAGE_SIDE, 1] });
        let layers = [
            ("InputLayer", image),
            ("Conv2D", convolution(&CONV1_WEIGHT)),
            ("MaxPooling2D", pooling("pool1")),
            ("Conv2D", convolution(&CONV2_WEIGHT)),
            ("MaxPooling2D", pooling("pool2")),
            (
                "Flatten",
                json!({ "name": "flatten", "data_format": "channels_last" }),
            ),
            ("Dropout", json!({ "name": "dropout", "rate": dropout })),
            ("Dense", dense(&FC_WEIGHT)),
        ];
        let layers = layers.map(|(class, mut config)| {
            config["dtype"] = "float32".into();
            self.object("keras.layers", class, config)
        });
        let config = json!({ "name": "kiln", "layers": layers.as_slice() });
        self.object("keras", "Sequential", config)
    }

    /// The optimiser with the rate that the run's schedule starts from, and Keras' defaults for all
    /// that is not said.
    fn optimizer(self, config: &Config) -> Value {
        let (class, mut constants) = match config.optimizer {
            Optimizer::Adam => (
                "Adam",
                json!({ "beta_1": BETA_1, "beta_2": BETA_2, "epsilon": EPSILON }),
            ),
            Optimizer::AdamW { weight_decay } => (
                "AdamW",
                json!({
                    "weight_decay": weight_decay,
                    "beta_1": BETA_1,
                    "beta_2": BETA_2,
                    "epsilon": EPSILON,
                }),
            ),
            Optimizer::Sgd { momentum } => {
                ("SGD", json!({ "momentum": momentum, "nesterov": false }))
            }
            Optimizer::RmsProp => (
                "RMSprop",
                json!({ "rho": RHO, "momentum": 0.0, "epsilon": EPSILON, "centered": false }),
            ),
        };
        // Keras 3 asks for this where an older file has a class that it does not know.
        constants["name"] = class.into();
        constants["learning_rate"] = config.learning_rate.into();
        // Keras 2 knows AdamW by this name alone.
        let class = match (self, class) {
            (Self::Two, "AdamW") => "Custom>AdamW",
            _ => class,
        };
        self.object("keras.optimizers", class, constants)
    }

    /// What is trained for and measured, with the optimiser under this name.
    pub fn training(self, config: &Config, optimizer: &str) -> Value {
        // By the word `accuracy` alone Keras 2 takes another accuracy when it reads a file.
        let accuracy = json!({ "name": "accuracy", "dtype": "float32" });
        let accuracy = self.object("keras.metrics", "SparseCategoricalAccuracy", accuracy);
        json!({
            (optimizer): self.optimizer(config),
            "loss": "sparse_categorical_crossentropy",
            // Not to be left out.
            "loss_weights": null,
            "metrics": [accuracy],
        })
    }

    /// Something of a class; Keras 3 also says where the class is.
    fn object(self, module: &str, class: &str, config: Value) -> Value {
        match self {
            Self::Two => json!({ "class_name": class, "config": config }),
            Self::Three => json!({
                "module": module,
                "class_name": class,
                "config": config,
                "registered_name": null,
            }),
        }
    }
}

fn convolution(weight: &Parameter) -> Value {
    json!({
        "name": place(weight).0,
        "filters": weight.shape.first(),
        "kernel_size": weight.shape.get(2..),
        "strides": [1, 1],
        "padding": "valid",
        "data_format": "channels_last",
        "activation": "relu",
    })
}

fn pooling(name: &str) -> Value {
    json!({
        "name": name,
        "pool_size": [POOL_SIDE, POOL_SIDE],
        "strides": [POOL_SIDE, POOL_SIDE],
        "padding": "valid",
        "data_format": "channels_last",
    })
}

fn dense(weight: &Parameter) -> Value {
    json!({
        "name": place(weight).0,
        "units": weight.shape.first(),
        "activation": "softmax",
    })
}

#[cfg(test)]
mod tests {
    use kiln_model::spec::PARAMETERS;

    use super::*;

    #[test]
    fn layers_are_those_of_the_specification() {
        let network = Dialect::Three.network(0.25);
        let layers = &network["config"]["layers"];
        assert_eq!(layers[0]["config"]["batch_shape"], json!([null, 28, 28, 1]));
        assert_eq!(layers[1]["config"]["filters"], 32);
        assert_eq!(layers[3]["config"]["filters"], 64);
        assert_eq!(layers[3]["config"]["kernel_size"], json!([3, 3]));
        assert_eq!(layers[6]["config"]["rate"], 0.25);
        assert_eq!(layers[7]["config"]["units"], 10);
        let names: Vec<_> = layers.as_array().unwrap().iter().collect();
        for parameter in &PARAMETERS {
            let is_its = |layer: &&&Value| layer["config"]["name"] == place(parameter).0;
            assert_eq!(names.iter().filter(is_its).count(), 1, "{}", parameter.name);
        }
        assert_eq!(layers[1]["module"], "keras.layers");
    }

    #[test]
    fn older_files_say_neither_modules_nor_shapes_in_the_new_way() {
        let text = Dialect::Two.network(0.5).to_string();
        assert!(text.contains("batch_input_shape") && !text.contains("\"batch_shape"));
        assert!(!text.contains("module"), "{text}");
    }

    #[test]
    fn the_optimizer_has_the_settings_and_the_constants() {
        for (optimizer, two, three, constants) in [
            (Optimizer::Adam, "Adam", "Adam", json!({ "beta_2": 0.999 })),
            (
                Optimizer::AdamW { weight_decay: 0.0 },
                "Custom>AdamW",
                "AdamW",
                json!({ "weight_decay": 0.0, "epsilon": 1e-7 }),
            ),
            (
                Optimizer::Sgd { momentum: 0.0 },
                "SGD",
                "SGD",
                json!({ "momentum": 0.0 }),
            ),
            (
                Optimizer::RmsProp,
                "RMSprop",
                "RMSprop",
                json!({ "rho": 0.9 }),
            ),
        ] {
            let config = Config {
                optimizer,
                learning_rate: 1.0,
                ..Config::default()
            };
            for (dialect, class) in [(Dialect::Two, two), (Dialect::Three, three)] {
                let training = dialect.training(&config, "it");
                let it = &training["it"];
                assert_eq!(it["class_name"], class);
                assert_eq!(it["config"]["learning_rate"], 1.0);
                for (name, value) in constants.as_object().unwrap() {
                    assert_eq!(it["config"][name], *value, "{name} of {class}");
                }
            }
            // Keras' SGD takes no whole number for its momentum.
            let text = Dialect::Three.optimizer(&config).to_string();
            assert!(!text.contains(":0,") && !text.contains(":0}"), "{text}");
        }
    }
}
