//! The trained network as ONNX: layers and weights, ready to answer.

use kiln_model::spec::{
    CLASSES, CONV1_BIAS, CONV1_WEIGHT, CONV2_BIAS, CONV2_WEIGHT, FC_BIAS, FC_WEIGHT, IMAGE_SIDE,
    KERNEL_SIDE, PARAMETERS, POOL_SIDE, Parameter,
};
use prost::Message;

use super::config;
use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::weights::{described, little_endian};
use crate::onnx::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto,
};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".onnx",
    group: Group::Model,
    needs: Needs::Weights,
    contents: "The network and its weights",
    opens_with: "ONNX Runtime, Netron",
    media_type: "application/octet-stream",
    language: Language::Python,
    snippet: |stem| {
        format!(
            "import numpy
import onnxruntime

session = onnxruntime.InferenceSession(\"{stem}.onnx\")
images = numpy.zeros((1, 1, 28, 28), \"float32\")  # pixels from 0 to 1, the digit is bright
logits, probabilities = session.run(None, {{\"images\": images}})
print(probabilities.argmax(1))"
        )
    },
};

/// The version of the messages and that of the operators which came together, in ONNX 1.12.
const IR_VERSION: i64 = 8;
const OPSET_VERSION: i64 = 17;

/// What is given: `[batch, 1, 28, 28]`.
const IMAGES: &str = "images";
/// What comes out: `[batch, 10]` each.
const LOGITS: &str = "logits";
const PROBABILITIES: &str = "probabilities";

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let weights = source.weights()?;
    take(model(source, &weights).encode_to_vec(), 1.0);
    Ok(())
}

fn model(source: &Source, weights: &[f32]) -> ModelProto {
    let properties = [
        ("run", source.run.identity.name.clone()),
        ("config", config::json(source.run).to_string()),
        ("weights", described(source)),
    ];
    let property = |(key, value): (&str, String)| StringStringEntryProto {
        key: key.to_owned(),
        value,
    };
    ModelProto {
        ir_version: IR_VERSION,
        producer_name: "Kiln".to_owned(),
        graph: Some(graph(weights)),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET_VERSION,
        }],
        metadata_props: properties.map(property).into(),
    }
}

fn graph(weights: &[f32]) -> GraphProto {
    let side = IMAGE_SIDE as i64;
    let classes = CLASSES as i64;
    GraphProto {
        node: nodes(),
        name: "network".to_owned(),
        initializer: PARAMETERS
            .iter()
            .map(|parameter| initializer(parameter, weights))
            .collect(),
        input: vec![value(
            IMAGES,
            &[1, side, side],
            "Digits, their pixels from 0 (background) to 1 (ink)",
        )],
        output: vec![
            value(LOGITS, &[classes], "A score for each of the digits 0 to 9"),
            value(
                PROBABILITIES,
                &[classes],
                "How likely each of the digits 0 to 9 is; their sum is 1",
            ),
        ],
    }
}

/// The layers. Dropout is left out: it is for training alone.
fn nodes() -> Vec<NodeProto> {
    let kernel = || ints("kernel_shape", KERNEL_SIDE);
    let pool = || vec![ints("kernel_shape", POOL_SIDE), ints("strides", POOL_SIDE)];
    let (conv1, conv2) = (
        [IMAGES, CONV1_WEIGHT.name, CONV1_BIAS.name],
        ["pool1", CONV2_WEIGHT.name, CONV2_BIAS.name],
    );
    let dense = ["flatten", FC_WEIGHT.name, FC_BIAS.name];
    vec![
        node("Conv", &conv1, "conv1", vec![kernel()]),
        node("Relu", &["conv1"], "relu1", Vec::new()),
        node("MaxPool", &["relu1"], "pool1", pool()),
        node("Conv", &conv2, "conv2", vec![kernel()]),
        node("Relu", &["conv2"], "relu2", Vec::new()),
        node("MaxPool", &["relu2"], "pool2", pool()),
        node("Flatten", &["pool2"], "flatten", vec![int("axis", 1)]),
        // The weights are [out, in], and Gemm multiplies by [in, out].
        node("Gemm", &dense, LOGITS, vec![int("transB", 1)]),
        node("Softmax", &[LOGITS], PROBABILITIES, vec![int("axis", 1)]),
    ]
}

/// An operation that is called as what it makes.
fn node(
    operator: &str,
    inputs: &[&str],
    output: &str,
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto {
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.to_owned()],
        name: output.to_owned(),
        op_type: operator.to_owned(),
        attribute,
        ..NodeProto::default()
    }
}

fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        i: value,
        r#type: AttributeProto::INT,
        ..AttributeProto::default()
    }
}

/// The same number for rows and columns.
fn ints(name: &str, side: usize) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        ints: vec![side as i64; 2],
        r#type: AttributeProto::INTS,
        ..AttributeProto::default()
    }
}

fn initializer(parameter: &Parameter, weights: &[f32]) -> TensorProto {
    let values = weights.get(parameter.range()).unwrap_or_default();
    TensorProto {
        dims: parameter.shape.iter().map(|side| *side as i64).collect(),
        data_type: TensorProto::FLOAT,
        name: parameter.name.to_owned(),
        raw_data: little_endian(values),
        ..TensorProto::default()
    }
}

/// Floats of this shape for each image of a batch.
fn value(name: &str, shape: &[i64], meaning: &str) -> ValueInfoProto {
    let batch = DimensionProto {
        dim_param: "batch".to_owned(),
        ..DimensionProto::default()
    };
    let known = shape.iter().map(|length| DimensionProto {
        dim_value: *length,
        ..DimensionProto::default()
    });
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            tensor_type: Some(TensorTypeProto {
                elem_type: TensorProto::FLOAT,
                shape: Some(TensorShapeProto {
                    dim: std::iter::once(batch).chain(known).collect(),
                }),
            }),
        }),
        doc_string: meaning.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use kiln_model::spec::PARAMETER_COUNT;

    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    fn exported_model(which: Weights) -> ModelProto {
        let file = exported(".onnx", &scored_run(), which, Vec::new()).unwrap();
        ModelProto::decode(file.as_slice()).unwrap()
    }

    #[test]
    fn the_file_says_its_versions_and_where_it_comes_from() {
        let model = exported_model(Weights::Last);
        assert_eq!((model.ir_version, model.opset_import.len()), (8, 1));
        assert_eq!(model.opset_import[0].version, 17);
        let properties: Vec<(&str, &str)> = model
            .metadata_props
            .iter()
            .map(|property| (property.key.as_str(), property.value.as_str()))
            .collect();
        assert_eq!(properties[0], ("run", "amber-bowl-1"));
        let (key, settings) = properties[1];
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        assert_eq!(
            (key, &settings["settings"]["batch_size"]),
            ("config", &128.into())
        );
        assert_eq!(properties[2], ("weights", "last, of step 2"));
    }

    /// Weight i of the run is i / 7 at its last step and i / 9 at its best.
    #[test]
    fn the_weights_are_there_exactly() {
        for (which, divisor) in [(Weights::Last, 7.0), (Weights::Best, 9.0)] {
            let graph = exported_model(which).graph.unwrap();
            let bytes: Vec<u8> = (0..PARAMETER_COUNT)
                .flat_map(|index| (index as f32 / divisor).to_le_bytes())
                .collect();
            assert_eq!(graph.initializer.len(), PARAMETERS.len());
            for (tensor, parameter) in graph.initializer.iter().zip(PARAMETERS) {
                assert_eq!(tensor.name, parameter.name);
                let shape: Vec<i64> = parameter.shape.iter().map(|side| *side as i64).collect();
                assert_eq!((&tensor.dims, tensor.data_type), (&shape, 1));
                let range = parameter.range();
                assert_eq!(tensor.raw_data, bytes[4 * range.start..4 * range.end]);
            }
        }
    }

    #[test]
    fn operations_read_only_what_is_made_before_them() {
        let graph = exported_model(Weights::Best).graph.unwrap();
        let given = graph.input.iter().map(|value| &value.name);
        let parameters = graph.initializer.iter().map(|tensor| &tensor.name);
        let mut known: HashSet<&String> = given.chain(parameters).collect();
        let mut read = HashSet::new();
        for node in &graph.node {
            for name in &node.input {
                assert!(known.contains(name), "{} reads {name}", node.name);
                read.insert(name);
            }
            for name in &node.output {
                assert!(known.insert(name), "{name} is made twice");
            }
        }
        let outputs: Vec<&String> = graph.output.iter().map(|value| &value.name).collect();
        assert_eq!(outputs, ["logits", "probabilities"]);
        known.retain(|name| !read.contains(name));
        assert_eq!(known, HashSet::from([outputs[1]]), "nothing is idle");
    }

    #[test]
    fn a_batch_is_as_long_as_it_is_given() {
        let graph = exported_model(Weights::Best).graph.unwrap();
        let shape = |value: &ValueInfoProto| -> Vec<(String, i64)> {
            let tensor = value.r#type.clone().unwrap().tensor_type.unwrap();
            assert_eq!(tensor.elem_type, TensorProto::FLOAT);
            let sides = tensor.shape.unwrap().dim.into_iter();
            sides.map(|side| (side.dim_param, side.dim_value)).collect()
        };
        let known = |length| (String::new(), length);
        let batch = ("batch".to_owned(), 0);
        assert_eq!(
            shape(&graph.input[0]),
            [batch.clone(), known(1), known(28), known(28)]
        );
        for output in &graph.output {
            assert_eq!(shape(output), [batch.clone(), known(10)]);
        }
    }

    #[test]
    fn a_run_without_weights_has_no_model() {
        let error = exported(".onnx", &new_run(), Weights::Best, Vec::new()).unwrap_err();
        assert!(matches!(error, ExportError::NoWeights));
    }
}
