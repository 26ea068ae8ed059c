//! Files of the shown run, made when they are asked for, in a worker of their own.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use gloo::file::Blob;
use leptos::prelude::*;
use serde_bytes::ByteBuf;

use super::trainer::Trainer;
use crate::browser::bridge::Bridge;
use kiln_run::device::Backend;
use kiln_run::export::Format;
use kiln_run::protocol::{FromWorker, ToWorker};
use kiln_run::run::Weights;

impl Trainer {
    /// Makes a file of the shown run; of one under way, as it was kept last. `progress` hears how much
    /// is done, 0 to 1. Dropping the future ends the work.
    ///
    /// # Errors
    /// Why it cannot be made: a sentence.
    pub async fn make_file(
        self,
        format: Format,
        which: Weights,
        progress: impl Fn(f64) + 'static,
    ) -> Result<Blob, String> {
        let question = self.export_of_shown(format, which).await?;
        let parts = Rc::new(RefCell::new(Vec::new()));
        let (sender, ended) = oneshot::channel();
        let sender = RefCell::new(Some(sender));
        let receive = {
            let parts = Rc::clone(&parts);
            move |message| {
                let outcome = match message {
                    // Handed to the browser, which need not keep it in the page's memory.
                    FromWorker::Exporting { part, done } => {
                        parts.borrow_mut().push(Blob::new(part.as_slice()));
                        return progress(done);
                    }
                    FromWorker::Exported { outcome } => outcome,
                    FromWorker::Fatal { details } => {
                        Err(format!("The worker that makes files stopped: {details}."))
                    }
                    _ => return,
                };
                if let Some(sender) = sender.take() {
                    // Whoever asked may have left meanwhile.
                    drop(sender.send(outcome));
                }
            }
        };
        let receive = Rc::new(receive);
        let bridge = Bridge::start(Backend::Cpu, move |message| receive(message))?;
        bridge.send(&question)?;
        let outcome = ended.await;
        outcome.map_err(|_| "The worker that makes files stopped.".to_owned())??;
        let parts = js_sys::Array::from_iter(
            parts
                .borrow()
                .iter()
                .map(|part: &Blob| AsRef::<web_sys::Blob>::as_ref(part)),
        );
        let options = web_sys::BlobPropertyBag::new();
        options.set_type(format.media_type());
        let whole = web_sys::Blob::new_with_blob_sequence_and_options(&parts, &options);
        whole
            .map(Blob::from)
            .map_err(|error| crate::browser::words::describe(&error))
    }

    /// All that is known of the shown run, for a worker that makes a file of it.
    async fn export_of_shown(self, format: Format, which: Weights) -> Result<ToWorker, String> {
        let kept = || {
            self.run.with_untracked(|run| {
                let run = run.as_ref().ok_or("No run is shown any more.")?;
                Ok::<_, &str>((run.identity.id, run.kept_entries()))
            })
        };
        let mut segments = loop {
            let before = kept()?;
            let segments = match self.library.store() {
                Some(store) => store.segments(before.0).await,
                None => Ok(Vec::new()),
            };
            // Were it kept meanwhile, figures and weights would be of two keeps.
            if kept()? == before {
                break segments.map_err(|error| error.to_string())?;
            }
        };
        let shown = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            let checkpoint = run
                .checkpoint()
                .map(|kept| ByteBuf::from(kept.file.clone()));
            Some((run.identity.clone(), checkpoint, run.unkept()))
        });
        let (identity, checkpoint, unkept) = shown.ok_or("No run is shown any more.")?;
        let unkept = unkept.map_err(|error| error.to_string())?;
        segments.extend(unkept.segment.map(|segment| segment.bytes));
        Ok(ToWorker::Export {
            format,
            which,
            identity: Box::new(identity),
            segments: segments.into_iter().map(ByteBuf::from).collect(),
            checkpoint,
        })
    }
}
