//! What a file of weights holds, or why it holds none.

use crate::hdf5::read::ReadError;
use crate::import::unzip::UnzipError;

/// Most bytes of a file. The network's weights take 0.14 MB, and what an optimiser keeps beside
/// them twice that.
pub(super) const MOST_BYTES: usize = 1 << 26;

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
