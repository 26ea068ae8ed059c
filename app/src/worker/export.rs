//! Makes a file of a run out of its log, away from the page.

use kiln_run::export::Format;
use kiln_run::protocol::FromWorker;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::reading::Reading;
use kiln_run::run::{Identity, Run, Weights};
use serde_bytes::ByteBuf;

use super::scope::post;

/// Reads the run, and tells the page the file part by part.
pub fn export(
    format: Format,
    which: Weights,
    identity: Identity,
    segments: Vec<ByteBuf>,
    checkpoint: Option<ByteBuf>,
) {
    let outcome = read(identity, segments, checkpoint).and_then(|run| {
        let mut take = |part, done| post(&FromWorker::Exporting { part, done });
        let written = format.write(&run, which, &mut take);
        written.map_err(|error| error.to_string())
    });
    post(&FromWorker::Exported { outcome });
}

/// The run; one that is under way as it was kept last.
fn read(
    identity: Identity,
    segments: Vec<ByteBuf>,
    checkpoint: Option<ByteBuf>,
) -> Result<Run, String> {
    let checkpoint = checkpoint.map(|file| Checkpoint::new(file.into_vec()));
    let checkpoint = checkpoint.transpose().map_err(|error| error.to_string())?;
    let mut reading = Reading::new(identity);
    for segment in segments {
        reading.take(&segment);
    }
    let run = reading.end(checkpoint);
    Ok(if run.status().is_open() {
        run.as_kept().unwrap_or(run)
    } else {
        run
    })
}
