//! What a kind of file is, and what it is made of.

use std::fmt;

use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use serde::{Serialize, Serializer};

use super::name::file_stem;
use crate::parcel::{Answered, Parcel};
use crate::run::{Run, Weights};

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
    pub(super) fn of(error: impl fmt::Display) -> Self {
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
    /// Whether the run has what a file needs.
    ///
    /// # Errors
    /// Which of it it has not.
    pub(super) fn check(&self, needs: Needs) -> Result<(), ExportError> {
        match needs {
            Needs::Weights if self.run.checkpoint().is_none() => Err(ExportError::NoWeights),
            Needs::Answers if self.parcel.answers.is_empty() => Err(ExportError::NoAnswers),
            _ => Ok(()),
        }
    }

    /// The weights that were asked for, in the order of [`kiln_model::spec::PARAMETERS`].
    pub(super) fn weights(&self) -> Result<Vec<f32>, ExportError> {
        let weights = self.run.weights(self.which).map_err(ExportError::of)?;
        weights.ok_or(ExportError::NoWeights)
    }

    /// What it answered last to the images of a part, and after how many steps; nothing where that
    /// is not kept.
    pub(super) fn newest(&self, part: Part) -> Result<Option<(u32, Predictions)>, ExportError> {
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
    /// Everything.
    Whole,
    /// The trained network.
    Model,
    /// What was measured.
    Figures,
    /// What other tools show.
    Tools,
    /// What a person reads.
    Reports,
}

/// What a run must have for a file to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing but itself.
    Nothing,
    /// Weights.
    Weights,
    /// Answers that are kept.
    Answers,
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
    /// What a run must have for it.
    pub needs: Needs,
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
pub struct Format(pub(super) &'static About);

impl Format {
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
