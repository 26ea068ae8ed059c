//! What can go wrong, each with the next step.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a command did not do its work.
#[derive(Debug)]
pub enum Error {
    /// The command line makes no sense.
    Usage(String),
    /// There is no folder to install tools into.
    NoHome,
    /// A file of the repository cannot be read, or does not say what it should.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, as a sentence.
        reason: String,
    },
    /// A program could not be started.
    Start {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A step of a command failed.
    Step {
        /// What the step is called.
        name: String,
        /// How its program ended.
        status: String,
        /// What was run.
        command: String,
    },
    /// Something that cannot be had without a person.
    Missing {
        /// What is missing, and why it was not installed.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// A package or a file uses what it never should.
    Layer(String),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(what) => write!(out, "{what}\n\n{}", crate::USAGE),
            Self::NoHome => {
                write!(
                    out,
                    "There is no home folder for the tools. Set HOME and run this again."
                )
            }
            Self::File { path, reason } => write!(out, "{}: {reason}", path.display()),
            Self::Start { program, source } => write!(
                out,
                "`{program}` could not be started: {source}. Install it or put it on PATH, then run this again."
            ),
            Self::Step {
                name,
                status,
                command,
            } => write!(
                out,
                "{name} failed ({status}); the reason stands above. This step alone: {command}"
            ),
            Self::Missing { what, remedy } => write!(out, "{what} {remedy}"),
            Self::Layer(reason) => out.write_str(reason),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start { source, .. } => Some(source),
            _ => None,
        }
    }
}
