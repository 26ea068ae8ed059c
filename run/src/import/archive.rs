//! Runs out of an archive that a Kiln wrote, however it was packed since.

use kiln_model::checkpoint::{self, CheckpointError};
use kiln_model::config::OutOfRange;
use kiln_model::evaluation::{Predictions, PredictionsError};

use serde::{Deserialize, Serialize};

use super::unzip::{Archive, Packed, UnzipError};
use crate::archive::{ANSWERS, CHECKPOINT, HEAD, Head, LOG, VERSION, answers_of};
use crate::log::segment::{self, LogError};
use crate::parcel::{Answered, Parcel};
use crate::record::Record;
use crate::run::Status;
use crate::run::identity::NOTES_LETTERS;
use crate::run::names::{NAME_LETTERS, cut};

/// Most bytes of [`HEAD`].
const HEAD_BYTES: usize = 1 << 20;
/// Most bytes of a segment, a checkpoint or answers.
const PART_BYTES: usize = 1 << 28;
/// Most bytes of all runs of an archive, unpacked.
const ALL_BYTES: usize = 1 << 30;
/// The largest number that names a run: browsers count no further by ones.
const MOST_ID: u64 = (1 << 53) - 1;

/// Why an archive gives no runs: the end of a sentence that begins with its name.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be unpacked.
    #[error(transparent)]
    Unzip(#[from] UnzipError),
    /// There is no run in it.
    #[error("holds no run of Kiln: no file in it is called {HEAD}")]
    NoRun,
    /// A newer Kiln wrote it.
    #[error(
        "was written by a newer Kiln, in version {found}; this one reads version {VERSION}. Reload the page to get the newest"
    )]
    Newer {
        /// Its version.
        found: u32,
    },
    /// What it says of a run cannot be read.
    #[error("holds {name:?}, which cannot be read: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why not.
        reason: String,
    },
    /// All of it is too much.
    #[error("holds runs of more than {} MB together", ALL_BYTES >> 20)]
    TooLarge,
}

/// A run that was unpacked, with what lists show of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unpacked {
    /// What lists show.
    pub record: Record,
    /// The run.
    pub parcel: Parcel,
    /// The number of the first entry in each of its segments; they ascend.
    pub firsts: Vec<u64>,
}

/// What was taken out of a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Its runs, each whole.
    pub runs: Vec<Unpacked>,
    /// Why others were left out: ends of sentences that begin with the file's name.
    pub refused: Vec<String>,
}

/// The runs of an archive. One of which a part is damaged or out of range is left out, and the others
/// are not.
///
/// # Errors
/// An archive that is damaged or holds no run that is whole.
pub fn runs(bytes: &[u8]) -> Result<Taken, ArchiveError> {
    let archive = Archive::open(bytes)?;
    let mut room = ALL_BYTES;
    let heads = archive.files.iter().filter_map(|file| {
        let folder = file.name.strip_suffix(HEAD)?;
        (folder.is_empty() || folder.ends_with('/')).then_some((file, folder))
    });
    let (mut taken, mut first) = (Taken::default(), None);
    for (head, folder) in heads {
        let read = run(&archive, head, folder, &mut room).and_then(|run| {
            let is_same = |other: &Unpacked| other.record.identity.id == run.record.identity.id;
            if taken.runs.iter().any(is_same) {
                return Err(ArchiveError::Unreadable {
                    name: head.name.clone(),
                    reason: "the same run is in it twice".to_owned(),
                });
            }
            Ok(run)
        });
        match read {
            Ok(run) => taken.runs.push(run),
            Err(error) => {
                taken.refused.push(error.to_string());
                first.get_or_insert(error);
            }
        }
    }
    if taken.runs.is_empty() {
        return Err(first.unwrap_or(ArchiveError::NoRun));
    }
    Ok(taken)
}

fn run(
    archive: &Archive,
    head: &Packed,
    folder: &str,
    room: &mut usize,
) -> Result<Unpacked, ArchiveError> {
    let unreadable = |file: &Packed, reason: String| ArchiveError::Unreadable {
        name: file.name.clone(),
        reason,
    };
    let head_bytes = archive.read(head, HEAD_BYTES)?;
    let version: Version =
        serde_json::from_slice(&head_bytes).map_err(|error| unreadable(head, error.to_string()))?;
    if version.kiln_run > VERSION {
        return Err(ArchiveError::Newer {
            found: version.kiln_run,
        });
    }
    let Head {
        mut identity,
        status,
        ..
    } = serde_json::from_slice(&head_bytes).map_err(|error| unreadable(head, error.to_string()))?;
    if identity.id.0 > MOST_ID {
        let reason = format!("its number is {}, above {MOST_ID}", identity.id.0);
        return Err(unreadable(head, reason));
    }
    identity.name = cut(&identity.name, NAME_LETTERS).to_owned();
    identity.notes = cut(&identity.notes, NOTES_LETTERS).to_owned();

    let mut inside: Vec<(&str, &Packed)> = archive
        .files
        .iter()
        .filter_map(|file| Some((file.name.strip_prefix(folder)?, file)))
        .collect();
    // However it was packed, segments are in the order of their names.
    inside.sort_by_key(|(name, _)| *name);
    let mut read = |file: &Packed| -> Result<Vec<u8>, ArchiveError> {
        let bytes = archive.read(file, PART_BYTES)?;
        *room = room
            .checked_sub(bytes.len())
            .ok_or(ArchiveError::TooLarge)?;
        Ok(bytes)
    };
    let mut parcel = Parcel {
        identity,
        // Whoever trained it does so no more.
        status: if status.is_open() {
            Status::Interrupted
        } else {
            status
        },
        segments: Vec::new(),
        checkpoint: None,
        answers: Vec::new(),
    };
    for (name, file) in inside {
        if name == CHECKPOINT {
            let bytes = read(file)?;
            check(&bytes).map_err(|error| unreadable(file, error.to_string()))?;
            parcel.checkpoint = Some(bytes.into());
        } else if name.starts_with(LOG) {
            parcel.segments.push(read(file)?.into());
        } else if name.starts_with(ANSWERS) {
            let (part, step) = answers_of(name)
                .ok_or_else(|| unreadable(file, "its name says no step".to_owned()))?;
            let predictions = read(file)?;
            Predictions::from_bytes(&predictions)
                .map_err(|error: PredictionsError| unreadable(file, error.to_string()))?;
            parcel.answers.push(Answered {
                part,
                step,
                predictions,
            });
        }
    }
    parcel.answers.sort_by_key(|answered| answered.step);
    let run = parcel
        .read()
        .map_err(|error: CheckpointError| unreadable(head, error.to_string()))?;
    if let Some(damage) = run.damage() {
        return Err(unreadable(head, damage.to_string()));
    }
    let firsts = parcel
        .segments
        .iter()
        .map(|segment| segment::first(segment));
    let firsts = firsts.collect::<Result<Vec<u64>, LogError>>();
    let firsts = firsts.map_err(|error| unreadable(head, error.to_string()))?;
    if !firsts.is_sorted_by(|a, b| a < b) {
        let reason = "parts of its log begin at the same place".to_owned();
        return Err(unreadable(head, reason));
    }
    run.config()
        .check()
        .map_err(|error: OutOfRange| unreadable(head, error.to_string()))?;
    Ok(Unpacked {
        record: Record::of(&run),
        parcel,
        firsts,
    })
}

/// The version alone: what else a newer Kiln says may be of another shape.
#[derive(Deserialize)]
struct Version {
    kiln_run: u32,
}

fn check(file: &[u8]) -> Result<(), CheckpointError> {
    checkpoint::read(file).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::segment_name;
    use crate::import::unzip::tests::zipped;
    use crate::parcel::tests::parcel;
    use crate::run::tests::scored_run;
    use kiln_model::event::State;

    /// The files of a run, by name.
    fn files(parcel: &Parcel) -> Vec<(String, Vec<u8>)> {
        let head = Head {
            kiln_run: VERSION,
            identity: parcel.identity.clone(),
            status: parcel.status,
        };
        let mut files = vec![
            (HEAD.to_owned(), serde_json::to_vec(&head).unwrap()),
            (
                CHECKPOINT.to_owned(),
                parcel.checkpoint.clone().unwrap().into_vec(),
            ),
        ];
        for (index, segment) in parcel.segments.iter().enumerate() {
            files.push((segment_name(index), segment.to_vec()));
        }
        files
    }

    fn packed(folder: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
        let names: Vec<String> = files
            .iter()
            .map(|(name, _)| format!("{folder}{name}"))
            .collect();
        let files: Vec<(&str, &[u8])> = names
            .iter()
            .zip(files)
            .map(|(name, (_, bytes))| (name.as_str(), bytes.as_slice()))
            .collect();
        zipped(&files)
    }

    #[test]
    fn a_run_comes_back_however_it_was_packed() {
        let run = scored_run();
        let parcel = parcel(&run, run.status());
        let mut files = files(&parcel);
        for folder in ["", "amber-bowl-1/", "a/b c/"] {
            files.reverse();
            let found = runs(&packed(folder, &files)).unwrap().runs;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].parcel, parcel, "{folder:?}");
            assert_eq!(found[0].record, Record::of(&run));
            assert_eq!(found[0].firsts, [0]);
        }
    }

    #[test]
    fn a_run_that_was_under_way_is_interrupted() {
        let run = scored_run();
        let parcel = parcel(&run, Status::Session(State::Running));
        let found = runs(&packed("", &files(&parcel))).unwrap().runs;
        assert_eq!(found[0].parcel.status, Status::Interrupted);
    }

    #[test]
    fn what_is_damaged_is_named() {
        let run = scored_run();
        let good = files(&parcel(&run, run.status()));
        let with = |name: &str, bytes: &[u8]| {
            let mut files = good.clone();
            for file in &mut files {
                if file.0 == name {
                    file.1 = bytes.to_vec();
                }
            }
            runs(&packed("", &files)).unwrap_err().to_string()
        };
        assert!(with(CHECKPOINT, b"no").contains("checkpoint.kiln"));
        let mut twice = good.clone();
        twice.push((segment_name(1), good[2].1.clone()));
        let error = runs(&packed("", &twice)).unwrap_err().to_string();
        assert!(error.contains("begin at the same place"), "{error}");
        assert!(with(HEAD, b"{}").contains("run.json"));
        assert!(with(&segment_name(0), b"no").contains("run.json"));
        let newer = br#"{"kiln_run": 2, "identity": "of another shape"}"#;
        assert!(with(HEAD, newer).contains("newer Kiln, in version 2"));
        let none = runs(&zipped(&[("a.txt", b"")])).unwrap_err().to_string();
        assert!(none.contains("holds no run of Kiln"), "{none}");
    }

    #[test]
    fn a_run_is_taken_once() {
        let run = scored_run();
        let mut all = Vec::new();
        for folder in ["a/", "b/"] {
            for (name, bytes) in files(&parcel(&run, run.status())) {
                all.push((format!("{folder}{name}"), bytes));
            }
        }
        let taken = runs(&packed("", &all)).unwrap();
        assert_eq!(taken.runs.len(), 1);
        assert!(taken.refused[0].contains("the same run is in it twice"));
    }

    #[test]
    fn a_number_that_no_browser_holds_is_refused() {
        let run = scored_run();
        let mut parcel = parcel(&run, run.status());
        parcel.identity.id.0 = MOST_ID + 1;
        let error = runs(&packed("", &files(&parcel))).unwrap_err().to_string();
        assert!(error.contains("9007199254740991"), "{error}");
    }
}
