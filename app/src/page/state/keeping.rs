//! The store and the run that is shown: what is read when the page opens, what is kept while it is
//! there, and what becomes of the store itself.

use std::pin::Pin;
use std::rc::Rc;

use kiln_model::event::Score;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::life::in_another_tab;
use super::notice::{Notice, Remedy};
use super::trainer::Trainer;
use crate::browser::lock::is_alive;
use crate::browser::store::Kept;
use crate::browser::store::{self, Fate, Store, StoreError};
use kiln_run::format;
use kiln_run::life::Stage;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::{Run, Status};

/// Reads what is kept.
type Reading = fn(Trainer) -> Pin<Box<dyn Future<Output = ()>>>;

/// Nobody waits for what reads and keeps before the first paint.
#[wasm_split(work, fallible, wasm_split_path = leptos::wasm_split)]
fn reading() -> Result<Reading, SplitLoaderError> {
    Ok(|trainer| Box::pin(trainer.read_library()))
}

impl Trainer {
    /// Reads the kept runs, once what does so has arrived.
    pub(super) async fn open_library(self) {
        match reading().await {
            Ok(read) => read(self).await,
            Err(_) => self.say_incomplete(),
        }
    }

    /// Reads the kept runs, and shows the newest that was under way when its tab went, unless a
    /// run is shown already.
    async fn read_library(self) {
        match store::open(move |fate| self.follow_store(fate)).await {
            Ok(store) => {
                self.library.open(store);
                self.library.dismiss(&held_back());
                // A run may have begun while an older tab held the store back.
                self.store_run();
            }
            Err(StoreError::NotThere) => return self.say_incomplete(),
            Err(error) => {
                self.restore_data().await;
                // Nothing is kept, so there is nothing left to read.
                self.library.is_read.set(true);
                return self.notify(Notice::problem(
                    "This window forgets data when closed. Download your runs.",
                    [Remedy::Copy(error.to_string())],
                ));
            }
        }
        self.restore_data().await;
        self.library.listen(move |news| self.hear(news));
        if let Err(error) = self.library.read().await {
            self.library.is_read.set(true);
            return self.library.tell_storage(error);
        }
        let mut interrupted = None;
        for mut record in self.library.records.get_untracked() {
            let id = record.identity.id;
            if record.status.is_open() && self.shown_id() != Some(id) {
                match is_alive(id).await {
                    Ok(true) => self.notify(in_another_tab(id)),
                    Ok(false) => {
                        record.status = Status::Interrupted;
                        self.library.show(record);
                        interrupted = Some(id);
                    }
                    Err(reason) => {
                        self.library.fetch_shown(None);
                        return self.library.tell_storage(StoreError::Refused(reason));
                    }
                }
            } else if record.status == Status::Interrupted {
                interrupted = Some(id);
            }
        }
        let opened = interrupted.filter(|_| self.stage.get_untracked() == Stage::Empty);
        if let Some(id) = opened {
            // What a link has set for the next run meanwhile stays.
            self.open(id, false);
        }
        self.library.fetch_shown(opened);
    }

    /// What becomes of the store while it is open.
    fn follow_store(self, fate: Fate) {
        match fate {
            Fate::Blocked => self.notify(held_back()),
            Fate::Outdated => self.notify(Notice::problem(
                "A newer Kiln was opened in another tab. Runs are no longer kept here: reload this \
                 page once its run has ended.",
                [Remedy::DownloadRun],
            )),
            Fate::Deleted | Fate::Closed => wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = self.open_store_again().await {
                    self.library.tell_storage(error);
                }
            }),
        }
    }

    /// Opens the store after it was closed, and forgets what is no longer in it.
    async fn open_store_again(self) -> Result<(), StoreError> {
        let store = store::open(move |fate| self.follow_store(fate)).await?;
        let (records, unreadable) = store.records().await?;
        let had_some = self.library.has_kept();
        self.library.open(store);
        if had_some && records.is_empty() && unreadable.is_empty() {
            self.notify(Notice::problem(
                "The runs that this browser kept were deleted. What is trained from now on is kept \
                 again.",
                [Remedy::DownloadRun],
            ));
            let shown = self.shown_id();
            self.library
                .records
                .update(|records| records.retain(|run| Some(run.identity.id) == shown));
            let still = |id: &RunId| Some(*id) == shown;
            self.library.shown.update(|ids| ids.retain(still));
            if let Some(id) = shown {
                self.change(id, Run::tell_again);
            }
        }
        self.store_run();
        Ok(())
    }

    /// Shows a kept run as the one to go on with, to download or to evaluate.
    pub fn look_at(&self, id: RunId) {
        self.open(id, true);
    }

    /// Shows a kept run; whether a person asked for it decides about settings that they have made for the
    /// next one.
    fn open(&self, id: RunId, is_asked: bool) {
        self.open_and_then(id, is_asked, |_| ());
    }

    /// The same, and what comes once it is shown.
    pub(super) fn open_and_then(
        &self,
        id: RunId,
        is_asked: bool,
        then: impl FnOnce(Self) + 'static,
    ) {
        let trainer = *self;
        if self.stage.get_untracked().is_busy() {
            return;
        }
        if self.shown_id() == Some(id) {
            return then(trainer);
        }
        // What a person cannot look at has nothing to do with a sweep.
        let pass_on = move || {
            if !is_asked {
                trainer.pass_on();
            }
        };
        if self.library.store().is_none() {
            pass_on();
        }
        self.library.with_store(move |store| async move {
            let outcome = trainer.show_kept(store, id, is_asked).await;
            if trainer.shown_id() == Some(id) {
                then(trainer);
            } else {
                pass_on();
            }
            outcome
        });
    }

    async fn show_kept(
        self,
        store: Rc<dyn Store>,
        id: RunId,
        is_asked: bool,
    ) -> Result<(), StoreError> {
        let run = store.run(id).await?;
        if is_alive(id).await.map_err(StoreError::Refused)? {
            self.notify(in_another_tab(id));
            return Ok(());
        }
        self.tell_damage(&run);
        self.put_on_shelf();
        self.library.remember_kept(&run);
        self.show(run);
        if self.shown_id() == Some(id) {
            self.library.set_shown(id, true);
            let has_draft = self.private.with_value(|private| private.has_draft);
            if is_asked || !has_draft {
                self.take_settings_of_shown();
            }
        }
        Ok(())
    }

    /// Leaves the run that was shown until now to the charts, as one of many.
    pub(super) fn put_on_shelf(&self) {
        self.run.with_untracked(|run| {
            if let Some(run) = run.as_ref().filter(|run| run.steps_done() > 0) {
                self.library.remember(run);
            }
        });
    }

    /// Keeps a score that was found out after a run had ended, of its weights of a step.
    pub fn take_score(&self, id: RunId, step: u32, score: Score) {
        if self.shown_id() == Some(id) {
            if self.change(id, |run| run.take_score(step, score)) == Some(true) {
                self.store_run();
                self.paint(true);
            }
            return;
        }
        let library = self.library;
        library.with_store(move |store| async move {
            let mut run = store.run(id).await?;
            if run.take_score(step, score) {
                library.remember(&run);
                library.show(Record::of(&run));
                library.keep(store.of_run(&run), id);
            }
            Ok(())
        });
    }

    /// What is new of the shown run, ready to be kept.
    pub(super) fn unkept(&self) -> Option<Result<Kept, StoreError>> {
        let store = self.library.store()?;
        self.run
            .with_untracked(|run| run.as_ref().map(|run| store.of_run(run)))
    }

    /// Keeps what is new of the shown run. What the store does not take is offered again with what
    /// comes next.
    pub(super) fn store_run(&self) {
        let trainer = *self;
        if let (Some(kept), Some(id)) = (self.unkept(), self.shown_id()) {
            self.library.keep_and_then(kept, id, move |kept| {
                if let Some(taken) = kept.taken() {
                    trainer.change(id, |run| run.note_kept(taken));
                }
            });
        }
    }

    /// Says what of a run cannot be read.
    pub(super) fn tell_damage(&self, run: &Run) {
        if let Some(damage) = run.damage() {
            self.notify(Notice::info(format!(
                "{} is shown up to step {} only: {damage}. All else of it was left as it is.",
                run.identity.name,
                format::count(run.steps_done().into())
            )));
        }
    }

    /// Forgets every ended run but the shown one; those that can be resumed stay.
    pub fn free_space(&self) {
        let shown = self.shown_id();
        let ended: Vec<RunId> = self.library.records.with_untracked(|records| {
            let ended = records.iter().filter(|record| record.status.has_ended());
            let ids = ended.map(|record| record.identity.id);
            ids.filter(|id| Some(*id) != shown).collect()
        });
        let library = self.library;
        wasm_bindgen_futures::spawn_local(async move {
            let mut free = Vec::with_capacity(ended.len());
            for id in ended {
                // Another tab may just be going on with it.
                match is_alive(id).await {
                    Ok(true) => {}
                    Ok(false) => free.push(id),
                    Err(reason) => return library.tell_storage(StoreError::Refused(reason)),
                }
            }
            library.delete(free);
        });
    }
}

fn held_back() -> Notice {
    Notice::problem(
        "Another tab has an older Kiln open and holds the kept runs back. Close that tab; they \
         appear here at once.",
        [],
    )
}
