//! The weights as burn's own file, burnpack: a header of 10 bytes, a description in CBOR, and the
//! values. The layout is that of the crate burn-pack 0.22.1.

use std::collections::BTreeMap;

use kiln_model::spec::{PARAMETERS, Parameter};
use serde::Serialize;

use super::config;
use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::weights::{described, little_endian};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".bpk",
    group: Group::Model,
    needs: Needs::Weights,
    contents: "The weights as a burn module's record",
    opens_with: "burn 0.22",
    media_type: "application/octet-stream",
    language: Language::Rust,
    snippet: |stem| {
        format!(
            "// cargo add burn@0.22.1 --no-default-features --features std,flex
use burn::module::Module;
use burn::nn::conv::{{Conv2d, Conv2dConfig}};
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{{Linear, LinearConfig}};
use burn::tensor::activation::relu;
use burn::tensor::{{Device, Tensor}};

#[derive(Module, Debug)]
struct Network {{
    conv1: Conv2d,
    conv2: Conv2d,
    fc: Linear,
}}

impl Network {{
    fn new(device: &Device) -> Self {{
        Self {{
            conv1: Conv2dConfig::new([1, 32], [3, 3]).init(device),
            conv2: Conv2dConfig::new([32, 64], [3, 3]).init(device),
            fc: LinearConfig::new(1600, 10).init(device),
        }}
    }}

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {{
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let maps = pool.forward(relu(self.conv1.forward(images)));
        let maps = pool.forward(relu(self.conv2.forward(maps)));
        self.fc.forward(maps.flatten(1, 3))
    }}
}}

fn main() {{
    let device = Device::flex();
    let network = Network::new(&device).load_file(\"{stem}.bpk\");
    // Pixels from 0 to 1, the digit is bright.
    let images = Tensor::<4>::zeros([1, 1, 28, 28], &device);
    println!(\"{{}}\", network.forward(images).argmax(1));
}}"
        )
    },
};

/// "BURN" as a little-endian number.
const MAGIC: &[u8; 4] = b"NRUB";
const VERSION: u16 = 1;
/// What every tensor's values begin at a multiple of.
const ALIGNMENT: usize = 256;

/// The description.
#[derive(Serialize)]
struct Description {
    tensors: BTreeMap<&'static str, Tensor>,
    metadata: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct Tensor {
    dtype: &'static str,
    shape: Vec<usize>,
    /// First byte and the one after the last, from where the values of all tensors begin.
    data_offsets: [usize; 2],
}

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let weights = source.weights()?;
    let mut data = Vec::new();
    let mut tensors = BTreeMap::new();
    let mut parameters = PARAMETERS;
    parameters.sort_unstable_by_key(|parameter| parameter.name);
    for parameter in parameters {
        align(&mut data);
        let start = data.len();
        let (shape, values) = laid_out(&parameter, &weights);
        data.extend(little_endian(&values));
        let tensor = Tensor {
            dtype: "F32",
            shape,
            data_offsets: [start, data.len()],
        };
        tensors.insert(parameter.name, tensor);
    }
    let metadata = BTreeMap::from([
        ("format", "burnpack".to_owned()),
        ("producer", "Kiln".to_owned()),
        ("run", source.run.identity.name.clone()),
        ("config", config::json(source.run).to_string()),
        ("weights", described(source)),
    ]);
    let mut description = Vec::new();
    ciborium::into_writer(&Description { tensors, metadata }, &mut description)
        .map_err(ExportError::of)?;

    let length = u32::try_from(description.len()).map_err(ExportError::of)?;
    let mut file = MAGIC.to_vec();
    file.extend(VERSION.to_le_bytes());
    file.extend(length.to_le_bytes());
    file.extend(description);
    align(&mut file);
    file.extend(data);
    take(file, 1.0);
    Ok(())
}

/// Fills up with zeros to the next multiple of [`ALIGNMENT`].
fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

/// The shape and the values of a parameter in burn's layout, which is PyTorch's but for the dense
/// layer: `[out, in]` becomes `[in, out]`.
fn laid_out(parameter: &Parameter, weights: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let values = weights.get(parameter.range()).unwrap_or_default();
    match *parameter.shape {
        [outputs, inputs] => {
            let column = |input| values.iter().skip(input).step_by(inputs);
            let transposed = (0..inputs).flat_map(column).copied().collect();
            (vec![inputs, outputs], transposed)
        }
        _ => (parameter.shape.to_vec(), values.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use ciborium::Value;
    use kiln_model::spec::{FC_WEIGHT, FEATURES, PARAMETER_COUNT};

    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    /// The fields of a map, which all have names.
    fn fields(value: &Value) -> Vec<(&str, &Value)> {
        let fields = value.as_map().unwrap().iter();
        fields
            .map(|(name, value)| (name.as_text().unwrap(), value))
            .collect()
    }

    fn number(value: &Value) -> usize {
        u64::try_from(value.as_integer().unwrap()).unwrap() as usize
    }

    fn numbers(value: &Value) -> Vec<usize> {
        value.as_array().unwrap().iter().map(number).collect()
    }

    /// The description and the values of all tensors.
    fn parts(file: &[u8]) -> (Value, &[u8]) {
        let length = u32::from_le_bytes(file[6..10].try_into().unwrap()) as usize;
        let value: Value = ciborium::from_reader(&file[10..10 + length]).unwrap();
        (value, &file[(10 + length).next_multiple_of(256)..])
    }

    #[test]
    fn the_header_is_that_of_burnpack() {
        let file = exported(".bpk", &scored_run(), Weights::Best, Vec::new()).unwrap();
        assert_eq!(file[..6], *b"NRUB\x01\0");
        // A map of two: "tensors" with six, the first of which is "conv1.bias" with three fields.
        let begins = b"\xa2\x67tensors\xa6\x6aconv1.bias\xa3\x65dtype\x63F32\x65shape\x81\x18\x20\
            \x6cdata_offsets\x82\x00\x18\x80\x6cconv1.weight";
        assert!(file[10..].starts_with(begins));
    }

    #[test]
    fn the_tensors_lie_at_multiples_of_256() {
        let file = exported(".bpk", &scored_run(), Weights::Best, Vec::new()).unwrap();
        let (description, data) = parts(&file);
        let described = fields(&description);
        assert_eq!((described[0].0, described[1].0), ("tensors", "metadata"));
        let tensors: Vec<(&str, Vec<usize>, Vec<usize>)> = fields(described[0].1)
            .into_iter()
            .map(|(name, tensor)| {
                let tensor = fields(tensor);
                assert_eq!(tensor[0], ("dtype", &"F32".into()));
                assert_eq!((tensor[1].0, tensor[2].0), ("shape", "data_offsets"));
                (name, numbers(tensor[1].1), numbers(tensor[2].1))
            })
            .collect();
        let wanted: [(&str, &[usize], [usize; 2]); 6] = [
            ("conv1.bias", &[32], [0, 128]),
            ("conv1.weight", &[32, 1, 3, 3], [256, 1_408]),
            ("conv2.bias", &[64], [1_536, 1_792]),
            ("conv2.weight", &[64, 32, 3, 3], [1_792, 75_520]),
            ("fc.bias", &[10], [75_520, 75_560]),
            ("fc.weight", &[1_600, 10], [75_776, 139_776]),
        ];
        assert_eq!(
            tensors,
            wanted.map(|(name, shape, offsets)| (name, shape.to_vec(), offsets.to_vec()))
        );
        assert_eq!(data.len(), 139_776);
        assert_eq!((file.len() - data.len()) % 256, 0);
    }

    /// Weight i of the run is i / 7 at its last step and i / 9 at its best.
    #[test]
    fn the_weights_are_there_exactly() {
        for (which, divisor) in [(Weights::Last, 7.0), (Weights::Best, 9.0)] {
            let file = exported(".bpk", &scored_run(), which, Vec::new()).unwrap();
            let (description, data) = parts(&file);
            let mut seen = 0;
            for (name, tensor) in fields(fields(&description)[0].1) {
                let parameter = PARAMETERS.iter().find(|parameter| parameter.name == name);
                let parameter = parameter.unwrap();
                let offsets = numbers(fields(tensor)[2].1);
                let values = data[offsets[0]..offsets[1]].chunks_exact(4);
                assert_eq!(values.len(), parameter.len());
                seen += values.len();
                for (index, value) in values.enumerate() {
                    // The dense layer's are [in, out] here.
                    let source = match *parameter {
                        FC_WEIGHT => index % 10 * FEATURES + index / 10,
                        _ => index,
                    };
                    let wanted = (parameter.offset + source) as f32 / divisor;
                    assert_eq!(value, wanted.to_le_bytes(), "{name} {index}");
                }
            }
            assert_eq!(seen, PARAMETER_COUNT);
        }
    }

    #[test]
    fn the_file_says_where_it_comes_from() {
        let file = exported(".bpk", &scored_run(), Weights::Last, Vec::new()).unwrap();
        let (description, _) = parts(&file);
        let metadata = fields(fields(&description)[1].1);
        let names: Vec<&str> = metadata.iter().map(|field| field.0).collect();
        assert_eq!(names, ["config", "format", "producer", "run", "weights"]);
        assert_eq!(*metadata[3].1, "amber-bowl-1".into());
        assert_eq!(*metadata[4].1, "last, of step 2".into());
    }

    #[test]
    fn a_run_without_weights_has_no_model() {
        let error = exported(".bpk", &new_run(), Weights::Best, Vec::new()).unwrap_err();
        assert!(matches!(error, ExportError::NoWeights));
    }
}
