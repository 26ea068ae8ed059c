//! The whole network as Keras 3 keeps it, to be used and to be trained on.
//!
//! With the weights goes the state of the optimiser, so that `fit` goes on as the run would have.
//! That state is of the last step. Where the weights are of another step (the best ones of a run
//! that went on after them, or those that early stopping brought back) it is left out as a whole:
//! `fit` then begins with a fresh optimiser, and Keras warns of that when it loads the file.

use std::cell::Cell;

use kiln_model::checkpoint::Snapshot;
use kiln_model::optimizer::Optimizer;
use kiln_model::spec::{LAYERS, PARAMETERS};
use serde_json::json;

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::keras_model::Dialect;
use super::weights::{channels_last, described};
use super::zip::{Parts, Zip};
use crate::hdf5::{self, Array};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".keras",
    group: Group::Model,
    needs: Needs::Weights,
    contents: "The network, to use and to train on",
    opens_with: "Keras 3",
    media_type: "application/zip",
    language: Language::Python,
    snippet: |stem| {
        format!(
            "import keras, numpy\n\
             model = keras.models.load_model(\"{stem}.keras\")\n\
             images = numpy.zeros((1, 28, 28, 1))  # pixels from 0 to 1\n\
             model.predict(images).argmax(axis=1)"
        )
    },
};

/// The oldest Keras that opens it.
const KERAS_VERSION: &str = "3.0.5";
/// The groups of the layers that have weights: their classes, counted.
const LAYER_GROUPS: [&str; 3] = ["conv2d", "conv2d_1", "dense"];

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let weights = source.weights()?;
    let checkpoint = source.run.checkpoint().ok_or(ExportError::NoWeights)?;
    let snapshot = checkpoint.snapshot().map_err(ExportError::of)?;
    let metadata = json!({ "keras_version": KERAS_VERSION, "weights": described(source) });
    let mut config = Dialect::Three.network(snapshot.config.dropout);
    config["compile_config"] = Dialect::Three.training(&snapshot.config, "optimizer");
    let mut root = hdf5::Group::default();
    // Keras 3.0 wants it of whatever can have variables.
    root.group("vars");
    add_weights(&mut root, &weights);
    if source.run.weights_step(source.which) == Some(snapshot.step) {
        add_state(root.group("optimizer/vars"), &snapshot);
    }
    let done = Cell::new(0.0);
    let mut zip = Zip::new(Parts::new(take, &done));
    zip.store("metadata.json", metadata.to_string().as_bytes())?;
    zip.store("config.json", config.to_string().as_bytes())?;
    let weights = hdf5::write(&root).map_err(ExportError::of)?;
    zip.store("model.weights.h5", &weights)?;
    zip.finish()?.finish();
    Ok(())
}

fn add_weights(root: &mut hdf5::Group, weights: &[f32]) {
    let layers = LAYERS.iter().filter(|layer| !layer.parameters.is_empty());
    for (layer, group) in layers.zip(LAYER_GROUPS) {
        let vars = root.group("layers").group(group).group("vars");
        for (index, parameter) in layer.parameters.iter().enumerate() {
            let (shape, values) = channels_last(parameter, weights);
            vars.put(index.to_string(), Array::f32(shape, values));
        }
    }
}

/// Adds what the optimiser knows after the last step, in Keras' order: steps done, learning rate,
/// and all that it keeps of the first parameter, of the second and so on.
fn add_state(vars: &mut hdf5::Group, snapshot: &Snapshot) {
    // A run has far fewer steps than that.
    let steps = snapshot.step as i32;
    let rate = Array::f32(Vec::new(), vec![next_rate(snapshot)]);
    // Without momentum Keras keeps no velocity, which then is only the step before.
    let names = match snapshot.config.optimizer {
        Optimizer::Sgd { momentum: 0.0 } => &[],
        optimizer => optimizer.state_names(),
    };
    let slots = PARAMETERS.iter().flat_map(|parameter| {
        let slots = names
            .iter()
            .filter_map(|name| snapshot.optimizer.get(*name));
        slots.map(|values| {
            let (shape, values) = channels_last(parameter, &values.0);
            Array::f32(shape, values)
        })
    });
    let all = [Array::i32(steps), rate].into_iter().chain(slots);
    for (index, array) in all.enumerate() {
        vars.put(index.to_string(), array);
    }
}

/// The learning rate of the next step by the run's schedule; after the last one, that of the last,
/// since a schedule may end in zero, with which nothing more would be learnt.
fn next_rate(snapshot: &Snapshot) -> f32 {
    let config = &snapshot.config;
    let last = config.plan().total_steps().saturating_sub(1);
    config.rate_after(snapshot.step.min(last), snapshot.warm_up_steps) as f32
}
