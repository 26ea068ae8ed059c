//! The list of runs beside the charts, and the Runs route with everything about them.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use super::listing::{Listing, Sight};
use crate::browser::clock;
use crate::browser::tab;
use crate::page::state::trainer::Trainer;
use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::Status;
use kiln_run::run::identity::{COLOURS, NOTES_LETTERS};
use kiln_run::run::names::NAME_LETTERS;
use kiln_run::table::{Column, Value};

/// Width of the last column of the table, which holds a button, in pixels.
const DELETE_PX: u32 = 56;
/// Storage that is fuller than this is nearly full.
const NEARLY_FULL: f64 = 0.8;

/// Where the runs that are looked at are compared.
pub fn compare_address(trainer: Trainer) -> String {
    let ids = trainer.library.shown.get();
    let ids: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
    format!("#/compare?runs={}", ids.join(","))
}

/// A line of text about each run, beside the charts.
#[component]
pub fn RunList(trainer: Trainer, listing: Listing) -> AnyView {
    let library = trainer.library;
    let rows = listing.rows(library);
    let sight = Sight::new(rows);
    let drawn = sight.drawn();
    let row = move |id: RunId| view! { <ListRow trainer id /> };
    view! {
        <section class="run-list" aria-label="Runs">
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
fn Nothing(trainer: Trainer, rows: Memo<Vec<RunId>>) -> AnyView {
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
fn Filter(listing: Listing) -> AnyView {
    view! {
        <input
            type="search"
            class="filter"
            aria-label="Filter"
            placeholder="Filter: words, or batch_size=128"
            prop:value=listing.filter
            on:input=move |event| listing.filter.set(event_target_value(&event))
        />
    }
    .into_any()
}

#[component]
fn CompareButton(trainer: Trainer) -> AnyView {
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

/// A run as it is now; nothing once it is deleted.
fn record_of(trainer: Trainer, id: RunId) -> Memo<Option<Record>> {
    Memo::new(move |_| trainer.library.record(id))
}

#[component]
fn ListRow(trainer: Trainer, id: RunId) -> AnyView {
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

fn name_of(record: Memo<Option<Record>>) -> String {
    record.with(|record| {
        let name = record.as_ref().map(|record| record.identity.name.clone());
        name.unwrap_or_default()
    })
}

#[component]
fn Eye(trainer: Trainer, id: RunId, record: Memo<Option<Record>>) -> AnyView {
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
fn Dot(record: Memo<Option<Record>>) -> AnyView {
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
    view! { <i class="dot" class:live=is_live style=style aria-hidden="true"></i> }.into_any()
}

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

#[component]
fn Table(trainer: Trainer, listing: Listing, selected: RwSignal<Option<RunId>>) -> AnyView {
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
            .map(|px| view! { <col style=width(px) /> })
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
            <table aria-rowcount=move || count() + 1 style=least>
                <caption class="hidden">"Runs"</caption>
                <colgroup>
                    <col style="width:var(--eye)" />
                    {widths}
                    <col style=width(DELETE_PX) />
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
fn Head(listing: Listing, column: Column) -> AnyView {
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
fn TableRow(
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
fn Colour(trainer: Trainer, id: RunId, record: Memo<Option<Record>>) -> AnyView {
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
fn NameCell(
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

fn cell(column: Column, record: &Record, baseline: Option<&Record>) -> AnyView {
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

fn sparkline(record: &Record) -> AnyView {
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
            <svg class="sparkline" style=style viewBox="0 0 80 24" width="80" height="24" role="img" aria-label=label>
                <polyline points=points></polyline>
            </svg>
        </td>
    }
    .into_any()
}

/// Everything about one run.
#[component]
fn Details(trainer: Trainer, id: RunId) -> AnyView {
    let library = trainer.library;
    let record = record_of(trainer, id);
    let field = move |of: fn(&Record) -> String| {
        Memo::new(move |_| record.with(|record| record.as_ref().map(of).unwrap_or_default()))
    };
    let name = field(|record| record.identity.name.clone());
    let tags = field(|record| record.identity.tags.join(", "));
    let notes = field(|record| record.identity.notes.clone());
    let set_tags = move |event| {
        let text = event_target_value(&event);
        let tags: Vec<String> = text
            .split(',')
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect();
        trainer.relabel(id, |identity| identity.tags = tags.clone());
    };
    let set_notes = move |event| {
        let text: String = event_target_value(&event);
        trainer.relabel(id, |identity| identity.notes = text.clone());
    };
    let fingerprint = move || {
        let record = record.get()?;
        let fingerprint = record.summary.fingerprint.clone()?;
        let others = library.reproduces(&record);
        let reproduced = (!others.is_empty()).then(|| {
            let others = others.join(", ");
            view! { <strong class="good" title=format!("The same losses as {others}")>"Reproduced"</strong> }
        });
        Some(view! { <p>"Fingerprint " <code>{fingerprint}</code> " " {reproduced}</p> })
    };
    let is_baseline = move || library.baseline.get() == Some(id);
    let pin = move |_| {
        let now = library.baseline.get_untracked();
        library.baseline.set((now != Some(id)).then_some(id));
    };
    let is_held = Memo::new(move |_| trainer.phase().is_open() && trainer.shown_id() != Some(id));
    let open_title = move || {
        is_held
            .get()
            .then_some("Another run is open. Stop it first.")
    };
    let set_name = move |event: web_sys::Event| {
        trainer.rename(id, &event_target_value(&event));
        // A name that was not taken does not stay in the field.
        let field: web_sys::HtmlInputElement = event_target(&event);
        field.set_value(&name.get_untracked());
    };
    let status = move || {
        record.with(|record| {
            let record = record.as_ref()?;
            let adapter = record.identity.adapter.clone();
            let on = adapter.unwrap_or_else(|| record.identity.backend.label().to_owned());
            let hint = (record.status == Status::Interrupted).then_some(" · open it to resume");
            Some(view! { <p class="muted">{record.status.label()} " · " {on}{hint}</p> })
        })
    };
    view! {
        <aside class="details" aria-label="Run">
            <h2>{name}</h2>
            {status}
            {fingerprint}
            <div class="buttons">
                <button
                    disabled=is_held
                    title=open_title
                    on:click=move |_| {
                        trainer.look_at(id);
                        drop(window().location().set_hash("#/train"));
                    }
                >
                    "Open"
                </button>
                <button aria-pressed=move || is_baseline().to_string() on:click=pin>
                    {move || if is_baseline() { "Unpin baseline" } else { "Pin as baseline" }}
                </button>
            </div>
            <label>
                "Name"
                <input
                    type="text"
                    maxlength=NAME_LETTERS
                    prop:value=name
                    on:change=set_name
                />
            </label>
            <label>
                "Tags"
                <input type="text" placeholder="With commas between" prop:value=tags on:change=set_tags />
            </label>
            <label>
                "Notes"
                <textarea rows="5" maxlength=NOTES_LETTERS prop:value=notes on:change=set_notes></textarea>
            </label>
        </aside>
    }
    .into_any()
}

#[component]
fn StorageMeter(trainer: Trainer) -> AnyView {
    let library = trainer.library;
    let persist = move |_| {
        wasm_bindgen_futures::spawn_local(async move {
            if !tab::persist().await {
                trainer.notify(crate::page::state::notice::Notice::info(
                    "The browser makes no promise to keep the runs. It may delete them when the \
                     disk is full; download what matters.",
                ));
            }
            library.measure();
        });
    };
    (move || {
        library.meter.get().map(|meter| {
            let share = meter.used_bytes / meter.quota_bytes.max(1.0);
            let nearly_full = share > NEARLY_FULL;
            let text = format!(
                "Runs use {} of about {}",
                format::bytes(meter.used_bytes as u64),
                format::bytes(meter.quota_bytes as u64)
            );
            let promise = if meter.is_persistent {
                view! { <span class="good">"Kept until you delete them"</span> }.into_any()
            } else {
                view! { <button on:click=persist>"Keep my runs"</button> }.into_any()
            };
            view! {
                <div class="meter" class:warn=nearly_full>
                    <meter aria-label="Storage used" min="0" max="1" high=NEARLY_FULL value=share></meter>
                    <span>{text}</span>
                    {promise}
                </div>
            }
        })
    })
    .into_any()
}
