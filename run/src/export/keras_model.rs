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
    pub fn optimizer(self, config: &Config) -> Value {
        let rate = config.learning_rate;
        let (class, config) = match config.optimizer {
            Optimizer::Adam => (
                "Adam",
                json!({
                    "name": "adam", "learning_rate": rate,
                    "beta_1": BETA_1, "beta_2": BETA_2, "epsilon": EPSILON,
                }),
            ),
            Optimizer::AdamW { weight_decay } => (
                // Where Keras 2 has registered it.
                if self == Self::Two {
                    "Custom>AdamW"
                } else {
                    "AdamW"
                },
                json!({
                    "name": "adamw", "learning_rate": rate, "weight_decay": weight_decay,
                    "beta_1": BETA_1, "beta_2": BETA_2, "epsilon": EPSILON,
                }),
            ),
            Optimizer::Sgd { momentum } => (
                "SGD",
                json!({
                    "name": "sgd", "learning_rate": rate,
                    "momentum": momentum, "nesterov": false,
                }),
            ),
            Optimizer::RmsProp => (
                "RMSprop",
                json!({
                    "name": "rmsprop", "learning_rate": rate,
                    "rho": RHO, "momentum": 0.0, "epsilon": EPSILON, "centered": false,
                }),
            ),
        };
        self.object("keras.optimizers", class, config)
    }

    /// What is trained for and measured, with the optimiser under this name.
    pub fn training(self, config: &Config, optimizer: &str) -> Value {
        json!({
            (optimizer): self.optimizer(config),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            // Keras asks for these two as well.
            "loss_weights": null,
            "weighted_metrics": null,
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
