//! The whole network as Keras 2 keeps it in HDF5, which newer versions and other tools read too.
//!
//! It has no state of the optimiser: Keras 3 cannot train on from such a file that has any. Of the
//! optimisers AdamW is the one for which no name is known to all: Keras 2 finds it by its own, and
//! Keras 3 then takes AdamW with the rate and the decay that it has by default.

use kiln_model::spec::LAYERS;

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::keras_model::{Dialect, place};
use super::weights::{channels_last, described};
use crate::hdf5::{self, Array};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".h5",
    group: Group::Model,
    needs: Needs::Weights,
    contents: "The network for older Keras",
    opens_with: "Keras, TensorFlow, h5py, Netron",
    media_type: "application/x-hdf5",
    language: Language::Python,
    snippet: |stem| {
        format!(
            "import keras, numpy\n\
             model = keras.models.load_model(\"{stem}.h5\")\n\
             images = numpy.zeros((1, 28, 28, 1))  # pixels from 0 to 1\n\
             model.predict(images).argmax(axis=1)"
        )
    },
};

/// Whose layout it is.
const KERAS_VERSION: &str = "2.15.0";
/// What Keras 2 computes with.
const BACKEND: &str = "tensorflow";

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let weights = source.weights()?;
    let checkpoint = source.run.checkpoint().ok_or(ExportError::NoWeights)?;
    let config = &checkpoint.outline.config;
    let network = Dialect::Two.network(config.dropout);
    let training = Dialect::Two.training(config, "optimizer_config");
    let mut root = hdf5::Group::default();
    say_version(&mut root);
    root.say("model_config", Array::text(network.to_string()));
    root.say("training_config", Array::text(training.to_string()));
    root.say("weights", Array::text(described(source)));
    add_weights(root.group("model_weights"), &weights);
    take(hdf5::write(&root).map_err(ExportError::of)?, 1.0);
    Ok(())
}

fn say_version(group: &mut hdf5::Group) {
    group.say("keras_version", Array::text(KERAS_VERSION));
    group.say("backend", Array::text(BACKEND));
}

/// Adds a group for each layer that has weights, and names them in order.
fn add_weights(group: &mut hdf5::Group, weights: &[f32]) {
    say_version(group);
    let mut layers = Vec::new();
    for layer in &LAYERS {
        let mut names = Vec::new();
        for parameter in layer.parameters {
            let (layer, name) = place(parameter);
            let (shape, values) = channels_last(parameter, weights);
            let own = group.group(layer).group(layer);
            own.put(format!("{name}:0"), Array::f32(shape, values));
            names.push(format!("{layer}/{name}:0"));
        }
        if let Some((layer, _)) = layer.parameters.first().map(place) {
            group.group(layer).say("weight_names", Array::texts(names));
            layers.push(layer.to_owned());
        }
    }
    group.say("layer_names", Array::texts(layers));
}

#[cfg(test)]
mod tests {
    use kiln_model::spec::PARAMETER_COUNT;

    use super::*;
    use crate::export::tests::exported;
    use crate::hdf5::parts::Values;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn layers_have_the_names_of_older_keras() {
        let all: Vec<f32> = (0..PARAMETER_COUNT).map(|index| index as f32).collect();
        let mut group = hdf5::Group::default();
        add_weights(&mut group, &all);
        let texts = |texts: &[&str]| {
            let texts = texts.iter().map(|text| (*text).to_owned());
            Array::texts(texts.collect())
        };
        assert_eq!(
            group.attributes["layer_names"],
            texts(&["conv1", "conv2", "fc"])
        );
        assert_eq!(group.groups.len(), 3);
        let layer = &group.groups["fc"];
        assert_eq!(
            layer.attributes["weight_names"],
            texts(&["fc/kernel:0", "fc/bias:0"])
        );
        let arrays = &layer.groups["fc"].arrays;
        assert_eq!(arrays["kernel:0"].shape, [1_600, 10]);
        // The biases are the last of all.
        let last = (PARAMETER_COUNT - 10..PARAMETER_COUNT).map(|index| index as f32);
        assert_eq!(arrays["bias:0"].values, Values::F32(last.collect()));
    }

    #[test]
    fn both_descriptions_are_in_the_file() {
        let run = scored_run();
        let file = exported(".h5", &run, Weights::Last, Vec::new()).unwrap();
        for words in [
            "batch_input_shape",
            "optimizer_config",
            "last, of step 2",
            "2.15.0",
        ] {
            let is_there = file
                .windows(words.len())
                .any(|part| part == words.as_bytes());
            assert!(is_there, "{words}");
        }
        assert_eq!(file.first_chunk(), Some(b"\x89HDF"));
    }
}
