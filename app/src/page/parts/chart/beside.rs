//! What a chart says beside its curves: a tooltip, a table, files.

use crate::page::parts::chart::strands::{Sight, Sights};
use std::sync::Arc;

use leptos::prelude::*;

use crate::browser::clock;
use crate::browser::download;
use crate::page::parts::view::View;
use crate::page::state::trainer::Trainer;
use kiln_run::export::write_chart;
use kiln_run::figure::reading::{Reading, write_place};
use kiln_run::figure::svg::{SIZE, svg};
use kiln_run::figure::{Frame, Strand};
use kiln_run::protocol::RunId;
use kiln_run::series::{Axis, Subject};

/// Runs in a tooltip.
pub(super) const MOST_IN_TOOLTIP: usize = 4;

/// Rows of the table of a chart, of each curve.
pub(super) const TABLE_ROWS: usize = 100;

/// What stands at an x, as a screen reader says it: the place first, then each run's curves.
pub(super) fn in_words(
    readings: Vec<Reading>,
    subject: Subject,
    frame: &Frame,
    axis: Axis,
    x: f64,
) -> String {
    let place = write_place(axis, x, frame.utc_offset_ms);
    let figures = readings.into_iter().map(|reading| {
        let (name, kind) = (reading.name, reading.kind.label());
        format!("{name} {kind} {}", subject.write(reading.raw))
    });
    let figures: Vec<String> = figures.collect();
    format!("{} {place}: {}", axis.label(), figures.join(", "))
}

pub(super) fn tooltip(
    readings: Vec<Reading>,
    more: usize,
    subject: Subject,
    frame: Frame,
    axis: Axis,
    x: f64,
) -> AnyView {
    let across = frame.across(x);
    let side = if across > 0.5 {
        "tooltip left"
    } else {
        "tooltip"
    };
    let place = format!("--across:{}%", 100.0 * across);
    let at = write_place(axis, x, frame.utc_offset_ms);
    let rows = readings
        .into_iter()
        .map(|reading| {
            let style = format!("--run:{}", reading.colour);
            let smoothed = reading.smoothed.map(|value| subject.write(value));
            view! {
                <tr prop:style=style>
                    <th scope="row"><i></i>{reading.name}</th>
                    <td>{reading.kind.label()}</td>
                    <td class="number">{subject.write(reading.raw)}</td>
                    <td class="number muted">{smoothed}</td>
                </tr>
            }
        })
        .collect_view();
    let more = (more > 0).then(|| format!("and {more} more runs"));
    view! {
        <div class="reading" prop:style=place>
            <i class="crosshair"></i>
            <div class=side>
                <p>{axis.label()}" "<strong>{at}</strong></p>
                <table><tbody>{rows}</tbody></table>
                {more}
            </div>
        </div>
    }
    .into_any()
}

/// What was measured, as a table: of long curves evenly spread rows.
pub(super) fn table(sights: &[Sight], subject: Subject, axis: Axis) -> AnyView {
    let utc_offset_ms = clock::utc_offset_ms();
    let rows = sights
        .iter()
        .flat_map(|sight| {
            let strand = Arc::clone(&sight.strand);
            let rows = strand.curves.iter().flat_map(|curve| {
                let every = curve.points.len().div_ceil(TABLE_ROWS).max(1);
                let (name, kind) = (strand.name.clone(), curve.kind.label());
                let points = curve.points.iter().step_by(every).copied();
                points
                    .map(move |point| (name.clone(), kind, point))
                    .collect::<Vec<_>>()
            });
            rows.collect::<Vec<_>>()
        })
        .map(|(name, kind, (x, value))| {
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td>{kind}</td>
                    <td class="number">{write_place(axis, x, utc_offset_ms)}</td>
                    <td class="number">{subject.write(value)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="chart-table" tabindex="0" role="region" aria-label=format!("{} as a table", subject.title())>
            <table>
                <caption class="hidden">{subject.title()}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Run"</th>
                        <th scope="col">"Curve"</th>
                        <th scope="col" class="number">{axis.label()}</th>
                        <th scope="col" class="number">{subject.title()}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

pub(super) fn menu(
    trainer: Trainer,
    subject: Subject,
    view: View,
    sights: Memo<Arc<Sights>>,
    frame: Memo<Frame>,
    has_table: RwSignal<bool>,
    section: NodeRef<leptos::html::Section>,
) -> AnyView {
    let name = subject.title().to_lowercase().replace([' ', '/'], "-");
    let name = StoredValue::new(name);
    let drawing = move || {
        sights.with_untracked(|sights| {
            let strands: Vec<Strand> = sights.iter().map(|sight| (*sight.strand).clone()).collect();
            frame.with_untracked(|frame| svg(&strands, frame, subject, view.axis.get_untracked()))
        })
    };
    let as_svg = move |_| {
        let file = format!("{}.svg", name.get_value());
        download::save(&file, "image/svg+xml", drawing().as_bytes());
    };
    let as_png = move |_| {
        let file = format!("{}.png", name.get_value());
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(reason) = download::save_as_png(&file, &drawing(), SIZE).await {
                trainer.notify(crate::page::state::notice::Notice::info(format!(
                    "The picture could not be made: {reason}. The SVG shows the same."
                )));
            }
        });
    };
    let as_csv = move |_| {
        let file = format!("{}.csv", name.get_value());
        let ids: Vec<RunId> =
            sights.with_untracked(|sights| sights.iter().map(|sight| sight.id).collect());
        let written = trainer.with_histories(&ids, |runs| write_chart(runs, subject));
        match written {
            Ok(bytes) => download::save(&file, "text/csv", &bytes),
            Err(error) => trainer.notify(crate::page::state::notice::Notice::info(format!(
                "{file} could not be written: {error}."
            ))),
        }
    };
    let fill_screen = move |_| {
        if let Some(section) = section.get_untracked() {
            // A browser that refuses leaves the chart as it is.
            drop(section.request_fullscreen());
        }
    };
    let title = subject.title();
    view! {
        <details class="menu">
            <summary aria-label=format!("{title}: more") title="More">"⋯"</summary>
            <div>
                <button class="quiet" on:click=as_png>"PNG"</button>
                <button class="quiet" on:click=as_svg>"SVG"</button>
                <button class="quiet" on:click=as_csv>"CSV"</button>
                <button
                    class="quiet"
                    aria-pressed=move || has_table.get().to_string()
                    on:click=move |_| has_table.update(|has| *has = !*has)
                >
                    "Table"
                </button>
                <button class="quiet" on:click=fill_screen>"Full screen"</button>
            </div>
        </details>
    }
    .into_any()
}
