//! Other tabs: what they did to runs, and a run that goes on in another one.

use leptos::prelude::*;

use super::life::in_another_tab;
use super::notice::{Notice, Remedy};
use super::trainer::Trainer;
use crate::browser::lock::{Patience, is_alive};
use crate::browser::store::StoreError;
use crate::browser::tab::News;
use kiln_run::protocol::RunId;
use kiln_run::run::{Identity, Status};

impl Trainer {
    /// Takes in what another tab did.
    pub(super) fn hear(self, news: News) {
        match news {
            News::Changed(id) if self.open_run() == Some(id) => self.take_labels(id),
            News::Changed(id) => {
                self.library.refresh(id);
                if self.shown_id() == Some(id) {
                    self.reread_shown(id);
                }
            }
            News::Wanted(id) if untrack(|| self.is_busy_with(id)) => {
                self.private
                    .update_value(|private| private.wanted_by_other = Some(id));
                self.ask_to_keep();
            }
            News::Released(id) if self.private.with_value(|private| private.wanted) == Some(id) => {
                self.private.update_value(|private| private.wanted = None);
                self.take_over(id);
            }
            News::Wanted(_) | News::Released(_) => {}
        }
    }

    /// Another tab may have said something else of the open run.
    fn take_labels(self, id: RunId) {
        self.library.with_store(move |store| async move {
            let record = store.record(id).await?;
            let labels = |identity: &Identity| {
                let (name, colour) = (identity.name.clone(), identity.colour);
                (name, colour, identity.tags.clone(), identity.notes.clone())
            };
            let said = record.map(|record| labels(&record.identity));
            let known = self.library.record_untracked(id);
            let known = known.map(|record| labels(&record.identity));
            if self.open_run() == Some(id)
                && said != known
                && let Some((name, colour, tags, notes)) = said
            {
                self.relabel(id, |identity| {
                    (identity.name, identity.colour) = (name.clone(), colour);
                    (identity.tags, identity.notes) = (tags.clone(), notes.clone());
                });
            }
            Ok(())
        });
    }

    /// Another tab changed the shown run, which is not open here: it is shown as it is now, unless
    /// that tab trains it.
    fn reread_shown(self, id: RunId) {
        self.library.with_store(move |store| async move {
            let run = match store.run(id).await {
                Ok(run) => Some(run),
                Err(StoreError::Gone) => None,
                Err(error) => return Err(error),
            };
            let is_open = run.as_ref().is_some_and(|run| run.status().is_open());
            let is_elsewhere = is_open && is_alive(id).await.map_err(StoreError::Refused)?;
            // A run that is about to go on here holds its lock already.
            if self.shown_id() != Some(id) || untrack(|| self.is_busy_with(id)) {
                return Ok(());
            }
            if is_elsewhere {
                self.notify(in_another_tab(id));
            }
            match run.filter(|_| !is_elsewhere) {
                Some(run) => self.show(run),
                None => self.show_none(id),
            }
            Ok(())
        });
    }

    /// Does something with a run that is not open here, or says `elsewhere` where another tab
    /// trains it.
    pub(super) fn unless_elsewhere(
        self,
        id: RunId,
        elsewhere: Notice,
        act: impl FnOnce() + 'static,
    ) {
        wasm_bindgen_futures::spawn_local(async move {
            let is_alive = is_alive(id).await;
            // It may have been opened here meanwhile.
            if untrack(|| self.is_busy_with(id)) {
                return;
            }
            match is_alive {
                Ok(false) => act(),
                Ok(true) => self.notify(elsewhere),
                Err(reason) => self.library.tell_storage(StoreError::Refused(reason)),
            }
        });
    }

    /// Goes on here with a run that another tab trained, or shows what came of it.
    fn take_over(self, id: RunId) {
        self.library.with_store(move |store| async move {
            let run = store.run(id).await?;
            if untrack(|| self.phase()).is_open() {
                self.notify(one_is_open(id));
                return Ok(());
            }
            let has_ended = run.status().has_ended();
            self.put_on_shelf();
            self.library.remember_kept(&run);
            self.library.set_shown(id, true);
            self.show(run);
            self.take_settings_of_shown();
            if !has_ended {
                // The other tab has said that it lets go.
                self.private
                    .update_value(|private| private.patience = Patience::HandOver);
                self.resume();
            }
            Ok(())
        });
    }

    /// Asks the tab that trains a run to let this one go on with it; where that tab is gone, this
    /// one goes on at once.
    pub fn move_here(self, id: RunId) {
        if untrack(|| self.phase()).is_open() {
            return self.notify(one_is_open(id));
        }
        wasm_bindgen_futures::spawn_local(async move {
            match is_alive(id).await {
                Ok(true) => {
                    self.private
                        .update_value(|private| private.wanted = Some(id));
                    self.library.tell(News::Wanted(id));
                }
                Ok(false) => self.take_over(id),
                Err(reason) => self.library.tell_storage(StoreError::Refused(reason)),
            }
        });
    }

    /// Marks the runs of other tabs that are gone.
    pub(super) fn look_after_others(self) {
        let here = self.open_run();
        let others: Vec<RunId> = self.library.records.with_untracked(|records| {
            let open = records.iter().filter(|record| record.status.is_open());
            let ids = open.map(|record| record.identity.id);
            ids.filter(|id| Some(*id) != here).collect()
        });
        for id in others {
            self.library.with_store(move |store| async move {
                if is_alive(id).await.map_err(StoreError::Refused)? {
                    return Ok(());
                }
                // It may have ended since this tab read of it.
                let record = store.record(id).await?;
                if let Some(mut record) = record.filter(|_| self.open_run() != Some(id)) {
                    if record.status.is_open() {
                        record.status = Status::Interrupted;
                    }
                    self.library.show(record);
                    self.library.withdraw(&Remedy::MoveHere(id));
                }
                Ok(())
            });
        }
    }

    /// Gives the run that was open here to the tab that wants it, once it is kept.
    pub(super) fn release(&self, id: RunId) {
        let trainer = *self;
        if let Some(kept) = self.unkept() {
            self.library.keep_and_then(kept, id, move |_| {
                // What it comes to from now on is the other tab's.
                if trainer.shown_id() == Some(id) {
                    trainer.put_on_shelf();
                    trainer.run.set(None);
                }
                trainer.library.tell(News::Released(id));
                trainer.notify(Notice::info_with(
                    "This run has moved to another tab.",
                    [Remedy::MoveHere(id)],
                ));
            });
        }
    }
}

fn one_is_open(id: RunId) -> Notice {
    Notice::info_with(
        "A run is open here. Stop it first, then move the other one.",
        [Remedy::MoveHere(id)],
    )
}
