//! How large the files of a run are, found out by making them.

use std::collections::HashMap;

use futures::future::{AbortHandle, abortable};
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use super::chosen::Chosen;
use crate::page::state::trainer::Trainer;
use kiln_run::export::Format;
use kiln_run::protocol::Weight;
use kiln_run::run::Weights;

/// Training steps of the longest run whose files are made only to say how large they are.
const MOST_STEPS: u32 = 50_000;

/// How large a file is and whether it comes back, or why it cannot be made.
type Size = Result<Weight, String>;

/// How large files are, as far as that is known; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Sizes {
    known: RwSignal<HashMap<&'static str, Size>>,
    work: StoredValue<Option<AbortHandle>, ThisThread>,
}

impl Sizes {
    /// Of the chosen run once it is over, with these weights.
    pub fn new(trainer: Trainer, chosen: Chosen, which: RwSignal<Weights>) -> Self {
        let sizes = Self {
            known: RwSignal::new(HashMap::new()),
            work: StoredValue::new_local(None),
        };
        let run = Memo::new(move |_| {
            let record = trainer.library.record(chosen.id.get()?)?;
            let is_measured = !record.status.is_open() && record.summary.steps <= MOST_STEPS;
            let identity = record.identity;
            is_measured.then_some((identity.id, identity.name, record.summary.test, which.get()))
        });
        Effect::new(move |_| {
            sizes.stop();
            sizes.known.set(HashMap::new());
            let Some((id, _, _, which)) = run.get() else {
                return;
            };
            let take = move |format: Format, size| {
                sizes
                    .known
                    .try_update(|known| known.insert(format.about().ending, size));
            };
            let (work, handle) = abortable(trainer.weigh_files(id, which, take));
            sizes.work.set_value(Some(handle));
            wasm_bindgen_futures::spawn_local(async move {
                // Whoever asks for a file is told why there is none.
                drop(work.await);
            });
        });
        on_cleanup(move || sizes.stop());
        sizes
    }

    /// How large a file is, if that is known.
    pub fn of(self, format: Format) -> Option<Size> {
        self.known
            .with(|known| known.get(format.about().ending).cloned())
    }

    fn stop(self) {
        let work = self.work.try_update_value(Option::take);
        if let Some(work) = work.flatten() {
            work.abort();
        }
    }
}
