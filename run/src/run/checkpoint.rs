//! Where a run can go on from: the worker's file, and what it says.

use kiln_model::checkpoint::{self, CheckpointError, Outline, Snapshot};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;

/// A checkpoint that is known to be whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What it says without its tensors.
    pub outline: Outline,
    /// A file of [`kiln_model::checkpoint`].
    pub file: Vec<u8>,
}

impl Checkpoint {
    /// The checkpoint in a file.
    ///
    /// # Errors
    /// Bytes that are no checkpoint, not whole, altered or of another version.
    pub fn new(file: Vec<u8>) -> Result<Self, CheckpointError> {
        Ok(Self {
            outline: checkpoint::outline(&file)?,
            file,
        })
    }

    /// All of it.
    ///
    /// # Errors
    /// Weights of another network.
    pub fn snapshot(&self) -> Result<Snapshot, CheckpointError> {
        checkpoint::read(&self.file)
    }
}

/// As its file.
impl Serialize for Checkpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.file)
    }
}

impl<'de> Deserialize<'de> for Checkpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let file = ByteBuf::deserialize(deserializer)?;
        Self::new(file.into_vec()).map_err(D::Error::custom)
    }
}
