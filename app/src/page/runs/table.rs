//! The runs as a table.

use crate::page::parts::run_cells::Dot;
use crate::page::parts::run_cells::Eye;
use crate::page::parts::run_cells::name_of;
use crate::page::parts::run_cells::record_of;
use crate::page::parts::run_list::Nothing;
use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::browser::clock;
use crate::page::parts::listing::{Listing, Sight};
use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::identity::COLOURS;
use kiln_run::run::names::NAME_LETTERS;
use kiln_run::table::{Column, Value};

/// Width of the last column of the table, which holds a button, in pixels.
pub(super) const DELETE_PX: u32 = 56;

#[component]
pub(super) fn Table(
    trainer: Trainer,
    listing: Listing,
    selected: RwSignal<Option<RunId>>,
) -> AnyView {
    let rows = listing.rows(trainer.library);
    let sight = Sight::new(rows);
    let drawn = sight.drawn();
    let columns = Memo::new(move |_| listing.layout.with(|layout| layout.columns.clone()));
    let heads = move || {
        columns
            .get()
            .into_iter()
            .map(|column| view! { <Head listing column /> })
            .collect_view()
    };
    let width = |px: u32| format!("width:{px}px");
    let widths = move || {
        let widths = columns.get().into_iter().map(Column::width_px);
        widths
            .map(|px| view! { <col prop:style=width(px) /> })
            .collect_view()
    };
    let least = move || {
        let columns = columns.get().into_iter().map(Column::width_px);
        let sum: u32 = columns.sum();
        format!("min-width:calc(var(--eye) + {}px)", sum + DELETE_PX)
    };
    let row = move |id: RunId| view! { <TableRow trainer id rows columns selected /> };
    let count = move || rows.with(Vec::len);
    view! {
        <div class="scroll table-scroll" tabindex="0" role="region" aria-label="Table of runs" on:scroll=move |event| sight.scroll(&event)>
            <table aria-rowcount=move || count() + 1 prop:style=least>
                <caption class="hidden">"Runs"</caption>
                <colgroup>
                    <col prop:style="width:var(--eye)" />
                    {widths}
                    <col prop:style=width(DELETE_PX) />
                </colgroup>
                <thead>
                    <tr aria-rowindex="1">
                        <th scope="col"><span class="hidden">"Shown"</span></th>
                        {heads}
                        <th scope="col"><span class="hidden">"Delete"</span></th>
                    </tr>
                </thead>
                <tbody>
                    <tr class="room" aria-hidden="true" style:height=move || format!("{}px", sight.above_px())></tr>
                    <For each=move || drawn.get() key=|id| *id children=row />
                    <tr class="room" aria-hidden="true" style:height=move || format!("{}px", sight.below_px())></tr>
                </tbody>
            </table>
            <Nothing trainer rows />
        </div>
    }
    .into_any()
}

#[component]
pub(super) fn Head(listing: Listing, column: Column) -> AnyView {
    let order = move || listing.layout.with(|layout| layout.order);
    let sorted = move || match order() {
        order if order.column != column => "none",
        order if order.is_descending => "descending",
        _ => "ascending",
    };
    let arrow = move || match sorted() {
        "descending" => " ↓",
        "ascending" => " ↑",
        _ => "",
    };
    let press = move |_| {
        listing
            .layout
            .update(|layout| layout.order = layout.order.pressed(column));
    };
    view! {
        <th scope="col" aria-sort=sorted class:number=column.is_number()>
            <button class="quiet" aria-label=column.label() on:click=press>{column.label()}{arrow}</button>
        </th>
    }
    .into_any()
}

#[component]
pub(super) fn TableRow(
    trainer: Trainer,
    id: RunId,
    rows: Memo<Vec<RunId>>,
    columns: Memo<Vec<Column>>,
    selected: RwSignal<Option<RunId>>,
) -> AnyView {
    let record = record_of(trainer, id);
    let library = trainer.library;
    let is_renaming = RwSignal::new(false);
    let is_open = Memo::new(move |_| trainer.is_busy_with(id));
    let key = move |event: KeyboardEvent| {
        if event.key() == "F2" {
            event.prevent_default();
            is_renaming.set(true);
        }
    };
    // The cells beside the name are made anew with each figure; the name, in which a person may be
    // typing, is not.
    let cells = move |is_before_name: bool| {
        let baseline = library.baseline.get().and_then(|id| library.record(id));
        record.with(|record| {
            let record = record.as_ref()?;
            let columns = columns.get();
            let mut sides = columns.split(|column| *column == Column::Name);
            let before = sides.next();
            let side = if is_before_name { before } else { sides.next() };
            let cells = side.unwrap_or_default().iter();
            Some(
                cells
                    .map(|column| cell(*column, record, baseline.as_ref()))
                    .collect_view(),
            )
        })
    };
    let why = move || is_open.get().then_some("Stop it first.");
    // The heads are the first row.
    let row_number = move || {
        let index = rows.with(|rows| rows.iter().position(|other| *other == id));
        index.unwrap_or_default() + 2
    };
    view! {
        <tr
            aria-rowindex=row_number
            aria-current=move || (selected.get() == Some(id)).to_string()
            class:highlighted=move || library.highlighted.get() == Some(id)
            on:keydown=key
            on:pointerenter=move |_| library.highlighted.set(Some(id))
            on:pointerleave=move |_| library.highlighted.set(None)
        >
            <td class="eye"><Eye trainer id record /><Colour trainer id record /></td>
            {move || cells(true)}
            <NameCell trainer id record is_renaming selected />
            {move || cells(false)}
            <td>
                <button
                    class="quiet icon"
                    aria-label=move || format!("Delete {}", name_of(record))
                    title=move || why().unwrap_or("Delete")
                    disabled=is_open
                    on:click=move |_| trainer.delete(id)
                >
                    "✕"
                </button>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
pub(super) fn Colour(trainer: Trainer, id: RunId, record: Memo<Option<Record>>) -> AnyView {
    let next = move |_| {
        trainer.relabel(id, |identity| {
            identity.colour = (identity.colour + 1) % COLOURS.len();
        });
    };
    view! {
        <button
            class="quiet icon"
            aria-label=move || format!("Another colour for {}", name_of(record))
            title="Another colour"
            on:click=next
        >
            <Dot record />
        </button>
    }
    .into_any()
}

#[component]
pub(super) fn NameCell(
    trainer: Trainer,
    id: RunId,
    record: Memo<Option<Record>>,
    is_renaming: RwSignal<bool>,
    selected: RwSignal<Option<RunId>>,
) -> AnyView {
    let finish = move |text: String| {
        if is_renaming.get_untracked() {
            is_renaming.set(false);
            trainer.rename(id, &text);
        }
    };
    let key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => finish(event_target_value(&event)),
        "Escape" => is_renaming.set(false),
        _ => {}
    };
    let field = NodeRef::<leptos::html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            // A field that is shown takes the focus.
            drop(field.focus());
            field.select();
        }
    });
    let inside = move || {
        if is_renaming.get() {
            view! {
                <input
                    node_ref=field
                    type="text"
                    aria-label=move || format!("New name of {}", name_of(record))
                    maxlength=NAME_LETTERS
                    value=untrack(|| name_of(record))
                    on:keydown=key
                    on:blur=move |event| finish(event_target_value(&event))
                />
            }
            .into_any()
        } else {
            view! {
                <button
                    class="quiet name"
                    title="F2 renames"
                    on:click=move |_| selected.set(Some(id))
                    on:dblclick=move |_| is_renaming.set(true)
                >
                    {move || name_of(record)}
                </button>
            }
            .into_any()
        }
    };
    view! { <th scope="row">{inside}</th> }.into_any()
}

pub(super) fn cell(column: Column, record: &Record, baseline: Option<&Record>) -> AnyView {
    let value = column.value(record);
    let difference = baseline.and_then(|baseline| column.difference(record, baseline));
    let text = match (&value, column) {
        (Value::Text(started), Column::Created) => clock::date_and_time(started),
        (_, Column::Sparkline) => return sparkline(record),
        _ => column.write(&value),
    };
    let class = match column {
        Column::Tags => "tags",
        _ if column.is_number() => "number",
        _ => "",
    };
    view! {
        <td class=class>
            {text}
            {difference.map(|difference| view! { <small class="muted">"Δ "{difference}</small> })}
        </td>
    }
    .into_any()
}

pub(super) fn sparkline(record: &Record) -> AnyView {
    let losses = &record.summary.sparkline;
    let most = losses.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let last = losses.len().saturating_sub(1).max(1) as f32;
    let points: String = losses
        .iter()
        .enumerate()
        .map(|(index, loss)| {
            format!(
                "{:.1},{:.1} ",
                80.0 * index as f32 / last,
                22.0 - 20.0 * loss / most
            )
        })
        .collect();
    let style = format!("--run:{}", record.identity.css_colour());
    let label = match (losses.first(), losses.last()) {
        (Some(first), Some(last)) => format!("Training loss from {first:.2} to {last:.2}"),
        _ => "No training loss yet".to_owned(),
    };
    view! {
        <td>
            <svg class="sparkline" prop:style=style viewBox="0 0 80 24" width="80" height="24" role="img" aria-label=label>
                <polyline points=points></polyline>
            </svg>
        </td>
    }
    .into_any()
}
