//! A run as bytes: all that is kept of it, to be made files of and to travel.

use kiln_model::checkpoint::CheckpointError;
use kiln_model::dataset::Part;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::run::checkpoint::Checkpoint;
use crate::run::reading::Reading;
use crate::run::{Identity, Run, Status};

/// All that is kept of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parcel {
    /// What it is known by.
    pub identity: Identity,
    /// Where it is, as lists show it.
    pub status: Status,
    /// Its log, segment by segment: files of [`crate::log::segment`].
    pub segments: Vec<ByteBuf>,
    /// Its newest checkpoint: a file of [`kiln_model::checkpoint`].
    pub checkpoint: Option<ByteBuf>,
    /// What it answered, in order of steps.
    pub answers: Vec<Answered>,
}

/// What a run answered in a validation or in its score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// To which images.
    pub part: Part,
    /// Training steps done.
    pub step: u32,
    /// [`kiln_model::evaluation::Predictions`] as bytes.
    #[serde(with = "serde_bytes")]
    pub predictions: Vec<u8>,
}

impl Parcel {
    /// The run; one of which a part is damaged as far as it is whole, and one that is under way as it
    /// was kept last.
    ///
    /// # Errors
    /// A checkpoint that cannot be read.
    pub fn read(&self) -> Result<Run, CheckpointError> {
        let checkpoint = self.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|file| Checkpoint::new(file.to_vec()));
        let mut reading = Reading::new(self.identity.clone());
        for segment in &self.segments {
            reading.take(segment);
        }
        let mut run = reading.end(checkpoint.transpose()?);
        if self.status.is_open() {
            return Ok(run.as_kept().unwrap_or(run));
        }
        run.end_as(self.status);
        if run.status().is_open() {
            run.interrupt();
        }
        Ok(run)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::run::tests::scored_run;
    use kiln_model::event::{Event, State};

    pub(crate) fn parcel(run: &Run, status: Status) -> Parcel {
        let unkept = run.unkept().unwrap();
        Parcel {
            identity: run.identity.clone(),
            status,
            segments: vec![ByteBuf::from(unkept.segment.unwrap().bytes)],
            checkpoint: run
                .checkpoint()
                .map(|kept| ByteBuf::from(kept.file.clone())),
            answers: Vec::new(),
        }
    }

    #[test]
    fn a_run_comes_out_of_its_parcel() {
        let run = scored_run();
        let read = parcel(&run, run.status()).read().unwrap();
        assert_eq!(read.history(), run.history());
        assert_eq!(read.status(), run.status());
        assert_eq!(read.checkpoint(), run.checkpoint());
    }

    #[test]
    fn what_a_dead_tab_left_was_interrupted() {
        let mut run = scored_run();
        run.apply(Event::State(State::Running));
        let running = Status::Session(State::Running);
        let read = parcel(&run, Status::Interrupted).read().unwrap();
        assert_eq!(read.status(), Status::Interrupted);
        assert_eq!(parcel(&run, running).read().unwrap().status(), running);
    }

    #[test]
    fn a_damaged_log_is_read_as_far_as_it_is_whole() {
        let run = scored_run();
        let mut parcel = parcel(&run, run.status());
        parcel.segments[0].truncate(20);
        let read = parcel.read().unwrap();
        assert!(read.damage().is_some());
        assert_eq!(read.status(), run.status());
    }
}
