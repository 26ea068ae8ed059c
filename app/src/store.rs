//! Runs between visits, in this browser's IndexedDB.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use idb::builder::{DatabaseBuilder, ObjectStoreBuilder};
use idb::{Database, KeyPath, ObjectStore, Query, Transaction, TransactionMode};
use js_sys::Reflect;
use kiln_model::checkpoint::{self, Checkpoint, CheckpointError};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use crate::device::describe;
use crate::run::{Identity, Run, Status};

const DATABASE: &str = "kiln";
/// The schema's version; a newer one adds what older ones lack.
const VERSION: u32 = 1;
const RUNS: &str = "runs";

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
}

/// A run as it is kept.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The key.
    id: u64,
    identity: Identity,
    status: Status,
    /// A file of [`kiln_model::checkpoint`].
    #[serde(with = "serde_bytes")]
    checkpoint: Vec<u8>,
}

/// All runs that were kept.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Opens the store, and makes it on the first visit.
    ///
    /// # Errors
    /// A browser that keeps nothing, as in some private windows.
    pub async fn open() -> Result<Self, StoreError> {
        let unavailable = |error: idb::Error| StoreError::Unavailable(error.to_string());
        let runs = ObjectStoreBuilder::new(RUNS).key_path(Some(KeyPath::new_single("id")));
        let database = DatabaseBuilder::new(DATABASE)
            .version(VERSION)
            .add_object_store(runs)
            .build()
            .await
            .map_err(unavailable)?;
        Ok(Self { database })
    }

    /// A run as it was at a checkpoint, as it is kept.
    ///
    /// # Errors
    /// A checkpoint that cannot be written.
    pub fn record(run: &Run, checkpoint: &Checkpoint) -> Result<JsValue, StoreError> {
        let record = Record {
            id: run.identity.id.0,
            identity: run.identity.clone(),
            status: run.status(),
            checkpoint: checkpoint::write(checkpoint)?,
        };
        serde_wasm_bindgen::to_value(&record)
            .map_err(|error| StoreError::Refused(error.to_string()))
    }

    /// Keeps a record in place of what was kept of its run before.
    ///
    /// # Errors
    /// No room, or a browser that refuses; what was kept before stays.
    pub async fn keep(&self, record: &JsValue) -> Result<(), StoreError> {
        self.change(|runs| runs.put(record, None).map(drop)).await
    }

    /// Forgets a run.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn forget(&self, identity: &Identity) -> Result<(), StoreError> {
        let key = JsValue::from_f64(identity.id.0 as f64);
        self.change(|runs| runs.delete(Query::from(key)).map(drop))
            .await
    }

    /// Every run that was kept, and why some cannot be read.
    ///
    /// # Errors
    /// A browser that refuses.
    pub async fn runs(&self) -> Result<(Vec<Run>, Vec<StoreError>), StoreError> {
        let refused = |error: idb::Error| StoreError::Refused(error.to_string());
        let transaction = self
            .database
            .transaction(&[RUNS], TransactionMode::ReadOnly)
            .map_err(refused)?;
        let runs = transaction.object_store(RUNS).map_err(refused)?;
        let records = runs
            .get_all(None, None)
            .map_err(refused)?
            .await
            .map_err(refused)?;
        let (runs, unreadable): (Vec<_>, Vec<_>) =
            records.into_iter().map(read).partition(Result::is_ok);
        Ok((
            runs.into_iter().filter_map(Result::ok).collect(),
            unreadable.into_iter().filter_map(Result::err).collect(),
        ))
    }

    async fn change(
        &self,
        change: impl FnOnce(&ObjectStore) -> Result<(), idb::Error>,
    ) -> Result<(), StoreError> {
        let refused = |error: idb::Error| StoreError::Refused(error.to_string());
        let transaction = self
            .database
            .transaction(&[RUNS], TransactionMode::ReadWrite)
            .map_err(refused)?;
        let runs = transaction.object_store(RUNS).map_err(refused)?;
        change(&runs).map_err(refused)?;
        end(transaction).await
    }
}

fn read(record: JsValue) -> Result<Run, StoreError> {
    let record: Record = serde_wasm_bindgen::from_value(record)
        .map_err(|error| CheckpointError::Inconsistent(error.to_string()))?;
    let checkpoint = checkpoint::read(&record.checkpoint)?;
    Ok(Run::restored(record.identity, record.status, checkpoint))
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
