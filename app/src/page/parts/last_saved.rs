//! When a run was last saved to the file that brings it back.

use leptos::prelude::*;

use crate::browser::{clock, saves};
use crate::page::parts::run_cells::record_of;
use crate::page::state::trainer::Trainer;
use kiln_run::format;
use kiln_run::protocol::RunId;

/// A sentence: when, and of a run that has gone on since, up to which step.
#[component]
pub fn LastSaved(trainer: Trainer, id: RunId) -> AnyView {
    let steps = {
        let record = record_of(trainer, id);
        Memo::new(move |_| record.with(|record| record.as_ref().map(|record| record.summary.steps)))
    };
    let text = move || {
        trainer.library.saved.track();
        let Some(save) = saves::of(id) else {
            return "Not saved to a .kiln.zip yet.".to_owned();
        };
        let when = clock::date_and_time_of(save.at_ms);
        if steps.get() == Some(save.steps) {
            format!("Last saved to a .kiln.zip: {when}.")
        } else {
            let step = format::count(save.steps.into());
            format!("Last saved to a .kiln.zip: {when}, up to step {step}.")
        }
    };
    view! { <span>{text}</span> }.into_any()
}
