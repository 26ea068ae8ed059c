//! Reads files that a person chose, away from the page: runs and weights, and data to train on.

use kiln_run::import::data::DataError;
use kiln_run::import::imported::Newcomer;
use kiln_run::import::{data, runs};
use kiln_run::protocol::{DataChoices, DataFile, FromWorker};

use crate::browser::scope::post;

/// Reads the file and checks all that is in it.
pub fn unpack(file: &DataFile, newcomer: Newcomer) {
    let outcome = runs(&file.name, &file.bytes, newcomer);
    post(&FromWorker::Unpacked { outcome });
}

/// Tells the page whether files are data to train on.
pub fn check(files: &[DataFile], choices: DataChoices) {
    let outcome = data::read(files, choices).map(|(data, _)| data);
    let pairs = outcome.as_ref().err().map_or(&[][..], DataError::pairs);
    post(&FromWorker::Checked {
        pairs: pairs.to_vec(),
        outcome: outcome.map_err(|error| error.to_string()),
    });
}
