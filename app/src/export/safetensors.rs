//! The weights as safetensors, with PyTorch's names and layout.

use std::collections::HashMap;

use ::safetensors::tensor::{Dtype, SafeTensorError, TensorView, serialize};
use kiln_model::spec::PARAMETERS;

use super::settings;
use crate::run::Run;

/// The file; `weights` stand in the order of [`PARAMETERS`].
pub fn write(run: &Run, weights: &[f32]) -> Result<Vec<u8>, SafeTensorError> {
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
        ("config".to_owned(), settings::json(run).to_string()),
    ]);
    serialize(tensors, Some(metadata))
}

#[cfg(test)]
mod tests {
    use ::safetensors::SafeTensors;
    use kiln_model::spec::{FC_WEIGHT, PARAMETER_COUNT};

    use super::*;
    use crate::export::{ExportError, Format};
    use crate::run::tests::scored_run;

    #[test]
    fn the_file_reads_back_exactly() {
        let mut run = scored_run();
        let weights: Vec<f32> = (0..PARAMETER_COUNT)
            .map(|index| index as f32 / 7.0)
            .collect();
        let bytes: Vec<u8> = weights
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        run.keep_weights(&bytes);
        let file = Format::Safetensors.write(&run).unwrap();

        let (header_bytes, header) = SafeTensors::read_metadata(&file).unwrap();
        assert_eq!((header_bytes + 8) % 8, 0, "the data is aligned");
        let metadata = header.metadata().clone().unwrap();
        assert_eq!(metadata["format"], "pt");
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
        let error = Format::Safetensors.write(&scored_run()).unwrap_err();
        assert!(matches!(error, ExportError::NoWeights));
    }
}
