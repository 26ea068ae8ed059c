//! Runs that are deleted, and brought back.

use gloo::timers::callback::Timeout;
use leptos::prelude::*;

use super::library::{Library, find};
use super::notice::{Deletion, Notice, Remedy};
use crate::browser::store::Removed;
use crate::browser::store::StoreError;
use crate::browser::tab::News;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;

/// How long a deleted run can be brought back.
const UNDO_MS: u32 = 10_000;

impl Library {
    /// Deletes runs; for ten seconds they can be brought back.
    pub fn delete(&self, ids: Vec<RunId>) {
        let records: Vec<Record> = self.records.with_untracked(|records| {
            let found = ids.iter().filter_map(|id| find(records, *id));
            found.cloned().collect()
        });
        for id in &ids {
            self.hide(*id);
        }
        let library = *self;
        self.with_store(move |store| async move {
            let (mut removed, mut failed) = (Vec::new(), None);
            for record in &records {
                let id = record.identity.id;
                match store.remove(id).await {
                    Ok(run) => {
                        removed.push(run);
                        library.tell(News::Changed(id));
                    }
                    // It was never kept, or another tab was faster.
                    Err(StoreError::Gone) => {}
                    Err(error) => {
                        library.show(record.clone());
                        failed = Some(error);
                    }
                }
            }
            library.measure();
            let text = match (records.as_slice(), removed.len()) {
                (_, 0) => None,
                ([record], _) => Some(format!("Deleted {}.", record.identity.name)),
                (_, 1) => Some("Deleted 1 run.".to_owned()),
                (_, count) => Some(format!("Deleted {count} runs.")),
            };
            if let Some(text) = text {
                library.offer_undo(text, removed);
            }
            failed.map_or(Ok(()), Err)
        });
    }

    fn offer_undo(&self, text: String, removed: Vec<Removed>) {
        let deletion = self.private.try_update_value(|private| {
            private.deletions += 1;
            private.deleted.push((private.deletions, removed));
            private.deletions
        });
        let Some(deletion) = deletion else {
            return;
        };
        self.notify(Notice::info_with(text, [Remedy::Undo(deletion)]));
        let library = *self;
        Timeout::new(UNDO_MS, move || drop(library.take_deleted(deletion))).forget();
    }

    /// What was deleted together; it can be taken once.
    fn take_deleted(&self, deletion: Deletion) -> Vec<Removed> {
        self.withdraw(&Remedy::Undo(deletion));
        let taken = self.private.try_update_value(|private| {
            let index = private
                .deleted
                .iter()
                .position(|(other, _)| *other == deletion)?;
            Some(private.deleted.remove(index).1)
        });
        taken.flatten().unwrap_or_default()
    }

    /// Brings back what was deleted together.
    pub fn undo(&self, deletion: Deletion) {
        let removed = self.take_deleted(deletion);
        let library = *self;
        self.with_store(move |store| async move {
            for (index, run) in removed.iter().enumerate() {
                match store.put_back(run).await {
                    Ok(record) => {
                        let id = record.identity.id;
                        library.tell(News::Changed(id));
                        library.show(record);
                        library.refresh(id);
                    }
                    Err(error) => {
                        let text = format!("Not all could be brought back: {error}.");
                        library.offer_undo(text, removed[index..].to_vec());
                        break;
                    }
                }
            }
            library.measure();
            Ok(())
        });
    }

    /// Brings back what was deleted last.
    pub fn undo_last(&self) {
        let last = self
            .private
            .with_value(|private| private.deleted.last().map(|(deletion, _)| *deletion));
        if let Some(deletion) = last {
            self.undo(deletion);
        }
    }
}
