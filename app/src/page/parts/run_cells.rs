//! What lists show of one run.

use leptos::prelude::*;

use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;

/// Where the runs that are looked at are compared.
pub fn compare_address(trainer: Trainer) -> String {
    let ids = trainer.library.shown.get();
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    format!("#/compare?runs={}", ids.join(","))
}

/// A run as it is now; nothing once it is deleted.
pub fn record_of(trainer: Trainer, id: RunId) -> Memo<Option<Record>> {
    Memo::new(move |_| trainer.library.record(id))
}

pub fn name_of(record: Memo<Option<Record>>) -> String {
    record.with(|record| {
        let name = record.as_ref().map(|record| record.identity.name.clone());
        name.unwrap_or_default()
    })
}

#[component]
pub fn Eye(trainer: Trainer, id: RunId, record: Memo<Option<Record>>) -> AnyView {
    let library = trainer.library;
    let is_shown = Memo::new(move |_| library.shown.with(|shown| shown.contains(&id)));
    view! {
        <label class="eye-box">
            <input
                type="checkbox"
                aria-label=move || format!("Show {}", name_of(record))
                prop:checked=is_shown
                on:change=move |event| library.set_shown(id, event_target_checked(&event))
            />
        </label>
    }
    .into_any()
}

#[component]
pub fn Dot(record: Memo<Option<Record>>) -> AnyView {
    let style = move || {
        record.with(|record| {
            let colour = record.as_ref().map(|record| record.identity.css_colour());
            format!("--run:{}", colour.unwrap_or_default())
        })
    };
    let is_live = move || {
        record.with(|record| {
            record
                .as_ref()
                .is_some_and(|record| record.status.is_open())
        })
    };
    view! { <i class="dot" class:live=is_live prop:style=style aria-hidden="true"></i> }.into_any()
}
