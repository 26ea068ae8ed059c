//! A run out of its log, segment by segment.

use std::sync::Arc;

use super::Run;
use super::checkpoint::Checkpoint;
use super::identity::Identity;
use crate::log::segment::{LogError, Reader};
use crate::log::tail::Tail;

/// A run that is being read.
#[derive(Debug)]
pub struct Reading {
    run: Run,
    reader: Reader,
}

impl Reading {
    /// One of which nothing was read yet.
    pub fn new(mut identity: Identity) -> Self {
        // The log says it.
        identity.taken_up.clear();
        Self {
            run: Run::blank(identity),
            reader: Reader::default(),
        }
    }

    /// Takes in the next segment. One that is damaged ends the run, which is as it was before.
    pub fn take(&mut self, segment: &[u8]) {
        if self.run.damage.is_none() {
            let run = &mut self.run;
            let read = self.reader.read(segment, |entry| run.fold(&entry));
            run.damage = read.err();
        }
    }

    /// The run, with the checkpoint that was kept with the last segment.
    pub fn end(self, checkpoint: Option<Checkpoint>) -> Run {
        let mut run = self.run;
        if run.damage.is_none() && self.reader.end() == 0 {
            run.damage = Some(LogError::Missing(0));
        }
        run.tail = Tail::after(self.reader.end());
        run.checkpoint = checkpoint.map(Arc::new);
        run.is_checkpoint_kept = true;
        run
    }
}
