//! Takes runs out of a file, away from the page.

use kiln_run::import::imported::Newcomer;
use kiln_run::import::runs;
use kiln_run::protocol::{DataFile, FromWorker};

use crate::browser::scope::post;

/// Reads the file and checks all that is in it.
pub fn unpack(file: &DataFile, newcomer: Newcomer) {
    let outcome = runs(&file.name, &file.bytes, newcomer);
    post(&FromWorker::Unpacked { outcome });
}
