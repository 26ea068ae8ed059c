//! How safe kept runs are: the room that they take, what the browser has promised, and which of them a
//! person has as a file.

use leptos::prelude::*;

use super::library::{Library, find};
use crate::browser::tab::{self, Meter};
use crate::browser::{remembered, saves};
use kiln_run::protocol::RunId;

/// Whether the browser was asked to keep what it stores.
const ASKED_KEY: &str = "kiln.asked_to_keep";

impl Library {
    /// Asks the browser, once, not to delete what is kept; Runs says what it answered.
    pub(super) fn ask_to_keep(self) {
        if remembered::get(ASKED_KEY).unwrap_or(false) {
            return;
        }
        remembered::set(ASKED_KEY, &true);
        wasm_bindgen_futures::spawn_local(async move {
            // Some browsers ask the person, who may take their time.
            tab::persist().await;
            self.measure();
        });
    }

    /// Notes that runs are saved to a file, as they are now.
    pub fn note_saved(&self, ids: &[RunId]) {
        self.records.with_untracked(|records| {
            let steps = |id: &RunId| Some((*id, find(records, *id)?.summary.steps));
            let saved: Vec<_> = ids.iter().filter_map(steps).collect();
            saves::note(&saved, |id| find(records, id).is_some());
        });
        self.saved.notify();
    }

    /// Looks again at what the browser's storage holds.
    pub fn measure(&self) {
        let library = *self;
        wasm_bindgen_futures::spawn_local(async move {
            library.meter.set(Meter::read().await);
        });
    }
}
