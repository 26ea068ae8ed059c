//! The store itself, once it is open: the database, its schema and its transactions.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use idb::{
    Database, DatabaseEvent as _, Factory, KeyPath, KeyRange, ObjectStore, ObjectStoreParams,
    Query, Transaction, TransactionMode,
};
use js_sys::{Array, Reflect};
use kiln_model::checkpoint::CheckpointError;
use kiln_run::protocol::RunId;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbDatabase;

use super::kept::{Fate, StoreError};
use crate::browser::words::describe;

const DATABASE: &str = "kiln";
/// The schema's version. Version 1 had whole runs in the store of runs; such a record says so by
/// its shape and is taken apart when it is read. Version 2 had no logs: what was measured stood in
/// the checkpoint, and is written as a log when the run is kept again.
const VERSION: u32 = 3;
pub(super) const RUNS: &str = "runs";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const SEGMENTS: &str = "segments";
pub(super) const ANSWERS: &str = "answers";
pub(super) const DATA: &str = "data";
pub(super) const DATA_FILES: &str = "data_files";
/// Every store with the path of its key.
const STORES: [(&str, &[&str]); 6] = [
    (RUNS, &["id"]),
    (CHECKPOINTS, &["id"]),
    (SEGMENTS, &["run", "first"]),
    (ANSWERS, &["run", "part", "step"]),
    (DATA, &["summary.hash"]),
    (DATA_FILES, &["hash"]),
];

/// All that was kept.
#[derive(Debug)]
pub struct Opened {
    database: Database,
}

impl Opened {
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

    fn to_read(&self, store: &str) -> Result<ObjectStore, StoreError> {
        let transaction = self
            .database
            .transaction(&[store], TransactionMode::ReadOnly);
        let transaction = transaction.map_err(refused)?;
        transaction.object_store(store).map_err(refused)
    }

    pub(super) async fn get(&self, store: &str, key: Query) -> Result<Option<JsValue>, StoreError> {
        let value = self.to_read(store)?.get(key).map_err(refused)?;
        value.await.map_err(refused)
    }

    /// What is in a store, in order of keys; the first few of it where `most` says so.
    pub(super) async fn get_all(
        &self,
        store: &str,
        of: Option<Query>,
        most: Option<u32>,
    ) -> Result<Vec<JsValue>, StoreError> {
        let all = self.to_read(store)?.get_all(of, most).map_err(refused)?;
        all.await.map_err(refused)
    }

    pub(super) async fn get_all_keys(
        &self,
        store: &str,
        of: Query,
    ) -> Result<Vec<JsValue>, StoreError> {
        let keys = self.to_read(store)?.get_all_keys(Some(of), None);
        keys.map_err(refused)?.await.map_err(refused)
    }

    /// The record and the checkpoint of a run, with the segments of its log that come after this one,
    /// all as they are at one moment.
    pub(super) async fn end_of(
        &self,
        run: RunId,
        segment: Option<u64>,
    ) -> Result<(Option<JsValue>, Option<JsValue>, Vec<JsValue>), StoreError> {
        let names = [RUNS, CHECKPOINTS, SEGMENTS];
        let transaction = self.database.transaction(&names, TransactionMode::ReadOnly);
        let transaction = transaction.map_err(refused)?;
        let store = |name| transaction.object_store(name).map_err(refused);
        // All is asked for before any of it is waited for: a transaction ends once nothing is.
        let record = store(RUNS)?.get(key(run)).map_err(refused)?;
        let checkpoint = store(CHECKPOINTS)?.get(key(run)).map_err(refused)?;
        let segments = store(SEGMENTS)?.get_all(Some(after(run, segment)?), None);
        let segments = segments.map_err(refused)?;
        Ok((
            record.await.map_err(refused)?,
            checkpoint.await.map_err(refused)?,
            segments.await.map_err(refused)?,
        ))
    }

    /// Changes several stores at once, or none.
    pub(super) async fn change(
        &self,
        change: impl FnOnce(&Stores) -> Result<(), idb::Error>,
    ) -> Result<(), StoreError> {
        let names = STORES.map(|(name, _)| name);
        let transaction = self
            .database
            .transaction(&names, TransactionMode::ReadWrite);
        let transaction = transaction.map_err(refused)?;
        let store = |name| transaction.object_store(name).map_err(refused);
        let stores = Stores {
            runs: store(RUNS)?,
            checkpoints: store(CHECKPOINTS)?,
            segments: store(SEGMENTS)?,
            answers: store(ANSWERS)?,
            data: store(DATA)?,
            data_files: store(DATA_FILES)?,
        };
        change(&stores).map_err(refused)?;
        end(transaction).await
    }
}

/// All stores, in one transaction.
pub(super) struct Stores {
    pub(super) runs: ObjectStore,
    pub(super) checkpoints: ObjectStore,
    pub(super) segments: ObjectStore,
    pub(super) answers: ObjectStore,
    pub(super) data: ObjectStore,
    pub(super) data_files: ObjectStore,
}

/// Everything of a run in a store whose key begins with the run: an array comes after every other
/// value.
pub(super) fn all_of(run: RunId) -> Result<Query, StoreError> {
    let run = JsValue::from_f64(run.0 as f64);
    let first: JsValue = Array::of1(&run).into();
    let last: JsValue = Array::of2(&run, &Array::new()).into();
    let range = KeyRange::bound(&first, &last, None, None).map_err(refused)?;
    Ok(Query::from(range))
}

/// Of a store with the segments of logs, those of a run that come after this one.
pub(super) fn after(run: RunId, segment: Option<u64>) -> Result<Query, StoreError> {
    let run = JsValue::from_f64(run.0 as f64);
    let first: JsValue = match segment {
        Some(segment) => Array::of2(&run, &JsValue::from_f64(segment as f64)).into(),
        None => Array::of1(&run).into(),
    };
    let last: JsValue = Array::of2(&run, &Array::new()).into();
    let range = KeyRange::bound(&first, &last, Some(true), None).map_err(refused)?;
    Ok(Query::from(range))
}

pub(super) fn key(id: RunId) -> Query {
    Query::from(JsValue::from_f64(id.0 as f64))
}

pub(super) fn refused(error: idb::Error) -> StoreError {
    StoreError::Refused(error.to_string())
}

pub(super) fn to_value(value: &impl Serialize) -> Result<JsValue, StoreError> {
    serde_wasm_bindgen::to_value(value).map_err(|error| StoreError::Refused(error.to_string()))
}

pub(super) fn from_value<T: for<'de> Deserialize<'de>>(value: JsValue) -> Result<T, StoreError> {
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
