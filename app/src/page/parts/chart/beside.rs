//! What a chart says beside its curves: a tooltip, a table.

use crate::page::parts::chart::strands::Sight;
use std::sync::Arc;

use leptos::prelude::*;

use crate::browser::clock;
use kiln_run::figure::Frame;
use kiln_run::figure::reading::{Reading, write_place};
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
        let value = reading.write(subject);
        format!("{} {} {value}", reading.name, reading.label)
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
            let (value, is_mean) = (reading.write(subject), reading.band.is_some());
            let smoothed = reading.smoothed.map(|value| subject.write(value));
            view! {
                <tr prop:style=style>
                    <th scope="row"><i></i>{reading.name}</th>
                    <td>{reading.label}</td>
                    <td class="number" class:spread=is_mean>{value}</td>
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
                let (name, kind) = (strand.name.clone(), curve.label());
                let points = curve.points.iter().enumerate().step_by(every);
                points
                    .map(move |(index, (x, value))| {
                        let band = curve.band.get(index).copied();
                        (name.clone(), kind, *x, subject.write_mean(*value, band))
                    })
                    .collect::<Vec<_>>()
            });
            rows.collect::<Vec<_>>()
        })
        .map(|(name, kind, x, value)| {
            view! {
                <tr>
                    <th scope="row">{name}</th>
                    <td>{kind}</td>
                    <td class="number">{write_place(axis, x, utc_offset_ms)}</td>
                    <td class="number">{value}</td>
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
