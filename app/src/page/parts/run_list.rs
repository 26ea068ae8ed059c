//! The runs in the rail: shown or not, found by name.

use crate::keymap::Control;
use crate::page::parts::run_cells::Dot;
use crate::page::parts::run_cells::Eye;
use crate::page::parts::run_cells::compare_address;
use crate::page::parts::run_cells::name_of;
use crate::page::parts::run_cells::record_of;
use leptos::prelude::*;

use crate::page::parts::listing::{Listing, Sight};
use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;
use kiln_run::table::Column;

/// What opens the list of runs where it has no room beside the charts.
pub const DRAWER: &str = "run-list";

/// A line of text about each run, beside the charts or in a drawer.
#[component]
pub fn RunList(trainer: Trainer, listing: Listing) -> AnyView {
    let library = trainer.library;
    let rows = listing.rows(library);
    let sight = Sight::new(rows);
    let drawn = sight.drawn();
    let row = move |id: RunId| view! { <ListRow trainer id /> };
    view! {
        <section class="run-list" id=DRAWER popover="auto" aria-label="Runs">
            <header>
                <h2>"Runs"</h2>
                <button class="quiet icon" popovertarget=DRAWER popovertargetaction="hide" aria-label="Close" title="Close">"✕"</button>
            </header>
            <Filter listing />
            <div class="scroll" on:scroll=move |event| sight.scroll(&event)>
                <ul>
                    <li class="room" aria-hidden="true" style:height=move || format!("{}px", sight.above_px())></li>
                    <For each=move || drawn.get() key=|id| *id children=row />
                    <li class="room" aria-hidden="true" style:height=move || format!("{}px", sight.below_px())></li>
                </ul>
                <Nothing trainer rows />
            </div>
            <CompareButton trainer />
        </section>
    }
    .into_any()
}

#[component]
pub fn Nothing(trainer: Trainer, rows: Memo<Vec<RunId>>) -> AnyView {
    let text = move || {
        if !rows.with(Vec::is_empty) {
            return None;
        }
        Some(if trainer.library.records.with(Vec::is_empty) {
            "Every attempt will be kept here."
        } else {
            "No run fits the filter."
        })
    };
    view! { <p class="hint">{text}</p> }.into_any()
}

#[component]
pub fn Filter(listing: Listing) -> AnyView {
    view! {
        <input
            type="search"
            class="filter"
            aria-label="Filter"
            data-control=Control::Filter.name()
            placeholder="Filter: words, or batch_size=128"
            prop:value=listing.filter
            on:input=move |event| listing.filter.set(event_target_value(&event))
        />
    }
    .into_any()
}

#[component]
pub fn CompareButton(trainer: Trainer) -> AnyView {
    let count = move || trainer.library.shown.with(|shown| shown.len());
    (move || {
        let count = count();
        if count >= 2 {
            let address = compare_address(trainer);
            view! { <a class="button" href=address>{format!("Compare · {count}")}</a> }.into_any()
        } else {
            view! { <p class="hint">"Tick two runs to compare them."</p> }.into_any()
        }
    })
    .into_any()
}

#[component]
pub(super) fn ListRow(trainer: Trainer, id: RunId) -> AnyView {
    let record = record_of(trainer, id);
    let library = trainer.library;
    let is_highlighted = move || library.highlighted.get() == Some(id);
    let accuracy = move || {
        record.with(|record| {
            let value = record
                .as_ref()
                .map(|record| Column::BestAccuracy.value(record));
            value.map(|value| Column::BestAccuracy.write(&value))
        })
    };
    view! {
        <li
            class:highlighted=is_highlighted
            on:pointerenter=move |_| library.highlighted.set(Some(id))
            on:pointerleave=move |_| library.highlighted.set(None)
        >
            <Eye trainer id record />
            <Dot record />
            <span class="name">{move || name_of(record)}</span>
            <span class="number muted">{accuracy}</span>
        </li>
    }
    .into_any()
}
