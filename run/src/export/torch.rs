//! The weights as PyTorch's own file: a zip archive with a pickled state dict in it, whose values
//! lie in files beside it. The layout is that of `torch.save`; what may stand in the pickle is what
//! `torch/_weights_only_unpickler.py` reads.

use kiln_model::spec::{PARAMETERS, Parameter};

use super::name::file_stem;
use super::weights::little_endian;
use super::zip::Zip;
use super::{About, ExportError, Group, Language, Source, Take};

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".pt",
    group: Group::Model,
    contents: "The weights as a state dict",
    opens_with: "PyTorch, Netron",
    media_type: "application/octet-stream",
    language: Language::Python,
    snippet: |stem| {
        format!(
            "import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.fc = nn.Linear(1600, 10)

    def forward(self, images):
        maps = nn.functional.max_pool2d(self.conv1(images).relu(), 2)
        maps = nn.functional.max_pool2d(self.conv2(maps).relu(), 2)
        return self.fc(maps.flatten(1))

network = Network().eval()
network.load_state_dict(torch.load(\"{stem}.pt\", weights_only=True))
images = torch.zeros(1, 1, 28, 28)  # pixels from 0 to 1, the digit is bright
print(network(images).argmax(1))"
        )
    },
};

/// The file. All that is in it lies in a folder that is called like the file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let weights = source.weights()?;
    let folder = file_stem(&source.run.identity.name);
    let mut zip = Zip::new(Vec::new());
    zip.store(&format!("{folder}/data.pkl"), &state_dict())?;
    zip.store(&format!("{folder}/byteorder"), b"little")?;
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        let values = weights.get(parameter.range()).unwrap_or_default();
        // At a multiple of 64 bytes PyTorch can map the values into memory.
        zip.store_aligned(&format!("{folder}/data/{index}"), &little_endian(values))?;
    }
    zip.store(&format!("{folder}/version"), b"3\n")?;
    take(zip.finish()?, 1.0);
    Ok(())
}

/// An ordered dict of all parameters by name, without their values, as a pickle.
fn state_dict() -> Vec<u8> {
    let mut pickle = Pickle(vec![Pickle::PROTOCOL, 2]);
    pickle.ordered_dict();
    pickle.op(Pickle::MARK);
    for (index, parameter) in PARAMETERS.iter().enumerate() {
        pickle.text(parameter.name);
        pickle.tensor(index, parameter);
    }
    pickle.op(Pickle::SET_ITEMS);
    pickle.op(Pickle::STOP);
    pickle.0
}

/// A pickle that is being written: instructions for a machine with a stack, as Python's
/// `pickletools` describes them.
struct Pickle(Vec<u8>);

impl Pickle {
    const PROTOCOL: u8 = 0x80;
    const GLOBAL: u8 = b'c';
    const MARK: u8 = b'(';
    const TUPLE: u8 = b't';
    const EMPTY_TUPLE: u8 = b')';
    const CALL: u8 = b'R';
    const TEXT: u8 = b'X';
    const INTEGER: u8 = b'J';
    const FALSE: u8 = 0x89;
    const PERSISTENT_ID: u8 = b'Q';
    const SET_ITEMS: u8 = b'u';
    const STOP: u8 = b'.';

    fn op(&mut self, op: u8) {
        self.0.push(op);
    }

    /// Something that Python knows by name.
    fn global(&mut self, module: &str, name: &str) {
        self.op(Self::GLOBAL);
        for line in [module, name] {
            self.0.extend(line.as_bytes());
            self.0.push(b'\n');
        }
    }

    fn text(&mut self, text: &str) {
        self.op(Self::TEXT);
        self.0.extend((text.len() as u32).to_le_bytes());
        self.0.extend(text.as_bytes());
    }

    fn integer(&mut self, value: usize) {
        self.op(Self::INTEGER);
        self.0.extend((value as i32).to_le_bytes());
    }

    fn integers(&mut self, values: &[usize]) {
        self.op(Self::MARK);
        for value in values {
            self.integer(*value);
        }
        self.op(Self::TUPLE);
    }

    fn ordered_dict(&mut self) {
        self.global("collections", "OrderedDict");
        self.op(Self::EMPTY_TUPLE);
        self.op(Self::CALL);
    }

    /// A parameter, whose values are in the file `data/index`.
    fn tensor(&mut self, index: usize, parameter: &Parameter) {
        self.global("torch._utils", "_rebuild_tensor_v2");
        self.op(Self::MARK);
        self.storage(index, parameter.len());
        // The values begin where the storage does.
        self.integer(0);
        self.integers(parameter.shape);
        self.integers(&strides(parameter.shape));
        // It needs no gradient, and nothing is called with one.
        self.op(Self::FALSE);
        self.ordered_dict();
        self.op(Self::TUPLE);
        self.op(Self::CALL);
    }

    fn storage(&mut self, index: usize, len: usize) {
        self.op(Self::MARK);
        self.text("storage");
        self.global("torch", "FloatStorage");
        self.text(&index.to_string());
        self.text("cpu");
        self.integer(len);
        self.op(Self::TUPLE);
        self.op(Self::PERSISTENT_ID);
    }
}

/// How many values apart neighbours along each axis are, the last axis running fastest.
fn strides(shape: &[usize]) -> Vec<usize> {
    let after = |axis| shape.iter().skip(axis + 1).product();
    (0..shape.len()).map(after).collect()
}
