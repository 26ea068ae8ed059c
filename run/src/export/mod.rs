//! Files of a run: each exporter turns a [`Source`] into bytes and touches nothing else. A new one is
//! a file of its own here, and a name in `list.rs`.

mod archive;
mod burnpack;
mod clock;
mod config;
mod csv;
pub(crate) mod flat;
mod format;
mod h5;
mod json_lines;
mod keras;
mod keras_model;
mod list;
pub mod name;
mod notebook;
mod onnx;
mod predictions;
mod report;
pub mod report_html;
pub mod report_markdown;
mod rows;
mod safetensors;
mod tensorboard;
mod torch;
mod wandb;
mod weights;
mod wide_csv;
pub mod zip;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

pub use archive::{write_all, write_bare};
pub use format::{About, ExportError, Format, Group, Language, Needs, Source, Take};
use list::EACH;
pub use rows::write_chart;

/// Every format, in the order in which a person is shown them.
pub const FORMATS: [Format; EACH.len() + 1] = {
    let mut all = [Format(&archive::ABOUT); EACH.len() + 1];
    let mut index = 0;
    while index < EACH.len() {
        all[index + 1] = EACH[index];
        index += 1;
    }
    all
};

/// Makes a file and gives it to `take`, part by part.
///
/// # Errors
/// What the run does not have, or a writer that refuses.
pub fn write(format: Format, source: &Source, take: &mut Take) -> Result<(), ExportError> {
    if format == Format(&archive::ABOUT) {
        archive::write(source, take)
    } else {
        list::write(format, source, take)
    }
}

impl Format {
    /// The one whose files' names end so.
    pub fn with_ending(ending: &str) -> Option<Self> {
        FORMATS
            .into_iter()
            .find(|format| format.about().ending == ending)
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
    use crate::parcel::{Answered, Parcel};
    use crate::run::{Run, Weights};

    /// The whole file.
    fn whole(ending: &str, source: &Source) -> Result<Vec<u8>, ExportError> {
        let (mut file, mut last) = (Vec::new(), 0.0);
        let format = Format::with_ending(ending).unwrap();
        write(format, source, &mut |part: Vec<u8>, done| {
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
            let json = serde_json::to_string(&format).unwrap();
            assert_eq!(serde_json::from_str::<Format>(&json).unwrap(), format);
            let same = FORMATS.iter().filter(|other| **other == format);
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
