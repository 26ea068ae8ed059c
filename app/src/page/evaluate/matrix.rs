//! A confusion matrix as a table whose cells can be looked into.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, KeyboardEvent};

use kiln_run::classes::Classes;
use kiln_run::evaluation::matrix::Cells;

/// A cell by what its images are and what they were taken for.
pub type Place = (u8, u8);

/// The table. The keyboard reaches one cell, and from it by arrows all others.
#[component]
pub fn Matrix(
    /// What the table is about, for who does not see it.
    caption: &'static str,
    /// What its rows and columns are called.
    names: Signal<Classes>,
    /// What stands in it.
    cells: Signal<Cells>,
    /// The cell that is looked into; nothing where none can be.
    #[prop(optional)]
    picked: Option<RwSignal<Option<Place>>>,
) -> AnyView {
    let reached = RwSignal::new((0_u8, 0_u8));
    let table = NodeRef::<leptos::html::Table>::new();
    let move_on = move |event: KeyboardEvent| {
        let (row, column) = reached.get_untracked();
        let next = match event.key().as_str() {
            "ArrowUp" => (row.saturating_sub(1), column),
            "ArrowDown" => ((row + 1).min(9), column),
            "ArrowLeft" => (row, column.saturating_sub(1)),
            "ArrowRight" => (row, (column + 1).min(9)),
            _ => return,
        };
        event.prevent_default();
        reached.set(next);
        let selector = format!("[data-cell=\"{}{}\"]", next.0, next.1);
        let cell = table
            .get_untracked()
            .and_then(|table| table.query_selector(&selector).ok().flatten());
        if let Some(cell) = cell {
            // A cell that is shown takes the focus.
            drop(cell.unchecked_into::<HtmlElement>().focus());
        }
    };
    let cell = move |row: u8, column: u8| {
        let place = (row, column);
        let of = move |read: fn(&Cells, usize, usize) -> String| {
            cells.with(|cells| read(cells, row.into(), column.into()))
        };
        let style = move || of(|cells, row, column| cells[row][column].tint.style());
        let text = move || of(|cells, row, column| cells[row][column].text.clone());
        let Some(picked) = picked else {
            return view! { <td prop:style=style><span>{text}</span></td> }.into_any();
        };
        let press = move |_| {
            reached.set(place);
            picked.set(Some(place));
        };
        view! {
            <td prop:style=style>
                <button
                    data-cell=format!("{row}{column}")
                    aria-label=move || of(|cells, row, column| cells[row][column].label.clone())
                    aria-pressed=move || (picked.get() == Some(place)).to_string()
                    tabindex=move || if reached.get() == place { "0" } else { "-1" }
                    on:click=press
                >
                    {text}
                </button>
            </td>
        }
        .into_any()
    };
    let name = move |class: u8| move || names.with(|names| names.name(class.into()).to_owned());
    let rows = (0..10_u8)
        .map(|row| {
            let cells = (0..10_u8).map(|column| cell(row, column)).collect_view();
            view! {
                <tr>
                    <th scope="row" title=name(row)>{name(row)}</th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    let heads = (0..10_u8)
        .map(|column| {
            view! { <th scope="col" title=name(column)><span>{name(column)}</span></th> }
        })
        .collect_view();
    view! {
        <table
            class="matrix"
            class:named=move || names.with(|names| !names.are_digits())
            node_ref=table on:keydown=move_on>
            <caption class="hidden">{caption}</caption>
            <thead>
                <tr>
                    <th class="corner"><span class="hidden">"Rows true, columns predicted"</span></th>
                    {heads}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
