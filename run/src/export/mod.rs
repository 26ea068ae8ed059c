//! Files of a run: each exporter turns a [`Run`] into bytes and touches nothing else.

mod safetensors;
mod settings;
pub mod tables;

use crate::run::{Run, Weights};

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run has no weights: it is not over, or it failed.
    #[error("This run has no weights yet. Stop it or let it finish first.")]
    NoWeights,
    /// A writer refused.
    #[error("{file} could not be written: {reason}")]
    Writer {
        /// The file.
        file: String,
        /// What the writer said.
        reason: String,
    },
}

/// A file that a run leaves as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The weights.
    Safetensors,
    /// The settings and results.
    Config,
    /// Every measurement, a row each.
    Csv,
    /// Every measurement, an object a line.
    JsonLines,
}

impl Format {
    /// Every format, the model first.
    pub const ALL: [Self; 4] = [Self::Safetensors, Self::Config, Self::Csv, Self::JsonLines];

    /// The file's name.
    pub fn file_name(self, run: &Run) -> String {
        let name = &run.identity.name;
        match self {
            Self::Safetensors => format!("{name}.safetensors"),
            Self::Config => format!("{name}.config.json"),
            Self::Csv => format!("{name}.csv"),
            Self::JsonLines => format!("{name}.jsonl"),
        }
    }

    /// What is in it, in a few words.
    pub const fn contents(self) -> &'static str {
        match self {
            Self::Safetensors => "The trained weights, 34\u{2009}826 parameters",
            Self::Config => "Settings and results",
            Self::Csv => "Every measurement, one row each",
            Self::JsonLines => "Every measurement, one object a line",
        }
    }

    /// What opens it.
    pub const fn opens_with(self) -> &'static str {
        match self {
            Self::Safetensors => "PyTorch, NumPy, Hugging Face",
            Self::Config => "any editor",
            Self::Csv => "pandas, any spreadsheet",
            Self::JsonLines => "pandas, jq",
        }
    }

    /// A line of Python that reads it.
    pub fn snippet(self, run: &Run) -> String {
        let file = self.file_name(run);
        match self {
            Self::Safetensors => format!("safetensors.numpy.load_file(\"{file}\")"),
            Self::Config => format!("json.load(open(\"{file}\"))"),
            Self::Csv => format!("pandas.read_csv(\"{file}\")"),
            Self::JsonLines => format!("pandas.read_json(\"{file}\", lines=True)"),
        }
    }

    /// The media type to save it under.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Safetensors => "application/octet-stream",
            Self::Config => "application/json",
            Self::Csv => "text/csv",
            Self::JsonLines => "application/x-ndjson",
        }
    }

    /// The file; `which` matters to the weights alone.
    ///
    /// # Errors
    /// Weights asked of a run that has none, or a writer that refuses.
    pub fn write(self, run: &Run, which: Weights) -> Result<Vec<u8>, ExportError> {
        let refused = |reason: String| ExportError::Writer {
            file: self.file_name(run),
            reason,
        };
        match self {
            Self::Safetensors => {
                let weights = run
                    .weights(which)
                    .map_err(|error| refused(error.to_string()))?;
                let weights = weights.ok_or(ExportError::NoWeights)?;
                safetensors::write(run, which, &weights).map_err(|error| refused(error.to_string()))
            }
            Self::Config => settings::write(run).map_err(|error| refused(error.to_string())),
            Self::Csv => tables::write_csv(run).map_err(|error| refused(error.to_string())),
            Self::JsonLines => {
                tables::write_json_lines(run).map_err(|error| refused(error.to_string()))
            }
        }
    }
}
