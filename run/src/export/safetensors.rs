//! The weights as safetensors, with PyTorch's names and layout.

use std::collections::HashMap;

use ::safetensors::tensor::{Dtype, SafeTensorError, TensorView, serialize};
use kiln_model::spec::PARAMETERS;

use super::settings;
use crate::run::{Run, Weights};

/// The file; `weights` are those of `which`, in the order of [`PARAMETERS`].
pub fn write(run: &Run, which: Weights, weights: &[f32]) -> Result<Vec<u8>, SafeTensorError> {
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
        (
            "weights".to_owned(),
            match (which, run.weights_step(which)) {
                (Weights::Best, Some(step)) => format!("best, of step {step}"),
                (Weights::Last, Some(step)) => format!("last, of step {step}"),
                (_, None) => "unknown".to_owned(),
            },
        ),
    ]);
    serialize(tensors, Some(metadata))
}

#[cfg(test)]
mod tests {
    use ::safetensors::SafeTensors;
    use kiln_model::spec::{FC_WEIGHT, PARAMETER_COUNT};

    use super::*;
    use crate::export::tests::whole;
    use crate::export::{ExportError, Format};
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
        let file = whole(Format::Safetensors, &scored_run(), which).unwrap();

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
        let error = whole(Format::Safetensors, &new_run(), Weights::Best).unwrap_err();
        assert!(matches!(error, ExportError::NoWeights));
    }
}
