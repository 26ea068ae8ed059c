//! Takes runs out of an archive, away from the page.

use kiln_run::import::archive::runs;
use kiln_run::protocol::{DataFile, FromWorker};

use super::scope::post;

/// Reads the archive and checks all that is in it.
pub fn unpack(archive: &DataFile) {
    let outcome = runs(&archive.bytes)
        .map_err(|error| format!("{} {error}. Nothing was changed.", archive.name));
    post(&FromWorker::Unpacked { outcome });
}
