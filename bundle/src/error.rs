//! What can go wrong, in sentences.

use std::path::{Path, PathBuf};

/// Why a page cannot be finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read or written.
    #[error("{path}: {reason}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// The page's module cannot be taken apart.
    #[error("the page's module cannot be taken apart: {0}")]
    Split(String),
    /// A tool that wrote something else than it used to.
    #[error("{file} has not what is to be changed in it ({what}); see bundle/src/split.rs")]
    Unexpected {
        /// What was written.
        file: String,
        /// What is looked for in it.
        what: String,
    },
    /// A module that is too large.
    #[error("{0}")]
    Heavy(String),
    /// The page cannot be served.
    #[error(transparent)]
    Host(#[from] kiln_host::HostError),
    /// A command line that is not understood.
    #[error(
        "usage: kiln-bundle [weigh DIST | host DIST [ADDRESS] | ask ADDRESS | first FOLDER | \
             host-after BEFORE DIST]"
    )]
    Usage,
}

impl Error {
    /// Of a tool that reads or writes modules.
    pub fn split(error: impl std::fmt::Display) -> Self {
        Self::Split(format!("{error:#}"))
    }

    /// Of a file or folder.
    pub fn of(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| Self::File {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}
