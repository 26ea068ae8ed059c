//! The list of runs beside the charts, and the Runs route with everything about them.

mod details;
mod download;
mod table;

use crate::page::parts::import::ImportButton;
use crate::page::parts::run_list::CompareButton;
use crate::page::parts::run_list::Filter;
use crate::page::runs::details::Details;
use crate::page::runs::details::StorageMeter;
use crate::page::runs::download::DownloadRuns;
use crate::page::runs::table::Table;
use leptos::prelude::*;

use crate::page::parts::listing::Listing;
use crate::page::state::trainer::Trainer;
use kiln_run::table::Column;

/// The route.
#[component]
pub fn Runs(trainer: Trainer, listing: Listing) -> AnyView {
    let selected = RwSignal::new(trainer.shown_id());
    // Of all that changes in a run under way only this decides whether the details are made anew:
    // what a person types there stays.
    let chosen = Memo::new(move |_| {
        let id = selected.get()?;
        trainer.library.record(id).map(|_| id)
    });
    let details = move || chosen.get().map(|id| view! { <Details trainer id /> });
    view! {
        <div class="runs">
            <div class="head">
                <h1 tabindex="-1">"Runs"</h1>
                <Filter listing />
                <Columns listing />
                <CompareButton trainer />
                <DownloadRuns trainer />
                <ImportButton trainer />
            </div>
            <div class="runs-body">
                <Table trainer listing selected />
                {details}
            </div>
            <StorageMeter trainer />
        </div>
    }
    .into_any()
}

#[component]
fn Columns(listing: Listing) -> AnyView {
    let row = move |column: Column| {
        let label = column.label();
        let is_shown = move || {
            listing
                .layout
                .with(|layout| layout.columns.contains(&column))
        };
        view! {
            <li>
                <label>
                    <input
                        type="checkbox"
                        prop:checked=is_shown
                        on:change=move |event| listing.set_column(column, event_target_checked(&event))
                    />
                    {label}
                </label>
                <button
                    class="quiet icon"
                    aria-label=format!("Move {label} left")
                    disabled=move || !is_shown()
                    on:click=move |_| listing.move_column(column, true)
                >
                    "←"
                </button>
                <button
                    class="quiet icon"
                    aria-label=format!("Move {label} right")
                    disabled=move || !is_shown()
                    on:click=move |_| listing.move_column(column, false)
                >
                    "→"
                </button>
            </li>
        }
        .into_any()
    };
    let rows = Column::ALL
        .into_iter()
        .filter(|column| *column != Column::Name)
        .map(row)
        .collect_view();
    view! {
        <details class="menu">
            <summary class="button">"Columns"</summary>
            <ul class="columns">{rows}</ul>
        </details>
    }
    .into_any()
}
