//! Weights of this very network out of files of other programs. Each format has a file of its own
//! here; `named` says which tensor is which parameter.

mod axes;
mod graph;
mod keras;
mod keras_layers;
mod layers;
mod named;
mod number;
mod objects;
mod onnx;
mod pickle;
mod safetensors;
mod torch;

use super::unzip::{Archive, UnzipError};
use crate::hdf5::read::{self as hdf5, ReadError};

/// Most bytes of a file. The network's weights take 0.14 MB, and what an optimiser keeps beside
/// them twice that.
const MOST_BYTES: usize = 1 << 26;

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// [`kiln_model::spec::PARAMETER_COUNT`] values in the order of
    /// [`kiln_model::spec::PARAMETERS`], each finite.
    pub weights: Vec<f32>,
    /// What a person should know of how they were read, each a sentence.
    pub remarks: Vec<String>,
}

/// Why a file gives no weights: the end of a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Too much for any file of this network.
    #[error("is larger than {} MB, and this network takes 0.14 MB", MOST_BYTES >> 20)]
    TooLarge,
    /// None of the formats.
    #[error(
        "holds no weights that can be read: it is no file of PyTorch, Keras, ONNX or safetensors"
    )]
    Unknown,
    /// Not what its name says.
    #[error("is damaged or something else: it does not begin as a file that ends in {0:?}")]
    Misnamed(&'static str),
    /// A zip archive with something else.
    #[error("is a zip file, but none that PyTorch or Keras saved weights in")]
    OtherZip,
    /// It cannot be unpacked.
    #[error(transparent)]
    Unzip(#[from] UnzipError),
    /// It is HDF5 of which something cannot be read.
    #[error(transparent)]
    Hdf5(#[from] ReadError),
    /// What PyTorch wrote before version 1.6.
    #[error("is of PyTorch's old format. Load it in PyTorch and save it again with torch.save")]
    OldTorch,
    /// Python objects that need code to be what they are.
    #[error("holds {0}, which may be code and is never run. Save model.state_dict() alone")]
    Code(String),
    /// It breaks the rules of its format.
    #[error("is no whole {format} file: {reason}")]
    Damaged {
        /// The format.
        format: &'static str,
        /// Which rule.
        reason: String,
    },
    /// A graph of other steps.
    #[error("is of another network: {0}")]
    OtherNetwork(String),
    /// Values that are in a file beside it.
    #[error("keeps the values of {0} in another file. Export it with all values in one file")]
    Elsewhere(String),
    /// A name twice.
    #[error("holds {0} twice")]
    Twice(String),
    /// A tensor of a wrong shape.
    #[error("holds {name} of shape {found:?}, where {expected:?} is expected")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// That of the parameter.
        expected: &'static [usize],
    },
    /// Several tensors for one parameter, whose names do not tell either.
    #[error("holds more than one tensor that could be {parameter}: {tensors}")]
    Alike {
        /// The parameter.
        parameter: &'static str,
        /// The tensors.
        tensors: String,
    },
    /// Parameters for which there is no tensor.
    #[error("is of another network: it has no {parameters}; what else it has is {others}")]
    Missing {
        /// The parameters with their shapes.
        parameters: String,
        /// Tensors that are no parameter.
        others: String,
    },
    /// Tensors that this network does not have.
    #[error("is of another network: it also has {0}")]
    Superfluous(String),
    /// A parameter that is no array of floats.
    #[error("holds {name} in numbers that are no floats of 16, 32 or 64 bits")]
    NoFloats {
        /// The tensor.
        name: String,
    },
    /// A parameter with a value that no network can use.
    #[error("holds {name} with values that are no number or infinite")]
    NotFinite {
        /// The tensor.
        name: String,
    },
}

/// The weights in a file. What it is, its bytes say; its name serves for words alone.
///
/// # Errors
/// A file of none of the formats, one that is damaged, and weights of another network.
pub fn read(name: &str, bytes: &[u8]) -> Result<Found, WeightsError> {
    if bytes.len() > MOST_BYTES {
        return Err(WeightsError::TooLarge);
    }
    if Archive::is_one(bytes) {
        let archive = Archive::open(bytes)?;
        let mut files = archive.files.iter();
        return match files.find(|file| file.name == keras::WEIGHTS) {
            Some(weights) => keras::read_archive(&archive, weights),
            None => torch::read(&archive),
        };
    }
    if hdf5::is_one(bytes) {
        return keras::read(bytes);
    }
    // First, since the length it begins with may look like anything else.
    if safetensors::is_one(bytes) {
        return safetensors::read(bytes);
    }
    if torch::is_old(bytes) {
        return Err(WeightsError::OldTorch);
    }
    if onnx::is_one(bytes) {
        return onnx::read(bytes);
    }
    let endings = [".safetensors", ".onnx", ".pt", ".pth", ".keras", ".h5"];
    let name = name.to_ascii_lowercase();
    let said = endings.into_iter().find(|ending| name.ends_with(ending));
    Err(said.map_or(WeightsError::Unknown, WeightsError::Misnamed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::tests::exported;
    use crate::import::unzip::tests::zipped;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    #[test]
    fn what_leaves_comes_back_bit_by_bit() {
        let run = scored_run();
        for which in [Weights::Best, Weights::Last] {
            let weights = run.weights(which).unwrap().unwrap();
            for ending in [".safetensors", ".onnx", ".pt"] {
                let file = exported(ending, &run, which, Vec::new()).unwrap();
                // The name counts for nothing.
                let found = read("run.txt", &file).unwrap();
                assert!(found.weights == weights, "{ending}");
                assert!(found.remarks.is_empty(), "{ending}");
            }
        }
    }

    #[test]
    fn what_is_something_else_is_told() {
        let refused = |name: &str, bytes: &[u8]| read(name, bytes).unwrap_err().to_string();
        assert!(refused("a.bin", b"hello").starts_with("holds no weights that can be read"));
        assert!(refused("a", b"").starts_with("holds no weights that can be read"));
        assert!(refused("a.ONNX", b"hello").ends_with("ends in \".onnx\""));
        assert!(
            refused("a.pt", &zipped(&[("a.txt", b"a")])).starts_with("is a zip file, but none")
        );
        let old = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
        assert!(refused("a.pt", old).starts_with("is of PyTorch's old format"));
        assert!(refused("a", b"\x80\x02}.").starts_with("holds no weights that can be read"));
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(refused("a", &tar).starts_with("holds no weights that can be read"));
        tar[..6].copy_from_slice(b"pickle");
        assert!(refused("a.pt", &tar).starts_with("is of PyTorch's old format"));
        assert!(refused("a.pt", &vec![0; MOST_BYTES + 1]).starts_with("is larger than 64 MB"));
        assert!(refused("a.pt", b"PK\x03\x04").starts_with("is no whole zip file"));
    }
}
