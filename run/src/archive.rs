//! How a run lies in an archive, for what writes one and what reads one.
//!
//! Each run is a folder: `run.json`, which says what it is known by; `log/`, its segments in order;
//! `checkpoint.kiln`; `answers/`, what it said in its validations and in its score. Whatever else lies
//! beside them is for other tools and is not read.

use kiln_model::dataset::Part;
use serde::{Deserialize, Serialize};

use crate::run::{Identity, Status};

/// Of what [`Head`] and the names here are; counted up with whatever an older Kiln cannot read.
pub const VERSION: u32 = 1;
/// The file that makes a folder a run.
pub const HEAD: &str = "run.json";
/// The newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint.kiln";
/// Before the names of segments.
pub const LOG: &str = "log/";
/// Before the names of answers.
pub const ANSWERS: &str = "answers/";

/// What a run is known by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// [`VERSION`] when it was written.
    pub kiln_run: u32,
    /// What it is known by.
    pub identity: Identity,
    /// Where it was.
    pub status: Status,
}

/// The name of a segment; names are in order as segments are.
pub fn segment_name(index: usize) -> String {
    format!("{LOG}{index:08}.kilnlog")
}

/// The name of what was answered to a part after so many steps.
pub fn answers_name(part: Part, step: u32) -> String {
    format!("{ANSWERS}{}-{step:08}.kilnprd", word(part))
}

/// What a name of [`answers_name`] says; nothing where it is none.
pub fn answers_of(name: &str) -> Option<(Part, u32)> {
    let (word_of_part, step) = name
        .strip_prefix(ANSWERS)?
        .strip_suffix(".kilnprd")?
        .split_once('-')?;
    let part = Part::ALL
        .into_iter()
        .find(|part| word(*part) == word_of_part)?;
    Some((part, step.parse().ok()?))
}

const fn word(part: Part) -> &'static str {
    match part {
        Part::Training => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_in_them() {
        for part in Part::ALL {
            let name = answers_name(part, 938);
            assert_eq!(answers_of(&name), Some((part, 938)), "{name}");
        }
        assert_eq!(answers_name(Part::Test, 7), "answers/test-00000007.kilnprd");
        for other in [
            "answers/test-.kilnprd",
            "answers/test-1",
            "test-1.kilnprd",
            "answers/x-1.kilnprd",
        ] {
            assert_eq!(answers_of(other), None, "{other}");
        }
        assert!(segment_name(9) < segment_name(10));
    }
}
