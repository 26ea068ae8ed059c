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
    opens_with: "Keras 3, Netron",
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

#[cfg(test)]
mod tests {
    use kiln_model::checkpoint::Values;
    use kiln_model::config::Config;
    use kiln_model::schedule::Schedule;
    use kiln_model::spec::PARAMETER_COUNT;
    use rawzip::ZipArchive;
    use serde_json::Value;

    use super::*;
    use crate::export::tests::exported;
    use crate::hdf5::parts::Values::{F32, I32};
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run, snapshot};

    /// The files in a file, by name.
    fn unzipped(file: &[u8]) -> Vec<(String, Vec<u8>)> {
        let archive = ZipArchive::from_slice(file).unwrap();
        let mut entries = archive.entries();
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry().unwrap() {
            let name = String::from_utf8(entry.file_path().as_ref().to_vec()).unwrap();
            let place = archive.get_entry(entry.wayfinder()).unwrap();
            found.push((name, place.data().to_vec()));
        }
        found
    }

    #[test]
    fn the_state_goes_with_the_weights_of_its_step_alone() {
        let run = scored_run();
        let mut lengths = Vec::new();
        for (which, words) in [
            (Weights::Best, "best, of step 1"),
            (Weights::Last, "last, of step 2"),
        ] {
            let files = unzipped(&exported(".keras", &run, which, Vec::new()).unwrap());
            let names: Vec<&str> = files.iter().map(|file| file.0.as_str()).collect();
            assert_eq!(names, ["metadata.json", "config.json", "model.weights.h5"]);
            let metadata: Value = serde_json::from_slice(&files[0].1).unwrap();
            assert_eq!(metadata["weights"], words);
            let config: Value = serde_json::from_slice(&files[1].1).unwrap();
            assert_eq!(config["compile_config"]["optimizer"]["class_name"], "Adam");
            lengths.push(files[2].1.len());
        }
        // Adam has two vectors.
        let (without, with) = (lengths[0], lengths[1]);
        assert!(without < 5 * PARAMETER_COUNT, "{without}");
        assert!(with > without + 8 * PARAMETER_COUNT, "{with}");
    }

    /// The state of an optimiser whose vectors hold their index, the second beginning at a million.
    fn state(optimizer: Optimizer) -> hdf5::Group {
        let vector = |start: usize| {
            let values = start..start + PARAMETER_COUNT;
            Values(values.map(|index| index as f32).collect())
        };
        let names = optimizer.state_names().iter();
        let vectors = names.zip([0, 1_000_000]);
        let snapshot = Snapshot {
            config: Config {
                optimizer,
                ..Config::default()
            },
            optimizer: vectors
                .map(|(name, start)| ((*name).to_owned(), vector(start)))
                .collect(),
            ..snapshot(2)
        };
        let mut vars = hdf5::Group::default();
        add_state(&mut vars, &snapshot);
        vars
    }

    #[test]
    fn the_state_is_in_the_order_of_keras() {
        for (optimizer, count) in [
            (Optimizer::Adam, 14),
            (Optimizer::AdamW { weight_decay: 0.1 }, 14),
            (Optimizer::Sgd { momentum: 0.0 }, 2),
            (Optimizer::Sgd { momentum: 0.5 }, 8),
            (Optimizer::RmsProp, 8),
        ] {
            let vars = state(optimizer).arrays;
            assert_eq!(vars.len(), count, "{optimizer:?}");
            assert_eq!(vars["0"].values, I32(vec![2]));
            assert_eq!(vars["1"].values, F32(vec![0.001]));
        }
        // Mean and mean square of the first bias, which has the values from 288 to 319.
        let vars = state(Optimizer::Adam).arrays;
        for (name, first) in [("4", 288.0), ("5", 1_000_288.0)] {
            assert_eq!(vars[name].shape, [32]);
            let F32(values) = &vars[name].values else {
                panic!("no numbers");
            };
            assert_eq!(values[..2], [first, first + 1.0]);
        }
        assert_eq!(vars["10"].shape, [1_600, 10]);
    }

    #[test]
    fn the_rate_is_that_of_the_next_step_and_never_zero() {
        let rate = |schedule, step| {
            let config = Config {
                schedule,
                ..Config::default()
            };
            next_rate(&Snapshot {
                config,
                ..snapshot(step)
            })
        };
        let total = Config::default().plan().total_steps();
        assert_eq!(rate(Schedule::Constant, total), 0.001);
        assert_eq!(rate(Schedule::Step, total.div_ceil(2)), 0.0001);
        assert_eq!(rate(Schedule::Step, total), 0.00001);
        assert!((rate(Schedule::Cosine, total / 2) - 0.0005).abs() < 1e-6);
        let last = rate(Schedule::Cosine, total);
        assert_eq!(last, rate(Schedule::Cosine, total - 1));
        assert!(last > 0.0);
    }

    #[test]
    fn a_run_without_weights_has_no_network() {
        for ending in [".keras", ".h5"] {
            let error = exported(ending, &new_run(), Weights::Best, Vec::new()).unwrap_err();
            assert!(matches!(error, ExportError::NoWeights));
        }
    }
}
