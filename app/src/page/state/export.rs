//! Files of runs, made when they are asked for, in a worker of their own.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use gloo::file::Blob;
use gloo::timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::trainer::Trainer;
use crate::browser::bridge::{Bridge, Program};
use kiln_run::export::Format;
use kiln_run::parcel::Parcel;
use kiln_run::protocol::{FromWorker, RunId, ToWorker, Weight};
use kiln_run::run::Weights;
use serde_bytes::ByteBuf;
use wasm_bindgen::JsValue;

/// About as much of a log is sent to the worker in one task: a few milliseconds.
const AT_ONCE_BYTES: usize = 8 << 20;

impl Trainer {
    /// Makes a file of a run; of one under way, as it was kept last. `progress` hears how much
    /// is done, 0 to 1. Dropping the future ends the work.
    ///
    /// # Errors
    /// Why it cannot be made: a sentence.
    pub async fn make_file(
        self,
        id: RunId,
        format: Format,
        which: Weights,
        progress: impl Fn(f64) + 'static,
    ) -> Result<Blob, String> {
        let question = ToWorker::Export {
            format,
            which,
            parcel: Box::new(self.parcel(id).await?),
        };
        collect(question, format.about().media_type, progress).await
    }

    /// Makes one archive of several runs, each as it was kept last. `progress` hears how much is done, 0
    /// to 1. Dropping the future ends the work.
    ///
    /// # Errors
    /// Why it cannot be made: a sentence.
    pub async fn pack_runs(
        self,
        ids: Vec<RunId>,
        progress: impl Fn(f64) + 'static,
    ) -> Result<Blob, String> {
        let mut parcels = Vec::with_capacity(ids.len());
        for id in ids {
            parcels.push(self.parcel(id).await?);
        }
        collect(ToWorker::Pack { parcels }, "application/zip", progress).await
    }

    /// Finds out how large each file of a run is. Dropping the future ends the work.
    ///
    /// # Errors
    /// Why that cannot be found out: a sentence.
    pub async fn weigh_files(
        self,
        id: RunId,
        which: Weights,
        take: impl Fn(Format, Result<Weight, String>) + 'static,
    ) -> Result<(), String> {
        let question = ToWorker::Weigh {
            which,
            parcel: Box::new(self.parcel(id).await?),
        };
        let hear = move |message| {
            if let FromWorker::Weighed { format, outcome } = message {
                take(format, outcome);
            }
        };
        employ(question, hear).await
    }

    /// All that is kept of a run, and of the shown one also what the store has still to take.
    async fn parcel(self, id: RunId) -> Result<Parcel, String> {
        const GONE: &str = "This run is no longer kept.";
        let kept_entries = || {
            self.run.with_untracked(|run| {
                let run = run.as_ref().filter(|run| run.identity.id == id)?;
                Some(run.kept_entries())
            })
        };
        let kept = loop {
            let before = kept_entries();
            let kept = match self.library.store() {
                Some(store) => store.parcel(id).await,
                None => Ok(None),
            };
            // Were it kept meanwhile, figures and weights would be of two keeps.
            if kept_entries() == before {
                break kept.map_err(|error| format!("The run could not be read: {error}."))?;
            }
        };
        self.run.with_untracked(|run| {
            let Some(run) = run.as_ref().filter(|run| run.identity.id == id) else {
                return kept.ok_or_else(|| GONE.to_owned());
            };
            let unkept = run.unkept().map_err(|error| error.to_string())?;
            let (mut segments, answers) = match kept {
                Some(kept) => (kept.segments, kept.answers),
                None => (Vec::new(), Vec::new()),
            };
            segments.extend(unkept.segment.map(|segment| segment.bytes.into()));
            Ok(Parcel {
                identity: run.identity.clone(),
                status: run.status(),
                segments,
                checkpoint: run.checkpoint().map(|kept| kept.file.clone().into()),
                answers,
            })
        })
    }
}

/// Has a worker of its own make a file.
async fn collect(
    question: ToWorker,
    media_type: &str,
    progress: impl Fn(f64) + 'static,
) -> Result<Blob, String> {
    let parts = Rc::new(RefCell::new(Parts::default()));
    let taken = Rc::clone(&parts);
    let hear = move |message| {
        if let FromWorker::Exporting { part, done } = message {
            taken.borrow_mut().take(&part);
            progress(done);
        }
    };
    employ(question, hear).await?;
    let parts = parts.borrow();
    let whole = parts.joined(media_type);
    whole.map_err(|error| crate::browser::words::describe(&error))
}

/// A file as it arrives: handed to the browser at once, which need not keep it in the page's memory.
#[derive(Default)]
struct Parts {
    /// The beginning of it, in large pieces.
    joined: Vec<Blob>,
    /// What came after.
    small: Vec<Blob>,
    /// A part that could not be joined to others: the browser's reason.
    fault: Option<JsValue>,
}

impl Parts {
    /// To join as many costs the page a few milliseconds; all of a large file at once would cost a
    /// hundred.
    const AT_ONCE: usize = 32;

    fn take(&mut self, part: &[u8]) {
        self.small.push(Blob::new(part));
        if self.small.len() == Self::AT_ONCE {
            match join(self.small.drain(..), "") {
                Ok(joined) => self.joined.push(joined),
                Err(error) => self.fault = Some(error),
            }
        }
    }

    fn joined(&self, media_type: &str) -> Result<Blob, JsValue> {
        match &self.fault {
            Some(error) => Err(error.clone()),
            None => join(self.joined.iter().chain(&self.small).cloned(), media_type),
        }
    }
}

fn join(parts: impl Iterator<Item = Blob>, media_type: &str) -> Result<Blob, JsValue> {
    let parts: js_sys::Array = parts.map(web_sys::Blob::from).collect();
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(media_type);
    let whole = web_sys::Blob::new_with_blob_sequence_and_options(&parts, &options)?;
    Ok(whole.into())
}

/// Has a worker of its own answer a question until it says that all is told; `hear` gets the rest.
async fn employ(mut question: ToWorker, hear: impl Fn(FromWorker) + 'static) -> Result<(), String> {
    let (sender, ended) = oneshot::channel();
    let sender = RefCell::new(Some(sender));
    let receive = Rc::new(move |message| {
        let outcome = match message {
            FromWorker::Exported { outcome } => outcome,
            FromWorker::Fatal { details } => {
                Err(format!("The worker that makes files stopped: {details}."))
            }
            other => return hear(other),
        };
        if let Some(sender) = sender.take() {
            // Whoever asked may have left meanwhile.
            drop(sender.send(outcome));
        }
    });
    let bridge = Bridge::start(Program::Files, move |message| receive(message))?;
    for (place, parcel) in question.parcels_mut().iter_mut().enumerate() {
        send_ahead(&bridge, place as u32, std::mem::take(&mut parcel.segments)).await?;
    }
    bridge.send(&question)?;
    let outcome = ended.await;
    outcome.map_err(|_| "The worker that makes files stopped.".to_owned())?
}

/// Sends the log of one of the runs that are asked about next, a part of it in each task.
async fn send_ahead(bridge: &Bridge, place: u32, segments: Vec<ByteBuf>) -> Result<(), String> {
    let mut segments = segments.into_iter().peekable();
    while segments.peek().is_some() {
        let mut bytes = 0;
        let mut fits = |segment: &ByteBuf| {
            let has_room = bytes < AT_ONCE_BYTES;
            bytes += segment.len();
            has_room
        };
        let segments = std::iter::from_fn(|| segments.next_if(&mut fits)).collect();
        bridge.send(&ToWorker::Hold { place, segments })?;
        TimeoutFuture::new(0).await;
    }
    Ok(())
}
