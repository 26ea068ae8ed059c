//! The Compare route: settings and results of runs side by side, and their curves.

use leptos::prelude::*;

use super::evaluate::versus::Versus;
use crate::page::parts::charts::Charts;
use crate::page::parts::notices::CopyButton;
use crate::page::parts::view::View;
use crate::page::state::trainer::Trainer;
use kiln_run::compare::Comparison;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;

/// The route, for the runs that the address names.
#[component]
pub fn Compare(trainer: Trainer, view: View, #[prop(into)] ids: Signal<Vec<RunId>>) -> AnyView {
    let library = trainer.library;
    Effect::new(move |_| {
        for id in ids.get() {
            library.fetch(id);
        }
    });
    on_cleanup(move || library.let_go_of_hidden());
    // The curves beside the table are those of the compared runs, whichever are ticked.
    let compared = Signal::derive(move || ids.with(|ids| ids.iter().copied().collect()));
    let records = Memo::new(move |_| {
        let ids = ids.get();
        let records = ids.into_iter().filter_map(|id| library.record(id));
        records.collect::<Vec<Record>>()
    });
    let has_two = Memo::new(move |_| records.with(|records| records.len() > 1));
    (move || {
        if has_two.get() {
            view! {
                <div class="compare">
                    <h1 tabindex="-1">"Compare"</h1>
                    <Table records />
                    <div class="main"><Charts trainer runs=compared view /></div>
                    <Versus trainer ids />
                </div>
            }
            .into_any()
        } else {
            view! { <TooFew trainer ids /> }.into_any()
        }
    })
    .into_any()
}

#[component]
fn TooFew(trainer: Trainer, ids: Signal<Vec<RunId>>) -> AnyView {
    let text = move || {
        let asked = ids.with(Vec::len);
        if asked < 2 {
            "Two or more runs will stand side by side here. Tick them in the list of runs."
        } else if trainer.library.is_read.get() {
            "Some of these runs are no longer kept. Tick others in the list of runs."
        } else {
            "Reading the kept runs."
        }
    };
    view! {
        <div class="compare">
            <h1 tabindex="-1">"Compare"</h1>
            <section class="nothing">
                <p>{text}</p>
                <a class="button" href="#/runs">"Runs"</a>
            </section>
        </div>
    }
    .into_any()
}

#[component]
fn Table(records: Memo<Vec<Record>>) -> AnyView {
    let only_differences = RwSignal::new(true);
    let is_transposed = RwSignal::new(false);
    let comparison =
        Memo::new(move |_| records.with(|records| Comparison::of(records, only_differences.get())));
    let colours = move || {
        records.with(|records| {
            let colours = records.iter().map(|record| record.identity.css_colour());
            colours.collect::<Vec<_>>()
        })
    };
    let has_other_data = move || {
        records.with(|records| {
            let mut hashes = records.iter().map(|record| &record.data);
            let first = hashes.next();
            hashes.any(|hash| Some(hash) != first)
        })
    };
    let switch = move |label: &'static str, signal: RwSignal<bool>| {
        view! {
            <label>
                <input
                    type="checkbox"
                    prop:checked=signal
                    on:change=move |event| signal.set(event_target_checked(&event))
                />
                {label}
            </label>
        }
    };
    let table = move || {
        let is_transposed = is_transposed.get();
        let (head, rows) = comparison.with(|comparison| comparison.table(is_transposed));
        let colours = colours();
        let dot = |index: usize| {
            let style = format!("--run:{}", colours.get(index).copied().unwrap_or_default());
            view! { <i class="dot" prop:style=style aria-hidden="true"></i> }
        };
        let head = head
            .into_iter()
            .enumerate()
            .map(|(index, text)| {
                let dot = (index > 0 && !is_transposed).then(|| dot(index - 1));
                // What the rows are about stands over them for those who hear the table.
                let corner = (index == 0 && text.is_empty())
                    .then(|| view! { <span class="hidden">"Setting or result"</span> });
                view! { <th scope="col">{corner}{dot}{text}</th> }
            })
            .collect_view();
        let rows = rows
            .into_iter()
            .enumerate()
            .map(|(index, cells)| {
                let mut cells = cells.into_iter();
                let label = cells.next();
                let cells = cells.map(|cell| view! { <td>{cell}</td> }).collect_view();
                let dot = is_transposed.then(|| dot(index));
                view! { <tr><th scope="row">{dot}{label}</th>{cells}</tr> }
            })
            .collect_view();
        view! {
            <table>
                <caption class="hidden">"Settings and results side by side"</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
    };
    let markdown = Signal::derive(move || {
        comparison.with(|comparison| comparison.markdown(is_transposed.get()))
    });
    view! {
        <div class="toolbar" role="group" aria-label="Table">
            {switch("Only differences", only_differences)}
            {switch("Transpose", is_transposed)}
            <CopyButton label="Copy as Markdown" text=markdown />
        </div>
        {move || {
            has_other_data()
                .then(|| view! { <p class="hint">"These runs were trained on different data: their results say little about each other."</p> })
        }}
        <div class="scroll" tabindex="0" role="region" aria-label="Comparison">{table}</div>
    }
    .into_any()
}
