//! Trains on other data: what is kept, what a person brings, and what a run needs.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use gloo::file::File;
use gloo::file::futures::read_as_bytes;
use kiln_model::import::{Choices, ImportError, MOST_BYTES, PairNames};
use kiln_model::mnist;
use leptos::prelude::*;

use super::notice::{Notice, Remedy};
use super::sources::Outcome;
use super::trainer::Trainer;
use crate::browser::bridge::{Bridge, Program};
use crate::browser::store::OwnData;
use crate::browser::store::StoreError;
use kiln_run::classes::Classes;
use kiln_run::data::{Source, label, name_of, remark};
use kiln_run::format;
use kiln_run::protocol::{Data, DataChoices, DataFile, DataSummary, FromWorker, ToWorker};
use kiln_run::record::Record;

/// Bytes by which a gzipped file may be longer than what is in it.
const GZIP_ROOM: u64 = 65_536;

impl Trainer {
    /// Reads which data is kept, and goes back to the data that was used last.
    pub(super) async fn restore_data(self) {
        let sources = self.sources;
        if let Some(store) = self.library.store() {
            match store.all_data().await {
                Ok(kept) => sources.kept.set(kept),
                Err(error) => self.tell_data_storage(&error),
            }
        }
        if sources.data().is_some() {
            return;
        }
        let used = sources.used.get_untracked();
        match self.read_data(&used.hash).await {
            Ok(Some((source, data))) => self.use_data(source, data),
            Ok(None) => {
                self.notify(Notice::info(format!(
                    "{} is no longer kept in this browser; MNIST is used.",
                    used.name
                )));
                self.use_data(Source::mnist(), Data::Mnist);
            }
            Err(error) => {
                self.tell_data_storage(&error);
                self.use_data(Source::mnist(), Data::Mnist);
            }
        }
    }

    /// The data with this hash; nothing where it is not kept.
    async fn read_data(&self, hash: &str) -> Result<Option<(Source, Data)>, StoreError> {
        if hash == mnist::hash() {
            return Ok(Some((Source::mnist(), Data::Mnist)));
        }
        let Some(store) = self.library.store() else {
            return Ok(None);
        };
        let files = store.data_files(hash).await?;
        let own = self.sources.of_kept(hash);
        Ok(own.zip(files).map(|(own, files)| {
            let choices = own.summary.choices.clone();
            (own.source(), Data::Own { files, choices })
        }))
    }

    /// Trains on this data from now on, and answers about it; no run may be open.
    fn use_data(&self, source: Source, data: Data) {
        let data = Rc::new(data);
        self.sources.use_data(source, Rc::clone(&data));
        self.examiner.use_data(data);
        self.data.set(None);
        match untrack(|| self.backend()) {
            Some(backend) => self.start_worker(backend),
            None => self.open_worker(),
        }
    }

    /// Trains on the data with this hash from now on, unless a run is open.
    pub fn switch_data(&self, hash: String) {
        let trainer = *self;
        wasm_bindgen_futures::spawn_local(async move {
            match trainer.read_data(&hash).await {
                _ if untrack(|| trainer.phase()).is_open() => {}
                Ok(Some((source, data))) => trainer.use_data(source, data),
                Ok(None) => trainer.sources.outcome.set(Outcome::Refused(
                    "These files are no longer kept. Choose them again.".to_owned(),
                )),
                Err(error) => trainer.tell_data_storage(&error),
            }
        });
    }

    /// Does something once the data of the shown run is in use; where it is no longer kept, says
    /// what to do.
    pub(super) fn with_data_of_run(&self, act: impl FnOnce() + 'static) {
        let needed = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            let hash = run.data().to_owned();
            let name = label(&run.identity.data_name, &hash);
            Some((hash, run.identity.name.clone(), name))
        });
        let used = self.sources.used.with_untracked(|used| used.hash.clone());
        let Some((hash, run, name)) = needed.filter(|(hash, ..)| *hash != used) else {
            return act();
        };
        let (trainer, shown) = (*self, self.shown_id());
        wasm_bindgen_futures::spawn_local(async move {
            match trainer.read_data(&hash).await {
                // Something else was begun meanwhile.
                _ if trainer.shown_id() != shown || untrack(|| trainer.phase()).is_open() => {}
                Ok(Some((source, data))) => {
                    trainer.use_data(source, data);
                    act();
                }
                Ok(None) => trainer.notify(Notice::problem(
                    format!(
                        "{run} was trained on {name}, which is no longer kept in this browser. \
                         Import its files again, then go on with the run."
                    ),
                    [Remedy::ChooseFiles],
                )),
                Err(error) => trainer.tell_data_storage(&error),
            }
        });
    }

    /// Checks files, keeps them, and trains on them from now on; what is wrong with them is told,
    /// and all stays as it was.
    pub fn import_data(&self, files: Vec<File>) {
        let outcome = self.sources.outcome;
        if outcome.get_untracked() == Outcome::Checking {
            return self.notify(Notice::info(
                "Other files are being checked. Choose these again once that is done.",
            ));
        }
        if untrack(|| self.phase()).is_open() {
            return outcome.set(Outcome::Refused(
                "A run is open, and its data is fixed. Stop it, then import the files.".to_owned(),
            ));
        }
        outcome.set(Outcome::Checking);
        let trainer = *self;
        wasm_bindgen_futures::spawn_local(async move {
            let told = match read(files).await {
                Ok(files) => {
                    trainer
                        .check_and_take(files, DataChoices::default(), None)
                        .await
                }
                Err(reason) => refused(&reason),
            };
            outcome.set(told);
        });
    }

    /// Takes these pairs of the files of which it was asked.
    pub fn import_pairs(&self, files: Vec<String>) {
        let trainer = *self;
        let outcome = self.sources.outcome;
        outcome.set(Outcome::Checking);
        wasm_bindgen_futures::spawn_local(async move {
            let choices = DataChoices {
                files,
                ..DataChoices::default()
            };
            let asked = trainer.sources.take_asked();
            outcome.set(trainer.check_and_take(asked, choices, None).await);
        });
    }

    /// Has other things done with the images of data that is kept, and trains on what they are then.
    pub fn rearrange(&self, own: OwnData, images: Choices) {
        let trainer = *self;
        let outcome = self.sources.outcome;
        if outcome.get_untracked() == Outcome::Checking {
            return;
        }
        outcome.set(Outcome::Checking);
        wasm_bindgen_futures::spawn_local(async move {
            let files = match trainer.read_data(&own.summary.hash).await {
                Ok(Some((_, Data::Own { files, .. }))) => files,
                Ok(_) => return outcome.set(refused("they are no longer kept")),
                Err(error) => return outcome.set(refused(&error.to_string())),
            };
            let choices = DataChoices {
                images,
                ..own.summary.choices.clone()
            };
            outcome.set(trainer.check_and_take(files, choices, Some(own)).await);
        });
    }

    /// Checks files and takes them, as they are or in place of what was made of them `before`.
    async fn check_and_take(
        &self,
        files: Vec<DataFile>,
        choices: DataChoices,
        before: Option<OwnData>,
    ) -> Outcome {
        match check(files, choices).await {
            Ok((files, summary)) => self.take(files, summary, before).await,
            Err(Unfit::WhichPairs(files, pairs)) => {
                self.sources.ask_about(files);
                Outcome::WhichPairs(pairs)
            }
            Err(Unfit::Reason(reason)) => refused(&reason),
        }
    }

    async fn take(
        &self,
        files: Vec<DataFile>,
        summary: DataSummary,
        before: Option<OwnData>,
    ) -> Outcome {
        if summary.hash == mnist::hash() {
            return self.take_up(
                Source::mnist(),
                Data::Mnist,
                "These are MNIST's own files.".to_owned(),
            );
        }
        let names: Vec<String> = match summary.choices.files.as_slice() {
            [] => files.iter().map(|file| file.name.clone()).collect(),
            chosen => chosen.to_vec(),
        };
        let (name, classes) = self
            .called(before.as_ref(), &summary.hash)
            .unwrap_or_else(|| (name_of(&names), Classes::default()));
        let own = OwnData {
            name,
            classes,
            files: names,
            bytes: files.iter().map(|file| file.bytes.len() as u64).sum(),
            imported_at: js_sys::Date::new_0().to_iso_string().into(),
            summary,
        };
        let source = own.source();
        let mut told = format!("Imported {}.", own.name);
        if own.summary.is_test_cut_off {
            told += &format!(
                " There was one pair of files: its last seventh, {} images, became the test set.",
                format::count(own.summary.test_images.into())
            );
        }
        for said in &own.summary.remarks {
            told += &format!(" {}", remark(said));
        }
        let choices = own.summary.choices.clone();
        let is_new = |before: &OwnData| before.summary.hash != own.summary.hash;
        let before = before.filter(is_new);
        let is_kept = self.keep_data(own, &files).await;
        let told = self.take_up(source, Data::Own { files, choices }, told);
        // What runs were trained on stays: they cannot go on without it.
        let has_runs = |hash: &String| {
            let is_of_it = |records: &Vec<Record>| records.iter().any(|run| run.data == *hash);
            self.library.records.with_untracked(is_of_it)
        };
        let gone = before.filter(|_| is_kept).map(|before| before.summary.hash);
        if let (Some(hash), Some(store)) =
            (gone.filter(|hash| !has_runs(hash)), self.library.store())
        {
            match store.remove_data(&hash).await {
                Ok(()) => self
                    .sources
                    .kept
                    .update(|kept| kept.retain(|own| own.summary.hash != hash)),
                Err(error) => self.tell_data_storage(&error),
            }
        }
        told
    }

    /// Uses data that has just been imported, unless a run has begun meanwhile.
    fn take_up(&self, source: Source, data: Data, told: String) -> Outcome {
        if untrack(|| self.phase()).is_open() {
            return Outcome::Taken(format!(
                "{told} A run has begun meanwhile: use the data once it has ended."
            ));
        }
        if self
            .sources
            .used
            .with_untracked(|used| used.hash != source.hash)
        {
            self.use_data(source, data);
        }
        Outcome::Taken(told)
    }

    /// Keeps data, and says whether it is kept.
    async fn keep_data(&self, own: OwnData, files: &[DataFile]) -> bool {
        let Some(store) = self.library.store() else {
            return false;
        };
        if let Err(error) = store.keep_data(&own, files).await {
            self.tell_data_storage(&error);
            return false;
        }
        self.library.measure();
        self.sources.kept.update(|kept| {
            kept.retain(|other| other.summary.hash != own.summary.hash);
            kept.push(own);
        });
        true
    }

    /// Forgets data that is not in use; until the next removal it can be brought back.
    pub fn remove_data(&self, hash: String) {
        let trainer = *self;
        let sources = self.sources;
        self.library.with_store(move |store| async move {
            let files = store.data_files(&hash).await?;
            store.remove_data(&hash).await?;
            let mut removed = None;
            sources.kept.update(|kept| {
                let place = kept.iter().position(|own| own.summary.hash == hash);
                removed = place.map(|place| kept.remove(place));
            });
            sources.set_aside(removed, files.unwrap_or_default());
            trainer.library.measure();
            Ok(())
        });
    }

    /// Keeps again what was removed last.
    pub fn bring_data_back(&self) {
        if let Some((own, files)) = self.sources.take_removed() {
            let trainer = *self;
            wasm_bindgen_futures::spawn_local(async move {
                // Where it is not kept, that has been told.
                trainer.keep_data(own, &files).await;
            });
        }
    }

    fn tell_data_storage(&self, error: &StoreError) {
        self.notify(Notice::problem(
            match error {
                StoreError::Full => "Storage is full: the data was not kept. It can be used until \
                     this page is left; free space in Runs and import it again to resume its runs."
                    .to_owned(),
                other => format!(
                    "The browser's storage of data failed: {other}. Import the files again."
                ),
            },
            [Remedy::ChooseFiles],
        ));
    }
}

fn refused(reason: &str) -> Outcome {
    Outcome::Refused(format!(
        "These files could not be read: {reason}. Nothing was changed. Choose others."
    ))
}

/// Why files are no data yet.
enum Unfit {
    /// They are several pairs.
    WhichPairs(Vec<DataFile>, Vec<PairNames>),
    /// A sentence without its full stop.
    Reason(String),
}

/// Reads files, or says which cannot be.
async fn read(files: Vec<File>) -> Result<Vec<DataFile>, String> {
    let mut read = Vec::with_capacity(files.len());
    for file in files {
        let name = file.name();
        // Such a file is not even read.
        if file.size() > MOST_BYTES as u64 + GZIP_ROOM {
            return Err(ImportError::TooLong { file: name }.to_string());
        }
        let bytes = read_as_bytes(&file)
            .await
            .map_err(|error| format!("{name}: {error}"))?;
        read.push(DataFile { name, bytes });
    }
    Ok(read)
}

/// Has a worker of its own say what is in files, so that neither the page nor the trainer waits,
/// and its memory goes with it.
async fn check(
    files: Vec<DataFile>,
    choices: DataChoices,
) -> Result<(Vec<DataFile>, DataSummary), Unfit> {
    let (sender, answered) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let bridge = Bridge::start(Program::Files, move |message| {
        let answer = match message {
            FromWorker::Checked { outcome, pairs } => (outcome, pairs),
            FromWorker::Fatal { details } => (Err(details), Vec::new()),
            _ => return,
        };
        if let Some(sender) = sender.take() {
            // Whoever asked waits until the answer is here.
            drop(sender.send(answer));
        }
    })
    .map_err(Unfit::Reason)?;
    let question = ToWorker::Check { files, choices };
    bridge.send(&question).map_err(Unfit::Reason)?;
    let stopped = || Unfit::Reason("the worker that checks them stopped".to_owned());
    let (outcome, pairs) = answered.await.map_err(|_| stopped())?;
    let ToWorker::Check { files, .. } = question else {
        return Err(stopped());
    };
    match outcome {
        Ok(summary) => Ok((files, summary)),
        Err(_) if !pairs.is_empty() => Err(Unfit::WhichPairs(files, pairs)),
        Err(reason) => Err(Unfit::Reason(reason)),
    }
}
