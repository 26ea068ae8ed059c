//! Files of a run: each exporter turns a [`Source`] into bytes and touches nothing else. A new one is
//! a file of its own here, and a name in [`formats!`].

mod burnpack;
mod config;
mod csv;
mod h5;
mod clock;
mod config;
mod csv;
mod flat;
mod json_lines;
mod keras;
mod keras_model;
pub mod name;
mod onnx;
mod predictions;
mod progress;
mod notebook;
mod predictions;
mod report;
pub mod report_html;
pub mod report_markdown;
mod rows;
mod safetensors;
mod torch;
mod tensorboard;
mod wandb;
mod weights;
mod wide_csv;
pub mod zip;

use std::fmt;

use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::parcel::{Answered, Parcel};
use crate::run::{Run, Weights};
use name::file_stem;
pub use rows::write_chart;

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The run has no weights: it is not over, or it failed.
    #[error("This run has no weights yet. Stop it or let it finish first.")]
    NoWeights,
    /// No answers of the run are kept.
    #[error("What this run answered is not kept. Score it in Evaluate first.")]
    NoAnswers,
    /// A writer refused.
    #[error("{0}.")]
    Writer(String),
}

impl ExportError {
    /// What a writer said.
    fn of(error: impl fmt::Display) -> Self {
        Self::Writer(error.to_string())
    }
}

/// What is known of a run, to make files of it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The run.
    pub run: &'a Run,
    /// Which weights, where a file has any.
    pub which: Weights,
    /// All that is kept of it.
    pub parcel: &'a Parcel,
}

impl Source<'_> {
    /// The weights that were asked for, in the order of [`kiln_model::spec::PARAMETERS`].
    fn weights(&self) -> Result<Vec<f32>, ExportError> {
        let weights = self.run.weights(self.which).map_err(ExportError::of)?;
        weights.ok_or(ExportError::NoWeights)
    }

    /// What it answered last to the images of a part, and after how many steps; nothing where that
    /// is not kept.
    fn newest(&self, part: Part) -> Result<Option<(u32, Predictions)>, ExportError> {
        let newest = self
            .parcel
            .answers
            .iter()
            .rfind(|answered| answered.part == part);
        let read = |answered: &Answered| {
            let predictions = Predictions::from_bytes(&answered.predictions);
            Ok((answered.step, predictions.map_err(ExportError::of)?))
        };
        newest.map(read).transpose()
    }
}

/// Takes a file part by part, each with how much is done then, 0 to 1.
pub type Take<'a> = dyn FnMut(Vec<u8>, f64) + 'a;

/// What files are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The trained network.
    Model,
    /// What was measured.
    Figures,
    /// What other tools show.
    Tools,
    /// What a person reads.
    Reports,
}

/// What a snippet is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python.
    Python,
    /// A shell.
    Shell,
    /// Rust.
    Rust,
}

/// A kind of file that a run leaves as.
#[derive(Debug)]
pub struct About {
    /// What its name ends in, which also names the format.
    pub ending: &'static str,
    /// What it is for.
    pub group: Group,
    /// What is in it, in a few words.
    pub contents: &'static str,
    /// What opens it.
    pub opens_with: &'static str,
    /// The media type to save it under.
    pub media_type: &'static str,
    /// What [`About::snippet`] is written in.
    pub language: Language,
    /// Lines that open it, given its name without the ending.
    pub snippet: fn(&str) -> String,
}

/// A kind of file; two are equal where their endings are.
#[derive(Clone, Copy)]
pub struct Format(&'static About);

/// Makes the list of all formats, and what writes each, out of the modules that hold them.
macro_rules! formats {
    ($($module:ident)*) => {
        /// Every format, in the order in which a person is shown them.
        pub const FORMATS: &[Format] = &[$(Format(&$module::ABOUT)),*];

        impl Format {
            /// Makes the file and gives it to `take`.
            ///
            /// # Errors
            /// What the run does not have, or a writer that refuses.
            pub fn write(self, source: &Source, take: &mut Take) -> Result<(), ExportError> {
                $(if self.0.ending == $module::ABOUT.ending {
                    return $module::write(source, take);
                })*
                Err(ExportError::of(format_args!("No file ends in {}", self.0.ending)))
            }
        }
    };
}

formats! {
    safetensors
    keras
    h5
    onnx
    torch
    burnpack
    config
    csv
    wide_csv
    json_lines
    predictions
    tensorboard
    wandb
    notebook
    report_html
    report_markdown
}

impl Format {
    /// The one whose files' names end so.
    pub fn with_ending(ending: &str) -> Option<Self> {
        FORMATS
            .iter()
            .copied()
            .find(|format| format.0.ending == ending)
    }

    /// What there is to know of it.
    pub const fn about(self) -> &'static About {
        self.0
    }

    /// The name of the file of a run with this name.
    pub fn file_name(self, run: &str) -> String {
        format!("{}{}", file_stem(run), self.0.ending)
    }

    /// Lines that open the file of a run with this name.
    pub fn snippet(self, run: &str) -> String {
        (self.0.snippet)(&file_stem(run))
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.0.ending == other.0.ending
    }
}

impl Eq for Format {}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.ending)
    }
}

/// As its ending.
impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.ending)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ending = String::deserialize(deserializer)?;
        Self::with_ending(&ending)
            .ok_or_else(|| D::Error::custom(format_args!("no file ends in {ending}")))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_bytes::ByteBuf;

    use super::*;

    /// The whole file.
    fn whole(ending: &str, source: &Source) -> Result<Vec<u8>, ExportError> {
        let (mut file, mut last) = (Vec::new(), 0.0);
        let format = Format::with_ending(ending).unwrap();
        format.write(source, &mut |part, done| {
            assert!((last..=1.0).contains(&done), "{done} after {last}");
            last = done;
            file.extend(part);
        })?;
        assert_eq!(last, 1.0);
        Ok(file)
    }

    /// A file of a run that answered so.
    pub(crate) fn exported(
        ending: &str,
        run: &Run,
        which: Weights,
        answers: Vec<Answered>,
    ) -> Result<Vec<u8>, ExportError> {
        let unkept = run.unkept().unwrap();
        let parcel = Parcel {
            identity: run.identity.clone(),
            status: run.status(),
            segments: unkept
                .segment
                .into_iter()
                .map(|new| ByteBuf::from(new.bytes))
                .collect(),
            checkpoint: run
                .checkpoint()
                .map(|kept| ByteBuf::from(kept.file.clone())),
            answers,
        };
        whole(
            ending,
            &Source {
                run,
                which,
                parcel: &parcel,
            },
        )
    }

    #[test]
    fn a_format_is_known_by_its_ending() {
        for format in FORMATS {
            let json = serde_json::to_string(format).unwrap();
            assert_eq!(serde_json::from_str::<Format>(&json).unwrap(), *format);
            let same = FORMATS.iter().filter(|other| *other == format);
            assert_eq!(same.count(), 1, "{format:?}");
        }
        assert!(serde_json::from_str::<Format>("\".exe\"").is_err());
    }

    #[test]
    fn a_snippet_names_the_very_file() {
        let name = "a \"b\" 'c' [0] / \\ : =1+1 ü";
        for format in FORMATS {
            let (file, snippet) = (format.file_name(name), format.snippet(name));
            assert!(snippet.contains(&file), "{snippet}");
        }
    }
}
