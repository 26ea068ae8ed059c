//! The weights as PyTorch's own file: a zip archive with a pickled state dict in it, whose values
//! lie in files beside it. The layout is that of `torch.save`; what may stand in the pickle is what
//! `torch/_weights_only_unpickler.py` reads.

use kiln_model::spec::{PARAMETERS, Parameter};

use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::name::file_stem;
use super::weights::little_endian;
use super::zip::Zip;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".pt",
    group: Group::Model,
    needs: Needs::Weights,
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

#[cfg(test)]
mod tests {
    use kiln_model::spec::PARAMETER_COUNT;
    use rawzip::ZipArchive;

    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    /// What is in the archive: name, first byte and bytes.
    fn entries(archive: &[u8]) -> Vec<(String, u64, Vec<u8>)> {
        let archive = ZipArchive::from_slice(archive).unwrap();
        let mut entries = archive.entries();
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry().unwrap() {
            let name = String::from_utf8(entry.file_path().as_ref().to_vec()).unwrap();
            let place = archive.get_entry(entry.wayfinder()).unwrap();
            found.push((name, place.compressed_data_range().0, place.data().to_vec()));
        }
        found
    }

    /// Weight i of the run is i / 7 at its last step and i / 9 at its best.
    #[test]
    fn the_archive_is_laid_out_as_torch_saves() {
        for (which, divisor) in [(Weights::Last, 7.0), (Weights::Best, 9.0)] {
            let mut run = scored_run();
            run.identity.name = "зачёт/\"1\"".to_owned();
            let file = exported(".pt", &run, which, Vec::new()).unwrap();
            let found = entries(&file);
            let names: Vec<&str> = found
                .iter()
                .map(|(name, ..)| name.strip_prefix("зачёт__1_/").unwrap())
                .collect();
            assert_eq!(names[..2], ["data.pkl", "byteorder"]);
            assert_eq!(names[8..], ["version"]);
            assert_eq!(
                (found[1].2.as_slice(), found[8].2.as_slice()),
                (&b"little"[..], &b"3\n"[..])
            );
            let bytes: Vec<u8> = (0..PARAMETER_COUNT)
                .flat_map(|index| (index as f32 / divisor).to_le_bytes())
                .collect();
            for (index, parameter) in PARAMETERS.iter().enumerate() {
                let (_, begin, data) = &found[2 + index];
                assert_eq!(names[2 + index], format!("data/{index}"));
                assert_eq!(begin % 64, 0, "{}", parameter.name);
                let range = parameter.range();
                assert_eq!(data, &bytes[4 * range.start..4 * range.end]);
            }
        }
    }

    #[test]
    fn the_pickle_is_a_state_dict() {
        let pickle = state_dict();
        let begins: [&[u8]; 7] = [
            b"\x80\x02ccollections\nOrderedDict\n)R(",
            b"X\x0c\0\0\0conv1.weightctorch._utils\n_rebuild_tensor_v2\n(",
            b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuJ\x20\x01\0\0tQ",
            b"J\0\0\0\0",
            b"(J\x20\0\0\0J\x01\0\0\0J\x03\0\0\0J\x03\0\0\0t",
            b"(J\x09\0\0\0J\x09\0\0\0J\x03\0\0\0J\x01\0\0\0t",
            b"\x89ccollections\nOrderedDict\n)RtRX\x0a\0\0\0conv1.bias",
        ];
        assert!(pickle.starts_with(&begins.concat()));
        let ends = b"J\x0a\0\0\0tQJ\0\0\0\0(J\x0a\0\0\0t(J\x01\0\0\0t\x89ccollections\nOrderedDict\n)RtRu.";
        assert!(pickle.ends_with(ends));
    }

    #[test]
    fn the_last_axis_runs_fastest() {
        assert_eq!(strides(&[64, 32, 3, 3]), [288, 9, 3, 1]);
        assert_eq!(strides(&[10, 1_600]), [1_600, 1]);
        assert_eq!(strides(&[10]), [1]);
    }

    #[test]
    fn a_run_without_weights_has_no_model() {
        let error = exported(".pt", &new_run(), Weights::Best, Vec::new()).unwrap_err();
        assert!(matches!(error, ExportError::NoWeights));
    }
}
