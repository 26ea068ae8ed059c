//! Files of a run: each exporter turns a [`Run`] into bytes and touches nothing else.

mod safetensors;
mod settings;
pub mod tables;

use serde::{Deserialize, Serialize};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

    /// The name of a run's file.
    pub fn file_name(self, name: &str) -> String {
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
    pub fn snippet(self, name: &str) -> String {
        let file = self.file_name(name);
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

    /// Makes the file and gives it to `take`, part by part, each with how much is done then, 0 to 1;
    /// `which` matters to the weights alone.
    ///
    /// # Errors
    /// Weights asked of a run that has none, or a writer that refuses.
    pub fn write(
        self,
        run: &Run,
        which: Weights,
        take: &mut dyn FnMut(Vec<u8>, f64),
    ) -> Result<(), ExportError> {
        let refused = |reason: String| ExportError::Writer {
            file: self.file_name(&run.identity.name),
            reason,
        };
        match self {
            Self::Safetensors => {
                let weights = run
                    .weights(which)
                    .map_err(|error| refused(error.to_string()))?;
                let weights = weights.ok_or(ExportError::NoWeights)?;
                let file = safetensors::write(run, which, &weights);
                take(file.map_err(|error| refused(error.to_string()))?, 1.0);
                Ok(())
            }
            Self::Config => {
                let file = settings::write(run).map_err(|error| refused(error.to_string()))?;
                take(file, 1.0);
                Ok(())
            }
            Self::Csv => tables::write_csv(run, take).map_err(|error| refused(error.to_string())),
            Self::JsonLines => {
                tables::write_json_lines(run, take).map_err(|error| refused(error.to_string()))
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The whole file.
    pub(crate) fn whole(format: Format, run: &Run, which: Weights) -> Result<Vec<u8>, ExportError> {
        let (mut file, mut last) = (Vec::new(), 0.0);
        format.write(run, which, &mut |part, done| {
            assert!((last..=1.0).contains(&done), "{done} after {last}");
            last = done;
            file.extend(part);
        })?;
        assert_eq!(last, 1.0);
        Ok(file)
    }
}
