//! A log told again out of what is known of a run: of one that was kept before there were logs, and
//! of one that the store has lost.

use std::sync::Arc;

use kiln_model::checkpoint::{self, CheckpointError};
use kiln_model::event::{Event, State};
use kiln_model::history::Extent;

use super::checkpoint::Checkpoint;
use super::identity::Identity;
use super::{Run, Status};
use crate::log::entry::Entry;

impl Run {
    /// The run of a checkpoint of version 1, in which all that was measured stands. The store has
    /// still to take everything.
    ///
    /// # Errors
    /// Bytes that are no such checkpoint.
    pub fn of_first_versions(
        mut identity: Identity,
        status: Status,
        file: Vec<u8>,
    ) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint::new(file)?;
        let history = checkpoint::history(&checkpoint.file)?.ok_or_else(|| {
            CheckpointError::Inconsistent("what was measured is missing".to_owned())
        })?;
        let outline = &checkpoint.outline;
        let taken_up = std::mem::take(&mut identity.taken_up);
        let mut run = Self::new(identity, outline.config, outline.data.clone());
        for moment in taken_up {
            run.append(Entry::TakenUp(moment));
        }
        // Of a run that failed, what happened after its checkpoint was kept too.
        let step = outline.step;
        let mut before = history.events_since(&Extent::default());
        let until = before.partition_point(|(moment, _)| moment.step <= step);
        let after = before.split_off(until);
        for (_, event) in before {
            run.append(Entry::Happened(event));
        }
        run.append(Entry::Kept { step });
        for (_, event) in after {
            run.append(Entry::Happened(event));
        }
        run.append_status(status);
        run.checkpoint = Some(Arc::new(checkpoint));
        Ok(run)
    }

    /// Has the store take all of the run again, which has lost it.
    pub fn tell_again(&mut self) {
        let mut told = Self::new(
            self.identity.clone(),
            // Edits say what a setting is, not how it changes: told again, they end where they did.
            self.mark.config,
            self.data.clone(),
        );
        told.identity.taken_up.clear();
        for moment in &self.identity.taken_up {
            told.append(Entry::TakenUp(moment.clone()));
        }
        let mut before = self.history.clone();
        before.go_back(&self.mark.extent);
        for (_, event) in before.events_since(&Extent::default()) {
            told.append(Entry::Happened(event));
        }
        if let Some(checkpoint) = &self.checkpoint {
            told.append(Entry::Kept {
                step: checkpoint.outline.step,
            });
        }
        if let Some(epochs) = self.reopened {
            told.append(Entry::Reopened { epochs });
        }
        for (_, event) in self.history.events_since(&self.mark.extent) {
            told.append(Entry::Happened(event));
        }
        if self.is_scoring {
            told.append_status(Status::Session(State::Finishing));
        }
        told.append_status(self.status);
        self.tail = told.tail.instead_of(&self.tail);
        self.is_checkpoint_kept = false;
    }

    fn append_status(&mut self, status: Status) {
        match status {
            Status::Session(state) => self.append(Entry::Happened(Event::State(state))),
            Status::Interrupted => self.append(Entry::Interrupted),
            Status::Preparing => {}
        }
    }
}
