//! The weights as burn's own file, burnpack: a header of 10 bytes, a description in CBOR, and the
//! values. The layout is that of the crate burn-pack 0.22.1.

use std::collections::BTreeMap;

use kiln_model::spec::{PARAMETERS, Parameter};
use serde::Serialize;

use super::weights::{described, little_endian};
use super::{About, ExportError, Group, Language, Source, Take, config};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".bpk",
    group: Group::Model,
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
