//! Data out of the files that a person chose: archives are unpacked, what systems add is left out,
//! and the rest are files of images and labels.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use kiln_model::dataset::Dataset;
use kiln_model::import::{self, ImportError, Kind, MOST_BYTES, PairNames, TestSource};

use super::unzip::{Archive, Packed, UnzipError, is_of_a_system};
use crate::data::{DataChoices, DataSummary, Remark};
use crate::protocol::DataFile;

/// Most bytes that are unpacked of all archives together: training and test files that are not
/// packed once more may have as many images as there may be.
const ALL_BYTES: usize = MOST_BYTES + (64 << 20);
/// Files that are data at once, at most: images and labels for training and for tests.
const MOST_FILES: usize = 4;
/// Bytes from the start of a file in an archive that tell what it is, packed once more or not.
const START_BYTES: usize = 16 << 10;

/// Why files are no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    /// An archive that cannot be unpacked.
    #[error("{archive} {error}")]
    Unzip {
        /// Its name.
        archive: String,
        /// What is wrong with it.
        error: UnzipError,
    },
    /// An archive of other things.
    #[error("{archive} holds no idx files of images or labels; {name} in it is {kind}")]
    Others {
        /// Its name.
        archive: String,
        /// The first file in it.
        name: String,
        /// What that is.
        kind: Kind,
    },
    /// An archive of nothing.
    #[error("{archive} holds no files")]
    Nothing {
        /// Its name.
        archive: String,
    },
    /// All of them are too much.
    #[error("the files in the archives have more than {} MB together", ALL_BYTES >> 20)]
    TooLarge,
    /// A file was chosen that there is not.
    #[error("{name} was chosen, but is not among the files")]
    Missing {
        /// Its name.
        name: String,
    },
    /// What is in them.
    #[error(transparent)]
    Import(#[from] ImportError),
}

impl DataError {
    /// The pairs of which one or two are to be chosen, where that is all that is wrong.
    pub fn pairs(&self) -> &[PairNames] {
        match self {
            Self::Import(ImportError::WhichPairs { pairs, .. }) => pairs,
            _ => &[],
        }
    }
}

/// A file, of an archive or not.
struct Named<'a> {
    /// Its name, behind that of its archive.
    name: String,
    place: Place<'a>,
}

enum Place<'a> {
    Chosen(&'a [u8]),
    /// In the archive of this index.
    In(usize, Packed),
}

/// An archive, its name, and what is in it.
struct Opened<'a> {
    name: &'a str,
    archive: Archive<'a>,
}

/// Reads files, archives among them, and says what there is.
///
/// # Errors
/// Archives that are damaged or hold neither images nor labels, and all that
/// [`kiln_model::import::import`] refuses.
pub fn read(files: &[DataFile], choices: DataChoices) -> Result<(DataSummary, Dataset), DataError> {
    let (archives, mut named, mut remarks) = open(files)?;
    if !choices.files.is_empty() {
        let known = |chosen: &&String| named.iter().all(|file| file.name != **chosen);
        if let Some(missing) = choices.files.iter().find(known) {
            return Err(DataError::Missing {
                name: missing.clone(),
            });
        }
        named.retain(|file| choices.files.contains(&file.name));
    }
    let contents = unpack(&archives, &named, &mut remarks)?;
    let files: Vec<import::File<'_>> = contents
        .iter()
        .map(|(name, bytes)| import::File { name, bytes })
        .collect();
    let read = import::import(&files, choices.images)?;
    remarks.splice(0..0, read.remarks.into_iter().map(Remark::Images));
    let is_test_cut_off = read.test_source == TestSource::LastSeventh;
    let summary = DataSummary {
        choices,
        remarks,
        labels_sha256: read.labels_sha256,
        ..summary(&read.dataset, is_test_cut_off)
    };
    Ok((summary, read.dataset))
}

/// What there is, of which nothing was chosen and nothing is to be said.
pub fn summary(dataset: &Dataset, is_test_cut_off: bool) -> DataSummary {
    DataSummary {
        hash: dataset.hash().to_owned(),
        training_images: dataset.training_len() as u32,
        test_images: dataset.test().images().len() as u32,
        is_test_cut_off,
        labels_sha256: String::new(),
        choices: DataChoices::default(),
        remarks: Vec::new(),
    }
}

type Files<'a> = (Vec<Opened<'a>>, Vec<Named<'a>>, Vec<Remark>);

/// All files, those in archives only where they may be images or labels.
fn open(files: &[DataFile]) -> Result<Files<'_>, DataError> {
    let (mut archives, mut named, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for file in files.iter().filter(|file| !is_of_a_system(&file.name)) {
        if !Archive::is_one(&file.bytes) {
            named.push(Named {
                name: file.name.clone(),
                place: Place::Chosen(&file.bytes),
            });
            continue;
        }
        let failed = |error| DataError::Unzip {
            archive: file.name.clone(),
            error,
        };
        let archive = Archive::open(&file.bytes).map_err(failed)?;
        let mut others = Vec::new();
        let before = named.len();
        for packed in &archive.files {
            let start = archive.start(packed, START_BYTES).map_err(failed)?;
            let kind = import::kind(import::File {
                name: &packed.name,
                bytes: &start,
            });
            let name = format!("{}/{}", file.name, packed.name);
            if kind == Kind::Idx {
                named.push(Named {
                    name,
                    place: Place::In(archives.len(), packed.clone()),
                });
            } else {
                others.push((name, kind));
            }
        }
        if named.len() == before {
            let archive = file.name.clone();
            return Err(match archive_first(&archive, others) {
                Some((name, kind)) => DataError::Others {
                    archive,
                    name,
                    kind,
                },
                None => DataError::Nothing { archive },
            });
        }
        left_out.extend(others.into_iter().map(|(name, _)| name));
        archives.push(Opened {
            name: &file.name,
            archive,
        });
    }
    let left_out = (!left_out.is_empty()).then_some(Remark::LeftOut { files: left_out });
    Ok((archives, named, left_out.into_iter().collect()))
}

/// The first file in an archive, by its name there.
fn archive_first(archive: &str, others: Vec<(String, Kind)>) -> Option<(String, Kind)> {
    let (name, kind) = others.into_iter().next()?;
    let inside = name.strip_prefix(archive).unwrap_or(&name);
    Some((inside.trim_start_matches('/').to_owned(), kind))
}

/// Names of files and what is in them.
type Contents<'a> = Vec<(&'a str, Cow<'a, [u8]>)>;

/// Unpacks all files; of more than can be data only the beginnings where all are too much, for it is
/// to be asked which are meant.
fn unpack<'a>(
    archives: &[Opened<'a>],
    named: &'a [Named<'a>],
    remarks: &mut Vec<Remark>,
) -> Result<Contents<'a>, DataError> {
    let is_too_many = named.len() > MOST_FILES;
    let mut room = ALL_BYTES;
    let mut contents: Contents<'a> = Vec::new();
    for file in named {
        let bytes = match &file.place {
            Place::Chosen(bytes) => Cow::Borrowed(*bytes),
            Place::In(index, packed) => {
                let Opened { name, archive } = &archives[*index];
                let failed = |error| DataError::Unzip {
                    archive: (*name).to_owned(),
                    error,
                };
                match archive.read(packed, room.min(MOST_BYTES)) {
                    Ok(bytes) => {
                        room -= bytes.len();
                        Cow::Owned(bytes)
                    }
                    Err(UnzipError::TooLarge { .. }) if is_too_many => {
                        return starts(archives, named);
                    }
                    Err(UnzipError::TooLarge { .. }) if room < MOST_BYTES => {
                        return Err(DataError::TooLarge);
                    }
                    Err(error) => return Err(failed(error)),
                }
            }
        };
        contents.push((&file.name, bytes));
    }
    if is_too_many {
        leave_out_same(&mut contents, remarks);
    }
    Ok(contents)
}

/// Leaves out each file that is the same as another, where what remains can be one pair or two: some
/// archives hold all files twice over, while several sets of images may share their labels.
fn leave_out_same(contents: &mut Contents<'_>, remarks: &mut Vec<Remark>) {
    let same = |index: usize| {
        let (name, bytes) = &contents[index];
        let (other, _) = contents[..index].iter().find(|(_, other)| other == bytes)?;
        Some(Remark::Same {
            file: (*name).to_owned(),
            other: (*other).to_owned(),
        })
    };
    let same: Vec<Option<Remark>> = (0..contents.len()).map(same).collect();
    let mut rest = [0; 2];
    for ((name, bytes), _) in contents
        .iter()
        .zip(&same)
        .filter(|(_, same)| same.is_none())
    {
        match import::is_images(import::File { name, bytes }) {
            Some(is_images) => rest[usize::from(is_images)] += 1,
            None => return,
        }
    }
    if matches!(rest, [1, 1] | [2, 2]) {
        let mut is_same = same.iter().map(Option::is_some);
        contents.retain(|_| is_same.next() == Some(false));
        remarks.extend(same.into_iter().flatten());
    }
}

/// The beginnings of all files: enough to say which pairs they make.
fn starts<'a>(archives: &[Opened<'a>], named: &'a [Named<'a>]) -> Result<Contents<'a>, DataError> {
    let start = |file: &'a Named<'a>| {
        let bytes = match &file.place {
            Place::Chosen(bytes) => Cow::Borrowed(*bytes),
            Place::In(index, packed) => {
                let Opened { name, archive } = &archives[*index];
                let start = archive.start(packed, START_BYTES);
                Cow::Owned(start.map_err(|error| DataError::Unzip {
                    archive: (*name).to_owned(),
                    error,
                })?)
            }
        };
        Ok((file.name.as_str(), bytes))
    };
    named.iter().map(start).collect()
}
