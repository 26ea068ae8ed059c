//! Runs between visits, in this browser's IndexedDB.
//!
//! What lists show of every run is small and read at once; its checkpoint, and what it answered in
//! its validations, are read when it is looked at. Record and checkpoint are written together.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use idb::{
    Database, DatabaseEvent as _, Factory, KeyPath, KeyRange, ObjectStore, ObjectStoreParams,
    Query, Transaction, TransactionMode,
};
use js_sys::{Array, Reflect};
use kiln_model::checkpoint::{self, Checkpoint, CheckpointError};
use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbDatabase;

use crate::browser::words::describe;
use kiln_run::evaluation::thinning::superfluous;
use kiln_run::protocol::{DataFile, DataSummary, RunId};
use kiln_run::record::Record;
use kiln_run::run::{Identity, Run, Status};

const DATABASE: &str = "kiln";
/// The schema's version. Version 1 had whole runs in the store of runs; such a record says so by
/// its shape and is taken apart when it is read.
const VERSION: u32 = 2;
const RUNS: &str = "runs";
const CHECKPOINTS: &str = "checkpoints";
const ANSWERS: &str = "answers";
const DATA: &str = "data";
const DATA_FILES: &str = "data_files";
/// Every store with the path of its key.
const STORES: [(&str, &[&str]); 5] = [
    (RUNS, &["id"]),
    (CHECKPOINTS, &["id"]),
    (ANSWERS, &["run", "part", "step"]),
    (DATA, &["summary.hash"]),
    (DATA_FILES, &["hash"]),
];

/// Why a run could not be kept or found again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The browser keeps nothing for this page.
    #[error("this window keeps no data: {0}")]
    Unavailable(String),
    /// There is no room left.
    #[error("storage is full")]
    Full,
    /// The browser refused for another reason.
    #[error("the browser's storage refused: {0}")]
    Refused(String),
    /// A record is not a run.
    #[error(transparent)]
    Unreadable(#[from] CheckpointError),
    /// The run is no longer there.
    #[error("it was deleted, perhaps in another tab")]
    Gone,
}

/// What happens to the store itself while it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Another tab has an older Kiln open and holds the store back.
    Blocked,
    /// A newer Kiln in another tab has taken the store over.
    Outdated,
    /// All that was kept has been deleted.
    Deleted,
    /// The browser closed it, for reasons of its own; what was kept may be there or not.
    Closed,
}

/// A checkpoint as it is kept.
#[derive(Serialize, Deserialize)]
struct File {
    /// The key.
    id: u64,
    /// A file of [`kiln_model::checkpoint`].
    #[serde(with = "serde_bytes")]
    checkpoint: Vec<u8>,
}

/// A record with its key beside it, as IndexedDB wants it.
#[derive(Serialize, Deserialize)]
struct Keyed {
    /// The key.
    id: u64,
    record: Record,
}

/// A run as version 1 kept it.
#[derive(Deserialize)]
struct Whole {
    identity: Identity,
    status: Status,
    #[serde(with = "serde_bytes")]
    checkpoint: Vec<u8>,
}

/// What a run answered in a validation, or in its score.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptAnswers {
    /// Whose; the key's first part.
    pub run: RunId,
    /// To which images; the key's second part.
    pub part: Part,
    /// Training steps done; the key's third part.
    pub step: u32,
    /// [`Predictions`] as bytes.
    #[serde(with = "serde_bytes")]
    pub predictions: Vec<u8>,
}

/// Data of a person's own, but for its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnData {
    /// What there is; its hash is the key.
    pub summary: DataSummary,
    /// Names it for a person.
    pub name: String,
    /// The names of its files.
    pub files: Vec<String>,
    /// Bytes of its files.
    pub bytes: u64,
    /// When it was imported: ISO 8601, UTC.
    pub imported_at: String,
}

/// The files of a person's own data.
#[derive(Serialize, Deserialize)]
struct DataFiles {
    /// The key.
    hash: String,
    files: Vec<DataFile>,
}

/// A run that was taken out of the store and can be put back as it was.
#[derive(Clone, Debug)]
pub struct Removed {
    record: JsValue,
    checkpoint: Option<JsValue>,
    answers: Vec<JsValue>,
}

/// A run ready to be kept.
#[derive(Clone, Debug)]
pub struct Kept {
    record: JsValue,
    checkpoint: Option<JsValue>,
}

impl Kept {
    /// What lists show of a run; its checkpoint stays as it was kept before.
    ///
    /// # Errors
    /// A record that JavaScript cannot hold.
    pub fn record(record: &Record) -> Result<Self, StoreError> {
        let keyed = Keyed {
            id: record.identity.id.0,
            record: record.clone(),
        };
        Ok(Self {
            record: to_value(&keyed)?,
            checkpoint: None,
        })
    }

    /// A run and where it can go on from.
    ///
    /// # Errors
    /// A checkpoint that cannot be written.
    pub fn run(record: &Record, checkpoint: &Checkpoint) -> Result<Self, StoreError> {
        let file = File {
            id: record.identity.id.0,
            checkpoint: checkpoint::write(checkpoint)?,
        };
        Ok(Self {
            checkpoint: Some(to_value(&file)?),
            ..Self::record(record)?
        })
    }
}

/// All runs that were kept.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the store, and makes it on the first visit. `tell` hears what becomes of it.
    ///
    /// # Errors
    /// A browser that keeps nothing, as in some private windows.
    pub async fn open(tell: impl Fn(Fate) + Clone + 'static) -> Result<Self, StoreError> {
        let unavailable = |error: idb::Error| StoreError::Unavailable(error.to_string());
        let factory = Factory::new().map_err(unavailable)?;
        let mut request = factory.open(DATABASE, Some(VERSION)).map_err(unavailable)?;
        let blocked = tell.clone();
        request.on_blocked(move |_| blocked(Fate::Blocked));
        let failed = Rc::new(RefCell::new(None));
        request.on_upgrade_needed({
            let failed = Rc::clone(&failed);
            move |event| {
                let made = event.database().and_then(|database| {
                    let there = database.store_names();
                    for (name, key) in STORES {
                        if !there.iter().any(|other| other == name) {
                            let path = match key {
                                [single] => KeyPath::new_single(single),
                                several => KeyPath::new_array(several.iter().copied()),
                            };
                            let mut parameters = ObjectStoreParams::new();
                            parameters.key_path(Some(path));
                            database.create_object_store(name, parameters)?;
                        }
                    }
                    Ok(())
                });
                *failed.borrow_mut() = made.err();
            }
        });
        let mut database = request.await.map_err(unavailable)?;
        if let Some(error) = failed.take() {
            return Err(unavailable(error));
        }
        let closed = tell.clone();
        database.on_close(move |_| closed(Fate::Closed));
        database.on_version_change(move |event| {
            // Whoever asks waits until every tab has let go.
            let database: Option<IdbDatabase> = event.target().map(JsCast::unchecked_into);
            if let Some(database) = database {
                database.close();
            }
            let version = Reflect::get(&event, &"newVersion".into());
            tell(if version.is_ok_and(|version| version.is_null()) {
                Fate::Deleted
            } else {
                Fate::Outdated
            });
        });
        Ok(Self { database })
    }

    /// Keeps a run in place of what was kept of it before.
    ///
    /// # Errors
    /// No room, or a browser that refuses; what was kept before stays, whole.
    pub async fn keep(&self, kept: &Kept) -> Result<(), StoreError> {
        self.change(|[runs, checkpoints, ..]| {
            runs.put(&kept.record, None)?;
            if let Some(checkpoint) = &kept.checkpoint {
                checkpoints.put(checkpoint, None)?;
            }
            Ok(())
        })
        .await
    }

    /// Takes a run out of the store.
    ///
    /// # Errors
    /// A run that is not there, or a browser that refuses.
    pub async fn remove(&self, id: RunId) -> Result<Removed, StoreError> {
        let record = self.get(RUNS, key(id)).await?.ok_or(StoreError::Gone)?;
        let removed = Removed {
            record,
            checkpoint: self.get(CHECKPOINTS, key(id)).await?,
            answers: self.get_all(ANSWERS, Some(answers_of(id)?)).await?,
        };
        let answers = answers_of(id)?;
        self.change(|[runs, checkpoints, all_answers, ..]| {
            runs.delete(key(id))?;
            checkpoints.delete(key(id))?;
            all_answers.delete(answers)?;
            Ok(())
        })
        .await?;
        Ok(removed)
    }

    /// Puts a run back that was taken out, and says what lists show of it.
    ///
    /// # Errors
    /// No room, or a browser that refuses.
    pub async fn put_back(&self, removed: &Removed) -> Result<Record, StoreError> {
        self.change(|[runs, checkpoints, answers, ..]| {
            runs.put(&removed.record, None)?;
            if let Some(checkpoint) = &removed.checkpoint {
                checkpoints.put(checkpoint, None)?;
            }
            for file in &removed.answers {
                answers.put(file, None)?;
            }
            Ok(())
        })
        .await?;
        Ok(from_value::<Keyed>(removed.record.clone())?.record)
    }

    /// Keeps what a run answered in a validation or in its score.
    ///
    /// # Errors
    /// A run that is not kept, no room, or a browser that refuses.
    pub async fn keep_answers(&self, answers: &KeptAnswers) -> Result<(), StoreError> {
        let (run, part, step) = (answers.run, answers.part, answers.step);
        let file = to_value(answers)?;
        // Without their run they would never be found again, nor deleted.
        self.get(RUNS, key(run)).await?.ok_or(StoreError::Gone)?;
        let kept = self.answer_steps(run).await?;
        let before: Vec<u32> = kept
            .into_iter()
            .filter(|(other, earlier)| *other == part && *earlier < step)
            .map(|(_, earlier)| earlier)
            .collect();
        let superfluous = superfluous(&before, step);
        self.change(|[_, _, answers, ..]| {
            answers.put(&file, None)?;
            if let Some(step) = superfluous {
                answers.delete(Query::from(answer_key(run, part, step)))?;
            }
            Ok(())
        })
        .await
    }

    /// The parts and steps of which a run's answers are kept, in order of steps.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn answer_steps(&self, run: RunId) -> Result<Vec<(Part, u32)>, StoreError> {
        let transaction = self
            .database
            .transaction(&[ANSWERS], TransactionMode::ReadOnly);
        let transaction = transaction.map_err(refused)?;
        let store = transaction.object_store(ANSWERS).map_err(refused)?;
        let keys = store.get_all_keys(Some(answers_of(run)?), None);
        let keys = keys.map_err(refused)?.await.map_err(refused)?;
        let mut steps: Vec<(Part, u32)> = keys
            .into_iter()
            .filter_map(|key| from_value::<(u64, Part, u32)>(key).ok())
            .map(|(_, part, step)| (part, step))
            .collect();
        steps.sort_unstable_by_key(|(_, step)| *step);
        Ok(steps)
    }

    /// What a run answered; nothing where that is not kept.
    ///
    /// # Errors
    /// Answers that cannot be read, or a browser that refuses.
    pub async fn answers(
        &self,
        run: RunId,
        part: Part,
        step: u32,
    ) -> Result<Option<Predictions>, StoreError> {
        let key = Query::from(answer_key(run, part, step));
        let Some(file) = self.get(ANSWERS, key).await? else {
            return Ok(None);
        };
        let file: KeptAnswers = from_value(file)?;
        let predictions = Predictions::from_bytes(&file.predictions);
        predictions
            .map(Some)
            .map_err(|error| CheckpointError::Inconsistent(error.to_string()).into())
    }

    /// What lists show of every run that was kept, and why some cannot be read.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn records(&self) -> Result<(Vec<Record>, Vec<StoreError>), StoreError> {
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for value in self.get_all(RUNS, None).await? {
            let is_whole = Reflect::has(&value, &"checkpoint".into()).unwrap_or(false);
            let record = if is_whole {
                self.take_apart(value).await
            } else {
                from_value::<Keyed>(value).map(|keyed| keyed.record)
            };
            match record {
                Ok(record) => records.push(record),
                Err(error) => unreadable.push(error),
            }
        }
        Ok((records, unreadable))
    }

    /// What lists show of one run; nothing where it is not kept.
    ///
    /// # Errors
    /// A record that cannot be read, or a browser that refuses.
    pub async fn record(&self, id: RunId) -> Result<Option<Record>, StoreError> {
        let value = self.get(RUNS, key(id)).await?;
        value
            .map(|value| from_value::<Keyed>(value).map(|keyed| keyed.record))
            .transpose()
    }

    /// A run as it was at its last checkpoint.
    ///
    /// # Errors
    /// A run that is not there or cannot be read, or a browser that refuses.
    pub async fn run(&self, id: RunId) -> Result<Run, StoreError> {
        let record = self.record(id).await?.ok_or(StoreError::Gone)?;
        let file = self
            .get(CHECKPOINTS, key(id))
            .await?
            .ok_or(StoreError::Gone)?;
        let file: File = from_value(file)?;
        let checkpoint = checkpoint::read(&file.checkpoint)?;
        Ok(Run::restored(record.identity, record.status, checkpoint))
    }

    /// Keeps data of a person's own in place of what was kept under its hash before.
    ///
    /// # Errors
    /// No room, or a browser that refuses.
    pub async fn keep_data(&self, data: &OwnData, files: &[DataFile]) -> Result<(), StoreError> {
        let record = to_value(data)?;
        let files = to_value(&DataFiles {
            hash: data.summary.hash.clone(),
            files: files.to_vec(),
        })?;
        self.change(|[.., all_data, all_files]| {
            all_data.put(&record, None)?;
            all_files.put(&files, None)?;
            Ok(())
        })
        .await
    }

    /// All data of a person's own that is kept, but for its files.
    ///
    /// # Errors
    /// A record that cannot be read, or a browser that refuses.
    pub async fn all_data(&self) -> Result<Vec<OwnData>, StoreError> {
        let all = self.get_all(DATA, None).await?;
        all.into_iter().map(from_value).collect()
    }

    /// The files of the data with this hash; nothing where it is not kept.
    ///
    /// # Errors
    /// Files that cannot be read, or a browser that refuses.
    pub async fn data_files(&self, hash: &str) -> Result<Option<Vec<DataFile>>, StoreError> {
        let key = Query::from(JsValue::from_str(hash));
        let Some(files) = self.get(DATA_FILES, key).await? else {
            return Ok(None);
        };
        Ok(Some(from_value::<DataFiles>(files)?.files))
    }

    /// Takes data out of the store.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn remove_data(&self, hash: &str) -> Result<(), StoreError> {
        let key = || Query::from(JsValue::from_str(hash));
        self.change(|[.., all_data, all_files]| {
            all_data.delete(key())?;
            all_files.delete(key())?;
            Ok(())
        })
        .await
    }

    /// Brings a run of version 1 into the shape of this one. A tab that dies before it is done
    /// leaves the run as it was.
    async fn take_apart(&self, value: JsValue) -> Result<Record, StoreError> {
        let whole: Whole = from_value(value)?;
        let checkpoint = checkpoint::read(&whole.checkpoint)?;
        let record = Record::of(&Run::restored(
            whole.identity,
            whole.status,
            checkpoint.clone(),
        ));
        self.keep(&Kept::run(&record, &checkpoint)?).await?;
        Ok(record)
    }

    async fn get(&self, store: &str, key: Query) -> Result<Option<JsValue>, StoreError> {
        let transaction = self
            .database
            .transaction(&[store], TransactionMode::ReadOnly);
        let transaction = transaction.map_err(refused)?;
        let store = transaction.object_store(store).map_err(refused)?;
        store.get(key).map_err(refused)?.await.map_err(refused)
    }

    async fn get_all(&self, store: &str, of: Option<Query>) -> Result<Vec<JsValue>, StoreError> {
        let transaction = self
            .database
            .transaction(&[store], TransactionMode::ReadOnly);
        let transaction = transaction.map_err(refused)?;
        let store = transaction.object_store(store).map_err(refused)?;
        let all = store.get_all(of, None).map_err(refused)?;
        all.await.map_err(refused)
    }

    async fn change(
        &self,
        change: impl FnOnce([&ObjectStore; 5]) -> Result<(), idb::Error>,
    ) -> Result<(), StoreError> {
        let names = STORES.map(|(name, _)| name);
        let transaction = self
            .database
            .transaction(&names, TransactionMode::ReadWrite);
        let transaction = transaction.map_err(refused)?;
        let mut stores = Vec::with_capacity(names.len());
        for name in names {
            stores.push(transaction.object_store(name).map_err(refused)?);
        }
        if let [runs, checkpoints, answers, data, data_files] = stores.as_slice() {
            change([runs, checkpoints, answers, data, data_files]).map_err(refused)?;
        }
        end(transaction).await
    }
}

/// The key of a run's answers: an array, as IndexedDB compares them.
fn answer_key(run: RunId, part: Part, step: u32) -> JsValue {
    let part = match part {
        Part::Training => "training",
        Part::Validation => "validation",
        Part::Test => "test",
    };
    let key = [JsValue::from_f64(run.0 as f64), part.into(), step.into()];
    key.into_iter().collect::<Array>().into()
}

/// Every answer of a run: an array comes after every text.
fn answers_of(run: RunId) -> Result<Query, StoreError> {
    let run = JsValue::from_f64(run.0 as f64);
    let first: JsValue = Array::of1(&run).into();
    let last: JsValue = Array::of2(&run, &Array::new()).into();
    let range = KeyRange::bound(&first, &last, None, None).map_err(refused)?;
    Ok(Query::from(range))
}

fn key(id: RunId) -> Query {
    Query::from(JsValue::from_f64(id.0 as f64))
}

fn refused(error: idb::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

fn to_value(value: &impl Serialize) -> Result<JsValue, StoreError> {
    serde_wasm_bindgen::to_value(value).map_err(|error| StoreError::Refused(error.to_string()))
}

fn from_value<T: for<'de> Deserialize<'de>>(value: JsValue) -> Result<T, StoreError> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| CheckpointError::Inconsistent(error.to_string()).into())
}

/// Waits until a transaction is over. idb's own future loses why one was aborted.
async fn end(mut transaction: Transaction) -> Result<(), StoreError> {
    let (sender, ended) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let tell = move |outcome: Result<(), StoreError>| {
        // Nobody listens any more when the page is left.
        drop(sender.take().map(|sender| sender.send(outcome)));
    };
    transaction.on_complete({
        let tell = tell.clone();
        move |_| tell(Ok(()))
    });
    transaction.on_abort(move |event| {
        let error = event
            .target()
            .and_then(|target| Reflect::get(&target, &"error".into()).ok())
            .unwrap_or(JsValue::NULL);
        let name = Reflect::get(&error, &"name".into()).ok();
        let is_full =
            name.and_then(|name| name.as_string()).as_deref() == Some("QuotaExceededError");
        tell(Err(if is_full {
            StoreError::Full
        } else {
            StoreError::Refused(describe(&error))
        }));
    });
    ended
        .await
        .unwrap_or_else(|_| Err(StoreError::Refused("it gave no answer".to_owned())))
}
