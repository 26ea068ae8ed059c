//! All runs that are kept, as lists, charts and comparisons show them.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use kiln_model::history::History;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use super::notice::{Deletion, Notice, Remedy};
use crate::browser::remembered;
use crate::browser::store::KeptAnswers;
use crate::browser::store::{Kept, Removed};
use crate::browser::store::{Store, StoreError};
use crate::browser::tab::{Meter, News, Siblings};
use kiln_run::evaluation::thinning::superfluous;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::{Identity, Run};

const SHOWN_KEY: &str = "kiln.shown";
const BASELINE_KEY: &str = "kiln.baseline";

/// All runs that are kept, and which of them are looked at; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Library {
    /// What lists show of every run, the oldest first.
    pub records: RwSignal<Vec<Record>>,
    /// Whether the kept runs have been read, or cannot be.
    pub is_read: RwSignal<bool>,
    /// The runs that charts show.
    pub shown: RwSignal<BTreeSet<RunId>>,
    /// What was measured in those of them that were read from the store.
    pub histories: RwSignal<HashMap<RunId, Arc<History>>>,
    /// The run that others are held against.
    pub baseline: RwSignal<Option<RunId>>,
    /// The run under the pointer or in focus, in a list or a chart.
    pub highlighted: RwSignal<Option<RunId>>,
    /// What the browser's storage holds.
    pub meter: RwSignal<Option<Meter>>,
    /// The run whose answers were kept last, and how often any were.
    pub answered: RwSignal<Option<(RunId, u32)>>,
    /// Runs were saved to a file.
    pub saved: Trigger,
    /// What the person should know.
    pub notices: RwSignal<Vec<Notice>>,
    pub(super) private: StoredValue<Private, ThisThread>,
}

#[derive(Default)]
pub(super) struct Private {
    store: Option<Rc<dyn Store>>,
    siblings: Option<Siblings>,
    /// The number of the last deletion.
    pub(super) deletions: Deletion,
    /// What can be brought back, the newest last.
    pub(super) deleted: Vec<(Deletion, Vec<Removed>)>,
    /// Answers of runs that have not been kept yet.
    waiting: Vec<KeptAnswers>,
    /// Runs whose history was read from the store.
    fetched: BTreeSet<RunId>,
    /// Runs that the store has.
    kept: BTreeSet<RunId>,
}

impl Library {
    /// A library that has read nothing yet.
    pub fn new() -> Self {
        let ids: Vec<u64> = remembered::get(SHOWN_KEY).unwrap_or_default();
        let baseline: Option<u64> = remembered::get(BASELINE_KEY);
        let library = Self {
            records: RwSignal::new(Vec::new()),
            is_read: RwSignal::new(false),
            shown: RwSignal::new(ids.into_iter().map(RunId).collect()),
            histories: RwSignal::new(HashMap::new()),
            baseline: RwSignal::new(baseline.map(RunId)),
            highlighted: RwSignal::new(None),
            meter: RwSignal::new(None),
            answered: RwSignal::new(None),
            saved: Trigger::new(),
            notices: RwSignal::new(Vec::new()),
            private: StoredValue::new_local(Private::default()),
        };
        // Where the browser keeps nothing, the next visit begins as the first did.
        Effect::new(move |_| {
            let ids: Vec<u64> = library.shown.get().iter().map(|id| id.0).collect();
            remembered::set(SHOWN_KEY, &ids);
        });
        Effect::new(move |_| {
            let baseline = library.baseline.get().map(|id| id.0);
            remembered::set(BASELINE_KEY, &baseline);
        });
        library
    }

    /// Reads from this store and keeps in it from now on.
    pub fn open(&self, store: Rc<dyn Store>) {
        self.private
            .update_value(|private| private.store = Some(store));
    }

    /// Hears what other tabs do from now on.
    pub fn listen(&self, receive: impl Fn(News) + 'static) {
        let siblings = Siblings::new(receive);
        self.private
            .update_value(|private| private.siblings = siblings);
    }

    /// Tells other tabs something.
    pub fn tell(&self, news: News) {
        self.private.with_value(|private| {
            if let Some(siblings) = &private.siblings {
                siblings.tell(news);
            }
        });
    }

    /// The store, where there is one.
    pub fn store(&self) -> Option<Rc<dyn Store>> {
        self.private.with_value(|private| private.store.clone())
    }

    /// Reads what lists show of every run.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn read(&self) -> Result<(), StoreError> {
        let Some(store) = self.store() else {
            return Ok(());
        };
        let (records, unreadable) = store.records().await?;
        for error in unreadable {
            self.tell_storage(error);
        }
        self.private.update_value(|private| {
            let ids = records.iter().map(|record| record.identity.id);
            private.kept.extend(ids);
        });
        self.records.update(|all| {
            for record in records {
                put(all, record);
            }
        });
        self.is_read.set(true);
        // A run that was deleted elsewhere is not looked at any more.
        let kept: BTreeSet<RunId> = self.records.with_untracked(|records| {
            let ids = records.iter().map(|record| record.identity.id);
            ids.collect()
        });
        self.shown
            .update(|shown| shown.retain(|id| kept.contains(id)));
        self.measure();
        Ok(())
    }

    /// Reads what was measured in the runs that charts show, but for one that is read anyway.
    pub fn fetch_shown(&self, but: Option<RunId>) {
        let shown = self.shown.get_untracked();
        shown
            .into_iter()
            .filter(|id| Some(*id) != but)
            .for_each(|id| self.fetch(id));
    }

    /// What lists show of a run.
    pub fn record(&self, id: RunId) -> Option<Record> {
        self.records.with(|records| find(records, id).cloned())
    }

    /// What lists show of a run, as it is now.
    pub fn record_untracked(&self, id: RunId) -> Option<Record> {
        self.records
            .with_untracked(|records| find(records, id).cloned())
    }

    /// Shows a run in lists as it is now.
    pub fn show(&self, record: Record) {
        self.records.update(|records| put(records, record));
    }

    /// Whether the store has any run.
    pub fn has_kept(&self) -> bool {
        self.private.with_value(|private| !private.kept.is_empty())
    }

    /// Whether the store has this run.
    pub fn is_kept(&self, id: RunId) -> bool {
        self.private
            .with_value(|private| private.kept.contains(&id))
    }

    pub(super) fn note_kept(&self, id: RunId) {
        let note = |private: &mut Private| private.kept.insert(id);
        if self.private.try_update_value(note) == Some(true) {
            // Whoever asks which of them are kept asks again.
            self.records.notify();
        }
    }

    /// Takes a run out of lists and charts, not out of the store.
    pub fn hide(&self, id: RunId) {
        drop(self.take_waiting(id));
        self.private.update_value(|private| {
            private.kept.remove(&id);
        });
        self.records
            .update(|records| records.retain(|record| record.identity.id != id));
        self.shown.update(|shown| {
            shown.remove(&id);
        });
    }

    /// Shows a run in charts, or does not.
    pub fn set_shown(&self, id: RunId, is_shown: bool) {
        self.shown.update(|shown| {
            if is_shown {
                shown.insert(id);
            } else {
                shown.remove(&id);
            }
        });
        if is_shown {
            self.fetch(id);
        } else {
            self.let_go_of_hidden();
        }
    }

    /// Lets go of what was read of runs that are not shown; it is read again where it is wanted.
    /// What was trained in this tab stays: it may be kept nowhere else.
    pub fn let_go_of_hidden(&self) {
        let shown = self.shown.get_untracked();
        let gone = self.private.try_update_value(|private| {
            let is_hidden = |id: &RunId| !shown.contains(id);
            private.fetched.extract_if(.., is_hidden).collect()
        });
        let gone: BTreeSet<RunId> = gone.unwrap_or_default();
        self.histories
            .update(|histories| histories.retain(|id, _| !gone.contains(id)));
    }

    /// Reads what was measured in a run, unless it is there.
    pub fn fetch(&self, id: RunId) {
        if self
            .histories
            .with_untracked(|histories| histories.contains_key(&id))
        {
            return;
        }
        let library = *self;
        self.with_store(move |store| async move {
            match store.run(id).await {
                Ok(run) => library.remember_kept(&run),
                // A run that has no checkpoint yet has nothing to show either.
                Err(StoreError::Gone) => {}
                Err(error) => return Err(error),
            }
            Ok(())
        });
    }

    /// Has charts show what was measured in a run that has ended.
    pub fn remember(&self, run: &Run) {
        let history = Arc::new(run.history().clone());
        self.histories.update(|histories| {
            histories.insert(run.identity.id, history);
        });
    }

    /// Has charts show what was measured in a run that was just read from the store: it can be let go.
    pub fn remember_kept(&self, run: &Run) {
        self.remember(run);
        self.private.update_value(|private| {
            private.fetched.insert(run.identity.id);
        });
    }

    /// Keeps a run.
    pub fn keep(&self, kept: Result<Kept, StoreError>, id: RunId) {
        self.keep_and_then(kept, id, |_| ());
    }

    /// Keeps a run, and does something once it is kept.
    pub fn keep_and_then(
        &self,
        kept: Result<Kept, StoreError>,
        id: RunId,
        then: impl FnOnce(&Kept) + 'static,
    ) {
        let kept = match kept {
            Ok(kept) => kept,
            Err(error) => return self.tell_storage(error),
        };
        let library = *self;
        self.with_store(move |store| async move {
            store.keep(&kept).await?;
            if !library.has_kept() {
                library.ask_to_keep();
            }
            library.note_kept(id);
            library.tell(News::Changed(id));
            library.measure();
            then(&kept);
            for answers in library.take_waiting(id) {
                library.put_answers(&*store, answers).await?;
            }
            Ok(())
        });
    }

    /// Keeps what a run answered in a validation or in its score, once the run itself is kept.
    pub fn keep_answers(&self, answers: KeptAnswers) {
        let library = *self;
        self.with_store(move |store| async move { library.put_answers(&*store, answers).await });
    }

    async fn put_answers(self, store: &dyn Store, answers: KeptAnswers) -> Result<(), StoreError> {
        match store.keep_answers(&answers).await {
            Ok(()) => {}
            Err(StoreError::Gone) => {
                self.set_aside(answers);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.answered.update(|answered| {
            let times = answered.map_or(0, |(_, times)| times);
            *answered = Some((answers.run, times + 1));
        });
        self.measure();
        Ok(())
    }

    /// Has answers wait until their run is kept, no more than would be kept; of a deleted run
    /// there is nothing to wait for.
    fn set_aside(self, answers: KeptAnswers) {
        if self.record_untracked(answers.run).is_none() {
            return;
        }
        let split = (answers.run, answers.part);
        self.private.update_value(|private| {
            let waiting = &mut private.waiting;
            let of_split = waiting
                .iter()
                .filter(|other| (other.run, other.part) == split);
            let steps: Vec<u32> = of_split.map(|other| other.step).collect();
            if let Some(step) = superfluous(&steps, answers.step) {
                waiting.retain(|other| (other.run, other.part) != split || other.step != step);
            }
            waiting.push(answers);
        });
    }

    /// The answers of a run that waited until it is kept.
    fn take_waiting(&self, id: RunId) -> Vec<KeptAnswers> {
        let taken = self.private.try_update_value(|private| {
            let is_of_run = |answers: &mut KeptAnswers| answers.run == id;
            private.waiting.extract_if(.., is_of_run).collect()
        });
        taken.unwrap_or_default()
    }

    /// Changes what a person says of a run: its name, colour, tags or notes.
    pub fn edit(&self, id: RunId, change: impl FnOnce(&mut Identity)) {
        let mut changed = None;
        self.records.update(|records| {
            if let Some(record) = records.iter_mut().find(|record| record.identity.id == id) {
                change(&mut record.identity);
                changed = Some(record.clone());
            }
        });
        // A run that the store has not yet is kept with all of it.
        let is_kept = |record: &Record| self.is_kept(record.identity.id);
        if let (Some(store), Some(record)) = (self.store(), changed.filter(is_kept)) {
            self.keep(store.of_record(&record), id);
        }
    }

    /// Shows a run as another tab has kept it.
    pub fn refresh(&self, id: RunId) {
        let library = *self;
        self.with_store(move |store| async move {
            match store.record(id).await? {
                Some(record) => {
                    library.note_kept(id);
                    if !record.status.is_open() {
                        library.withdraw(&Remedy::MoveHere(id));
                    }
                    library.show(record);
                    let is_shown = library.shown.with_untracked(|shown| shown.contains(&id));
                    let had = library.histories.try_update(|all| all.remove(&id));
                    if is_shown || had.flatten().is_some() {
                        library.fetch(id);
                    }
                }
                None => library.hide(id),
            }
            Ok(())
        });
    }

    /// The other runs with the same losses as this one.
    pub fn reproduces(&self, record: &Record) -> Vec<String> {
        let Some(fingerprint) = &record.summary.fingerprint else {
            return Vec::new();
        };
        self.records.with(|records| {
            records
                .iter()
                .filter(|other| {
                    other.identity.id != record.identity.id
                        && other.summary.fingerprint.as_ref() == Some(fingerprint)
                })
                .map(|other| other.identity.name.clone())
                .collect()
        })
    }

    /// Shows a notice, once.
    pub fn notify(&self, notice: Notice) {
        self.notices.update(|notices| {
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        });
    }

    /// Takes a notice away.
    pub fn dismiss(&self, notice: &Notice) {
        self.notices
            .update(|notices| notices.retain(|shown| shown != notice));
    }

    /// Takes away what offers to do this.
    pub fn withdraw(&self, remedy: &Remedy) {
        self.notices
            .update(|notices| notices.retain(|notice| !notice.offers(remedy)));
    }

    /// Does something with the store, where there is one; a failure is told.
    pub fn with_store<F>(&self, act: impl FnOnce(Rc<dyn Store>) -> F + 'static)
    where
        F: Future<Output = Result<(), StoreError>> + 'static,
    {
        let library = *self;
        if let Some(store) = self.store() {
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = act(store).await {
                    library.tell_storage(error);
                }
            });
        }
    }

    /// Tells that something could not be kept or read.
    pub fn tell_storage(&self, error: StoreError) {
        let is_open = |record: &Record| record.status.is_open();
        let is_training = self
            .records
            .with_untracked(|records| records.iter().any(is_open));
        self.notify(match error {
            StoreError::Full if is_training => Notice::problem(
                "Storage is full; the checkpoint was not saved. Training continues.",
                [Remedy::DownloadRun, Remedy::FreeSpace],
            ),
            StoreError::Gone => {
                Notice::info("That run is no longer kept: it was deleted, perhaps in another tab. Choose another.")
            }
            error @ StoreError::Unreadable(_) => Notice::info(format!(
                "A kept run could not be read: {error}. It was left as it is, and the others can be \
                 used. Reload the page: a newer Kiln may read it."
            )),
            StoreError::Full => Notice::problem(
                "Storage is full; what came last was not saved.",
                [Remedy::DownloadRun, Remedy::FreeSpace],
            ),
            other => Notice::problem(
                format!(
                    "Kept runs could not be read or written: {other}. Download the run before you \
                     leave this page."
                ),
                [Remedy::DownloadRun],
            ),
        });
    }
}

pub(super) fn find(records: &[Record], id: RunId) -> Option<&Record> {
    records.iter().find(|record| record.identity.id == id)
}

/// Puts a record in its place, the oldest first.
fn put(records: &mut Vec<Record>, record: Record) {
    match records.binary_search_by_key(&record.identity.id, |other| other.identity.id) {
        Ok(index) => records[index] = record,
        Err(index) => records.insert(index, record),
    }
}
