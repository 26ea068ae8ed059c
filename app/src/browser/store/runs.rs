//! Runs: what lists show of them, their logs and their checkpoints.

use gloo::timers::future::TimeoutFuture;
use js_sys::Reflect;
use kiln_model::checkpoint::{self, Outline};
use kiln_run::import::archive::Unpacked;
use kiln_run::parcel::Parcel;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::reading::Reading;
use kiln_run::run::{Identity, Run, Status};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

use super::kept::{Kept, KeptAnswers, Removed, StoreError};
use super::opened::{
    ANSWERS, CHECKPOINTS, Opened, RUNS, SEGMENTS, after, all_of, from_value, key, to_value,
};

/// Segments of a log that are read at once.
const FEW: u32 = 2;
/// Longest time for which a long log is read without a pause.
const READ_MS: f64 = 8.0;

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

impl Opened {
    pub(super) fn of_record(record: &Record) -> Result<Kept, StoreError> {
        let keyed = Keyed {
            id: record.identity.id.0,
            record: record.clone(),
        };
        Ok(Kept {
            record: to_value(&keyed)?,
            segment: None,
            checkpoint: None,
            taken: None,
        })
    }

    pub(super) fn of_run(run: &Run) -> Result<Kept, StoreError> {
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
        Ok(Kept {
            segment: segment.transpose()?,
            checkpoint: checkpoint.transpose()?,
            taken: Some(taken),
            ..Self::of_record(&Record::of(run))?
        })
    }

    pub(super) async fn keep(&self, kept: &Kept) -> Result<(), StoreError> {
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

    pub(super) async fn remove(&self, id: RunId) -> Result<Removed, StoreError> {
        let record = self.get(RUNS, key(id)).await?.ok_or(StoreError::Gone)?;
        let removed = Removed {
            record,
            checkpoint: self.get(CHECKPOINTS, key(id)).await?,
            segments: self.get_all(SEGMENTS, Some(all_of(id)?), None).await?,
            answers: self.get_all(ANSWERS, Some(all_of(id)?), None).await?,
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

    pub(super) async fn put_back(&self, removed: &Removed) -> Result<Record, StoreError> {
        let record = from_value::<Keyed>(removed.record.clone())?.record;
        let id = record.identity.id;
        // It may have come back out of a file meanwhile, in another state.
        let (log, all) = (all_of(id)?, all_of(id)?);
        self.change(|stores| {
            stores.checkpoints.delete(key(id))?;
            stores.segments.delete(log)?;
            stores.answers.delete(all)?;
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
        Ok(record)
    }

    pub(super) async fn records(&self) -> Result<(Vec<Record>, Vec<StoreError>), StoreError> {
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for value in self.get_all(RUNS, None, None).await? {
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

    pub(super) async fn record(&self, id: RunId) -> Result<Option<Record>, StoreError> {
        let value = self.get(RUNS, key(id)).await?;
        value
            .map(|value| from_value::<Keyed>(value).map(|keyed| keyed.record))
            .transpose()
    }

    pub(super) async fn run(&self, id: RunId) -> Result<Run, StoreError> {
        let identity = self.record(id).await?.ok_or(StoreError::Gone)?.identity;
        let (mut reading, mut has_log) = (Reading::new(identity), false);
        let read = |stretch: Stretch| {
            reading.take(&stretch.bytes);
            has_log = true;
        };
        let (record, file) = self.log_of(id, read).await?;
        let record = record.ok_or(StoreError::Gone)?;
        let record = from_value::<Keyed>(record)?.record;
        let file = file.map(from_value::<File>).transpose()?;
        if !has_log {
            let file = file.ok_or(StoreError::Gone)?.checkpoint;
            let run = Run::of_first_versions(record.identity, record.status, file)?;
            return Ok(run);
        }
        let checkpoint = file
            .map(|file| Checkpoint::new(file.checkpoint))
            .transpose()?;
        let mut run = reading.end(checkpoint);
        run.end_as(record.status);
        Ok(run)
    }

    /// Reads a run's log, and says which record and checkpoint belong to the end of it.
    async fn log_of(
        &self,
        id: RunId,
        mut take: impl FnMut(Stretch),
    ) -> Result<(Option<JsValue>, Option<JsValue>), StoreError> {
        let (mut newest, mut start_ms) = (None, js_sys::Date::now());
        let mut read = |value| {
            let stretch: Stretch = from_value(value)?;
            let first = stretch.first;
            take(stretch);
            Ok::<_, StoreError>(first)
        };
        loop {
            // A few at a time: all of a long log at once would be held twice.
            let from = Some(after(id, newest)?);
            let few = self.get_all(SEGMENTS, from, Some(FEW)).await?;
            if few.is_empty() {
                break;
            }
            for value in few {
                newest = Some(read(value)?);
                if js_sys::Date::now() - start_ms > READ_MS {
                    TimeoutFuture::new(0).await;
                    start_ms = js_sys::Date::now();
                }
            }
        }
        // Another tab may have kept the run meanwhile: what was kept last of it is of one keep.
        let (record, file, rest) = self.end_of(id, newest).await?;
        for value in rest {
            read(value)?;
        }
        Ok((record, file))
    }

    pub(super) async fn outline(&self, id: RunId) -> Result<Option<Outline>, StoreError> {
        let Some(file) = self.get(CHECKPOINTS, key(id)).await? else {
            return Ok(None);
        };
        let file = from_value::<File>(file)?.checkpoint;
        Ok(Some(checkpoint::outline(&file)?))
    }

    pub(super) async fn parcel(&self, id: RunId) -> Result<Option<Parcel>, StoreError> {
        let mut segments = Vec::new();
        let keep = |stretch: Stretch| segments.push(stretch.bytes.into());
        let (record, file) = self.log_of(id, keep).await?;
        let Some(record) = record else {
            return Ok(None);
        };
        let Record {
            identity, status, ..
        } = from_value::<Keyed>(record)?.record;
        let file = file.map(from_value::<File>).transpose()?;
        Ok(Some(Parcel {
            identity,
            status,
            segments,
            checkpoint: file.map(|file| file.checkpoint.into()),
            answers: self.all_answers(id).await?,
        }))
    }

    pub(super) async fn take_in(&self, runs: &[Unpacked]) -> Result<(), StoreError> {
        // All is made before any of it is put: what cannot be made changes nothing.
        let mut made = Vec::new();
        for Unpacked {
            record,
            parcel,
            firsts,
        } in runs
        {
            let run = record.identity.id;
            let keyed = Self::of_record(record)?.record;
            let checkpoint = parcel.checkpoint.as_ref().map(|file| {
                to_value(&File {
                    id: run.0,
                    checkpoint: file.to_vec(),
                })
            });
            let segments = firsts.iter().zip(&parcel.segments).map(|(first, bytes)| {
                to_value(&Stretch {
                    run: run.0,
                    first: *first,
                    bytes: bytes.to_vec(),
                })
            });
            let answers = parcel.answers.iter().map(|answered| {
                to_value(&KeptAnswers {
                    run,
                    part: answered.part,
                    step: answered.step,
                    predictions: answered.predictions.clone(),
                })
            });
            made.push((
                keyed,
                checkpoint.transpose()?,
                segments.collect::<Result<Vec<_>, _>>()?,
                answers.collect::<Result<Vec<_>, _>>()?,
                (key(run), all_of(run)?, all_of(run)?),
            ));
        }
        self.change(|stores| {
            for (record, checkpoint, segments, answers, (key, log, all)) in made {
                stores.checkpoints.delete(key)?;
                stores.segments.delete(log)?;
                stores.answers.delete(all)?;
                stores.runs.put(&record, None)?;
                if let Some(checkpoint) = &checkpoint {
                    stores.checkpoints.put(checkpoint, None)?;
                }
                for segment in &segments {
                    stores.segments.put(segment, None)?;
                }
                for file in &answers {
                    stores.answers.put(file, None)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Brings a run of version 1 into the shape of this one. A tab that dies before it is done
    /// leaves the run as it was.
    async fn take_apart(&self, value: JsValue) -> Result<Record, StoreError> {
        let whole: Whole = from_value(value)?;
        let run = Run::of_first_versions(whole.identity, whole.status, whole.checkpoint)?;
        self.keep(&Self::of_run(&run)?).await?;
        Ok(Record::of(&run))
    }
}
