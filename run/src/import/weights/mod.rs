//! Weights of this very network out of files of other programs. Each format has a file of its own
//! here; `named` says which tensor is which parameter.

mod axes;
mod found;
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

use super::unzip::Archive;
use crate::hdf5::read as hdf5;
use found::MOST_BYTES;
pub use found::{Found, WeightsError};

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
