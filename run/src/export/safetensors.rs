//! The weights as safetensors, with PyTorch's names and layout.

use std::collections::HashMap;

use ::safetensors::tensor::{Dtype, SafeTensorError, TensorView, serialize};
use kiln_model::spec::PARAMETERS;

use super::config;
use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::weights::described;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".safetensors",
    group: Group::Model,
    needs: Needs::Weights,
    contents: "The weights with PyTorch's names",
    opens_with: "PyTorch, NumPy, Hugging Face, JAX",
    media_type: "application/octet-stream",
    language: Language::Python,
    snippet: |stem| {
        format!("import safetensors.numpy\nsafetensors.numpy.load_file(\"{stem}.safetensors\")")
    },
};

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let weights = source.weights()?;
    take(file(source, &weights).map_err(ExportError::of)?, 1.0);
    Ok(())
}

fn file(source: &Source, weights: &[f32]) -> Result<Vec<u8>, SafeTensorError> {
    let bytes: Vec<u8> = weights
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let tensors = PARAMETERS
        .iter()
        .map(|parameter| {
            let range = parameter.range();
            let data = bytes
                .get(4 * range.start..4 * range.end)
                .unwrap_or_default();
            let view = TensorView::new(Dtype::F32, parameter.shape.to_vec(), data)?;
            Ok((parameter.name, view))
        })
        .collect::<Result<Vec<_>, SafeTensorError>>()?;
    let metadata = HashMap::from([
        // What Hugging Face's loaders want of a file in PyTorch's layout.
        ("format".to_owned(), "pt".to_owned()),
        ("config".to_owned(), config::json(source.run).to_string()),
        ("weights".to_owned(), described(source)),
    ]);
    serialize(tensors, Some(metadata))
}

#[cfg(test)]
mod tests {
    use ::safetensors::SafeTensors;
    use kiln_model::spec::{FC_WEIGHT, PARAMETER_COUNT};

    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    #[test]
    fn the_file_reads_back_exactly() {
        for (which, divisor) in [(Weights::Last, 7.0), (Weights::Best, 9.0)] {
            check(which, divisor);
        }
    }

    /// Weight i of the run is i / 7 at its last step and i / 9 at its best.
    fn check(which: Weights, divisor: f32) {
        let bytes: Vec<u8> = (0..PARAMETER_COUNT)
            .flat_map(|index| (index as f32 / divisor).to_le_bytes())
            .collect();
        let run = scored_run();
        let file = exported(".safetensors", &run, which, Vec::new()).unwrap();

        let (header_bytes, header) = SafeTensors::read_metadata(&file).unwrap();
        assert_eq!((header_bytes + 8) % 8, 0, "the data is aligned");
        let metadata = header.metadata().clone().unwrap();
        assert_eq!(metadata["format"], "pt");
        let step = if which == Weights::Best {
            "best, of step 1"
        } else {
            "last, of step 2"
        };
        assert_eq!(metadata["weights"], step);
        let config: serde_json::Value = serde_json::from_str(&metadata["config"]).unwrap();
        assert_eq!(config["settings"]["batch_size"], 128);

        let tensors = SafeTensors::deserialize(&file).unwrap();
        assert_eq!(tensors.len(), PARAMETERS.len());
        for parameter in PARAMETERS {
            let tensor = tensors.tensor(parameter.name).unwrap();
            assert_eq!(tensor.shape(), parameter.shape);
            let range = parameter.range();
            assert_eq!(tensor.data(), &bytes[4 * range.start..4 * range.end]);
        }
        assert_eq!(tensors.tensor(FC_WEIGHT.name).unwrap().shape(), [10, 1_600]);
    }

    #[test]
    fn a_run_without_weights_has_no_model() {
        let run = new_run();
        let error = exported(".safetensors", &run, Weights::Best, Vec::new()).unwrap_err();
        assert!(matches!(error, ExportError::NoWeights));
    }
}
