//! Runs: what lists show of them, their logs and their checkpoints.

use gloo::timers::future::TimeoutFuture;
use js_sys::Reflect;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::reading::Reading;
use kiln_run::run::{Identity, Run, Status, Unkept};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::{
    ANSWERS, CHECKPOINTS, RUNS, SEGMENTS, Store, StoreError, all_of, from_value, key, to_value,
};

/// Longest time for which a long log is read without a pause.
const READ_MS: f64 = 16.0;

/// A checkpoint as it is kept.
#[derive(Serialize, Deserialize)]
struct File {
    /// The key.
    id: u64,
    /// A file of [`kiln_model::checkpoint`].
    #[serde(with = "serde_bytes")]
    checkpoint: Vec<u8>,
}

/// A stretch of a log as it is kept.
#[derive(Serialize, Deserialize)]
struct Stretch {
    /// The key's first part.
    run: u64,
    /// The number of its first entry; the key's second part.
    first: u64,
    /// A file of [`kiln_run::log::segment`].
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
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

/// A run that was taken out of the store and can be put back as it was.
#[derive(Clone, Debug)]
pub struct Removed {
    record: JsValue,
    checkpoint: Option<JsValue>,
    segments: Vec<JsValue>,
    answers: Vec<JsValue>,
}

/// A run ready to be kept.
#[derive(Clone, Debug)]
pub struct Kept {
    record: JsValue,
    segment: Option<JsValue>,
    checkpoint: Option<JsValue>,
    taken: Option<Unkept>,
}

impl Kept {
    /// What lists show of a run; the rest of it stays as it was kept before.
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
            segment: None,
            checkpoint: None,
            taken: None,
        })
    }

    /// What is new of a run.
    ///
    /// # Errors
    /// A log that cannot be written.
    pub fn run(run: &Run) -> Result<Self, StoreError> {
        let id = run.identity.id.0;
        let taken = run.unkept()?;
        let segment = taken.segment.as_ref().map(|segment| {
            to_value(&Stretch {
                run: id,
                first: segment.first,
                bytes: segment.bytes.clone(),
            })
        });
        let checkpoint = taken.checkpoint.as_ref().map(|checkpoint| {
            to_value(&File {
                id,
                checkpoint: checkpoint.file.clone(),
            })
        });
        Ok(Self {
            segment: segment.transpose()?,
            checkpoint: checkpoint.transpose()?,
            taken: Some(taken),
            ..Self::record(&Record::of(run))?
        })
    }

    /// What of a run this keeps; nothing where it is the record alone.
    pub fn taken(&self) -> Option<&Unkept> {
        self.taken.as_ref()
    }
}

impl Store {
    /// Keeps what is new of a run, and its record in place of what was kept before.
    ///
    /// # Errors
    /// No room, or a browser that refuses; what was kept before stays, whole.
    pub async fn keep(&self, kept: &Kept) -> Result<(), StoreError> {
        self.change(|stores| {
            stores.runs.put(&kept.record, None)?;
            if let Some(segment) = &kept.segment {
                stores.segments.put(segment, None)?;
            }
            if let Some(checkpoint) = &kept.checkpoint {
                stores.checkpoints.put(checkpoint, None)?;
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
            segments: self.get_all(SEGMENTS, Some(all_of(id)?)).await?,
            answers: self.get_all(ANSWERS, Some(all_of(id)?)).await?,
        };
        let (segments, answers) = (all_of(id)?, all_of(id)?);
        self.change(|stores| {
            stores.runs.delete(key(id))?;
            stores.checkpoints.delete(key(id))?;
            stores.segments.delete(segments)?;
            stores.answers.delete(answers)?;
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
        self.change(|stores| {
            stores.runs.put(&removed.record, None)?;
            if let Some(checkpoint) = &removed.checkpoint {
                stores.checkpoints.put(checkpoint, None)?;
            }
            for segment in &removed.segments {
                stores.segments.put(segment, None)?;
            }
            for file in &removed.answers {
                stores.answers.put(file, None)?;
            }
            Ok(())
        })
        .await?;
        Ok(from_value::<Keyed>(removed.record.clone())?.record)
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

    /// A run as it was kept last. One of which a part is damaged is read as far as it is whole, and
    /// says so.
    ///
    /// # Errors
    /// A run that is not there or cannot be read, or a browser that refuses.
    pub async fn run(&self, id: RunId) -> Result<Run, StoreError> {
        let record = self.record(id).await?.ok_or(StoreError::Gone)?;
        let file = self.get(CHECKPOINTS, key(id)).await?;
        let file = file.map(from_value::<File>).transpose()?;
        let segments = self.segments(id).await?;
        if segments.is_empty() {
            let file = file.ok_or(StoreError::Gone)?.checkpoint;
            let run = Run::of_first_versions(record.identity, record.status, file)?;
            return Ok(run);
        }
        let checkpoint = file
            .map(|file| Checkpoint::new(file.checkpoint))
            .transpose()?;
        let mut reading = Reading::new(record.identity);
        let mut start_ms = js_sys::Date::now();
        for segment in segments {
            reading.take(&segment);
            if js_sys::Date::now() - start_ms > READ_MS {
                TimeoutFuture::new(0).await;
                start_ms = js_sys::Date::now();
            }
        }
        Ok(reading.end(checkpoint))
    }

    /// The log of a run, segment by segment; empty where none is kept.
    ///
    /// # Errors
    /// A segment that cannot be read, or a browser that refuses.
    pub async fn segments(&self, id: RunId) -> Result<Vec<Vec<u8>>, StoreError> {
        let all = self.get_all(SEGMENTS, Some(all_of(id)?)).await?;
        let bytes = |value| from_value::<Stretch>(value).map(|stretch| stretch.bytes);
        all.into_iter().map(bytes).collect()
    }

    /// Brings a run of version 1 into the shape of this one. A tab that dies before it is done
    /// leaves the run as it was.
    async fn take_apart(&self, value: JsValue) -> Result<Record, StoreError> {
        let whole: Whole = from_value(value)?;
        let run = Run::of_first_versions(whole.identity, whole.status, whole.checkpoint)?;
        self.keep(&Kept::run(&run)?).await?;
        Ok(Record::of(&run))
    }
}
