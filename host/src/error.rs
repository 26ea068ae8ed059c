//! What can go wrong, in sentences.

use std::path::{Path, PathBuf};

/// Why the page cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A file that cannot be read, or an address that cannot be had.
    #[error("{path}: {reason}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A policy that is no header.
    #[error("the page has a script that no policy can name: {0}")]
    Policy(String),
    /// A server that does not answer as it should.
    #[error("{address} answers: {said}")]
    Unwell {
        /// Which.
        address: String,
        /// The first line of its answer.
        said: String,
    },
}

impl HostError {
    /// Of a file, a folder or an address.
    pub fn of(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}
