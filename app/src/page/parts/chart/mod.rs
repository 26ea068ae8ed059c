//! One chart: lines on a canvas, everything that is text around it in HTML.
//!
//! The canvas holds nothing but the runs' lines, whose colours are the same in both themes; grid,
//! ticks and crosshair are HTML and take theirs from the style sheet.

mod beside;
mod canvas;
mod files;
mod fingers;
mod strands;

use crate::page::parts::chart::beside::MOST_IN_TOOLTIP;
use crate::page::parts::chart::beside::in_words;
use crate::page::parts::chart::beside::table;
use crate::page::parts::chart::beside::tooltip;
use crate::page::parts::chart::canvas::LONG_TICK;
use crate::page::parts::chart::canvas::paint;
use crate::page::parts::chart::canvas::watch_sight;
use crate::page::parts::chart::canvas::watch_size;
use crate::page::parts::chart::files::menu;
use crate::page::parts::chart::strands::readings;
use crate::page::parts::chart::strands::{Cache, Sight};
use crate::page::parts::chart::strands::{are_long, sights, strands};
use fingers::Fingers;
use std::collections::BTreeSet;
use std::sync::Arc;

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use web_sys::{KeyboardEvent, PointerEvent};

use crate::browser::clock;
use crate::page::parts::view::View;
use crate::page::state::trainer::Trainer;
use kiln_run::figure::Frame;
use kiln_run::figure::reading::{Reading, nearest_runs};
use kiln_run::figure::words::summary;
use kiln_run::protocol::RunId;
use kiln_run::series::{Kind, Subject};

/// A line nearer to the pointer than this is the one that is meant.
const NEAR_PX: f64 = 24.0;

/// A pointer that moved less has pressed, not dragged.
const DRAG_PX: f64 = 8.0;

/// A chart of these runs.
#[component]
pub fn Chart(
    trainer: Trainer,
    runs: Signal<BTreeSet<RunId>>,
    subject: Subject,
    view: View,
) -> AnyView {
    let library = trainer.library;
    let title = subject.title();
    let cache = StoredValue::new(Cache::default());
    // What comes of a long line in one task is a part of it; the next part comes in the next.
    let parts = RwSignal::new(0_u32);
    let next_part = StoredValue::new_local(None::<Timeout>);
    let sights = Memo::new_with_compare(
        move |_| {
            parts.track();
            let sights = runs.with(|runs| {
                cache.try_update_value(|cache| sights(trainer, runs, subject, view, cache))
            });
            let sights = sights.unwrap_or_default();
            next_part.set_value(
                sights
                    .is_behind
                    .then(|| Timeout::new(0, move || parts.update(|part| *part += 1))),
            );
            Arc::new(sights)
        },
        |_, _| true,
    );
    let frame = Memo::new(move |_| {
        sights.with(|sights| {
            let (sight, zoom) = (view.sight(), view.zoom.get());
            Frame::around(
                strands(sights),
                subject,
                &sight,
                zoom,
                clock::utc_offset_ms(),
            )
        })
    });
    let highlighted = move || library.highlighted.get().or(view.focused.get());
    let empty = move || {
        let is_empty = sights.with(|sights| {
            !sights.is_behind && strands(sights).all(|strand| strand.curves.is_empty())
        });
        let has_runs = || trainer.library.records.with(|records| !records.is_empty());
        let none_shown = || runs.with(BTreeSet::is_empty);
        let are_read = || sights.with(|sights| !sights.is_empty());
        is_empty.then(|| {
            if has_runs() && none_shown() {
                "No run is ticked. Tick one in the list of runs."
            } else if are_read() && trainer.open_run().is_none() {
                "Not measured in these runs: they were too short."
            } else {
                "No data yet. Press Start."
            }
        })
    };

    let canvas = NodeRef::<leptos::html::Canvas>::new();
    let size = RwSignal::new((0.0, 0.0));
    watch_size(canvas, size);
    let is_in_sight = RwSignal::new(false);
    watch_sight(canvas, is_in_sight);
    let later = StoredValue::new_local(None::<Timeout>);
    Effect::new(move |_| {
        // A chart that is scrolled away is drawn when it comes back, and a long line once it is whole:
        // parts of it would take as long, one by one.
        if !is_in_sight.get() || sights.with(|sights| sights.is_behind) {
            return;
        }
        let draw = move || {
            let (highlighted, baseline) = (highlighted(), library.baseline.get());
            if let Some(canvas) = canvas.get() {
                sights.with(|sights| {
                    frame.with(|frame| {
                        paint(&canvas, size.get(), sights, frame, highlighted, baseline);
                    });
                });
            }
        };
        if !sights.with(|sights| are_long(sights)) {
            later.set_value(None);
            return draw();
        }
        // Every chart takes a while: each is drawn in a task of its own, as things are by then.
        highlighted();
        library.baseline.track();
        size.track();
        canvas.track();
        frame.track();
        if later.with_value(Option::is_none) {
            let draw_later = move || {
                later.set_value(None);
                untrack(|| trainer.painting(draw));
            };
            later.set_value(Some(Timeout::new(0, draw_later)));
        }
    });

    let place_of = move |event: &PointerEvent| {
        let canvas = canvas.get_untracked()?;
        let place = canvas.get_bounding_client_rect();
        let across = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0);
        let up = 1.0 - (f64::from(event.client_y()) - place.top()) / place.height().max(1.0);
        Some((across.clamp(0.0, 1.0), up))
    };
    let dragged = RwSignal::new(None::<(f64, f64)>);
    let pointed_up = RwSignal::new(None::<f64>);
    let fingers = StoredValue::new_local(Fingers::default());
    let point = move |event: PointerEvent| {
        let Some((across, up)) = place_of(&event) else {
            return;
        };
        let zoom = fingers.try_update_value(|fingers| {
            frame.with_untracked(|frame| fingers.moved(event.pointer_id(), across, frame))
        });
        if let Some(zoom) = zoom.flatten() {
            view.zoom.set(zoom);
        }
        if fingers.with_value(Fingers::are_two) {
            return;
        }
        let x = frame.with_untracked(|frame| frame.x_at(across));
        view.hovered.set(Some(x));
        pointed_up.set(Some(up));
        dragged.update(|dragged| {
            if let Some((_, to)) = dragged {
                *to = across;
            }
        });
        let height = size.get_untracked().1;
        let near = sights.with_untracked(|sights| {
            let readings = frame.with_untracked(|frame| readings(sights, frame, x));
            let distance = |reading: &Reading| (reading.place.1 - up).abs() * height;
            let nearest = readings
                .into_iter()
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
            (sights.len() > 1 && distance(&nearest) < NEAR_PX).then_some(nearest.id)
        });
        if library.highlighted.get_untracked() != near {
            library.highlighted.set(near);
        }
    };
    let press = move |event: PointerEvent| {
        if event.pointer_type() == "mouse" && event.button() == 0 {
            dragged.set(place_of(&event).map(|(across, _)| (across, across)));
        } else if event.pointer_type() == "touch"
            && let Some((across, _)) = place_of(&event)
        {
            fingers.update_value(|fingers| {
                frame.with_untracked(|frame| fingers.down(event.pointer_id(), across, frame));
            });
            // A finger that is put down and lifted moves nothing, and reads all the same.
            point(event);
        }
    };
    let lift = move |event: &PointerEvent| {
        fingers.update_value(|fingers| fingers.up(event.pointer_id()));
    };
    let release = move |event: PointerEvent| {
        lift(&event);
        let Some((from, to)) = dragged.get_untracked() else {
            return;
        };
        dragged.set(None);
        let width = size.get_untracked().0;
        if (from - to).abs() * width >= DRAG_PX {
            let (low, high) = (from.min(to), from.max(to));
            let zoom = frame.with_untracked(|frame| (frame.x_at(low), frame.x_at(high)));
            view.zoom.set(Some(zoom));
        } else {
            view.focused.set(library.highlighted.get_untracked());
        }
    };
    let leave = move |event: PointerEvent| {
        lift(&event);
        dragged.set(None);
        // A finger that is lifted leaves the crosshair where it was put, to be read.
        if event.pointer_type() != "touch" {
            view.hovered.set(None);
            library.highlighted.set(None);
            pointed_up.set(None);
        }
    };
    // What the crosshair reads, in words, where the keyboard moved it.
    let spoken = RwSignal::new(String::new());
    let key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowLeft" => -1,
            "ArrowRight" => 1,
            "Home" => i64::MIN,
            "End" => i64::MAX,
            "Escape" => {
                view.zoom.set(None);
                view.hovered.set(None);
                view.focused.set(None);
                return;
            }
            _ => return,
        };
        event.prevent_default();
        sights.with_untracked(|sights| {
            let points = sights
                .last()
                .and_then(|sight| sight.strand.curves.first())
                .map_or(&[][..], |curve| &curve.points);
            let now = view.hovered.get_untracked().unwrap_or(0.0);
            let index = points.partition_point(|point| point.0 < now) as i64;
            let last = points.len().saturating_sub(1) as i64;
            let index = index.saturating_add(step).clamp(0, last);
            if let Some((x, _)) = points.get(index as usize) {
                view.hovered.set(Some(*x));
                frame.with_untracked(|frame| {
                    let read = readings(sights, frame, *x);
                    spoken.set(in_words(
                        read,
                        subject,
                        frame,
                        view.axis.get_untracked(),
                        *x,
                    ));
                });
            }
        });
    };

    let latest = move || {
        sights.with(|sights| {
            let sight = sights.last().filter(|_| !sights.is_behind)?;
            let curve = sight.strand.curves.first()?;
            let last = subject.write_mean(curve.shown().last()?.1, curve.band.last().copied());
            let style = format!("--run:{}", sight.strand.colour);
            Some(view! { <output prop:style=style><i class="dot"></i>{last}</output> })
        })
    };
    let summary = move || {
        let axis = view.axis.get();
        sights.with(|sights| match sights.is_behind {
            true => format!("{title} over {}: being drawn", axis.label()),
            false => frame.with(|frame| summary(strands(sights), frame, subject, axis)),
        })
    };
    let crosshair = move || {
        let x = view.hovered.get()?;
        let across = frame.with(|frame| frame.across(x));
        if !(0.0..=1.0).contains(&across) {
            return None;
        }
        let readings = sights.with(|sights| frame.with(|frame| readings(sights, frame, x)));
        let (readings, more) = nearest_runs(readings, pointed_up.get(), MOST_IN_TOOLTIP);
        (!readings.is_empty())
            .then(|| tooltip(readings, more, subject, frame.get(), view.axis.get(), x))
    };
    let glow = move || {
        let place = sights.with(|sights| {
            let sight = sights.iter().find(|sight| sight.is_live)?;
            let last = sight.strand.curves.first()?.shown().last().copied()?;
            frame.with(|frame| Some((frame.across(last.0), frame.up(last.1)?)))
        });
        place
            .filter(|(across, up)| [across, up].iter().all(|at| (0.0..=1.0).contains(*at)))
            .map(|(across, up)| {
                let place = format!("left:{}%;bottom:{}%", 100.0 * across, 100.0 * up);
                view! { <i class="glow" prop:style=place></i> }
            })
    };
    let changes = move || {
        let marks = sights.with(|sights| {
            frame.with(|frame| {
                sights
                    .iter()
                    .flat_map(|sight| {
                        let colour = sight.strand.colour;
                        let mark = move |(x, what): &(f64, String)| {
                            (frame.across(*x), colour, what.clone())
                        };
                        sight.strand.changes.iter().map(mark)
                    })
                    .filter(|(across, ..)| (0.0..=1.0).contains(across))
                    .collect::<Vec<_>>()
            })
        });
        marks
            .into_iter()
            .map(|(across, colour, what)| {
                let style = format!("left:{}%;color:{colour}", 100.0 * across);
                view! { <i class="change" prop:style=style title=what>"◆"</i> }
            })
            .collect_view()
    };
    let broken = move || {
        let places = sights.with(|sights| {
            frame.with(|frame| {
                let curves = sights.iter().flat_map(|sight| &sight.strand.curves);
                curves
                    .filter(|curve| curve.kind != Kind::EpochMean)
                    .flat_map(|curve| frame.broken(&curve.points))
                    .collect::<Vec<_>>()
            })
        });
        places
            .into_iter()
            .map(|across| {
                let style = format!("left:{}%", 100.0 * across);
                view! { <i class="broken" prop:style=style title="Not a number">"✕"</i> }
            })
            .collect_view()
    };
    let legend = move || {
        let kinds = sights.with(|sights| {
            let mut kinds: Vec<Kind> = Vec::new();
            for curve in sights.iter().flat_map(|sight| &sight.strand.curves) {
                if !kinds.contains(&curve.kind) {
                    kinds.push(curve.kind);
                }
            }
            kinds
        });
        let smoothing = view.smoothing.get();
        let kinds = kinds
            .into_iter()
            .filter_map(|kind| {
                let (class, name) = match kind {
                    Kind::Training if smoothing > 0.0 => {
                        ("key", format!("Training, smoothed {smoothing}"))
                    }
                    Kind::Training => ("key", kind.label().to_owned()),
                    Kind::EpochMean => ("key mean", kind.label().to_owned()),
                    Kind::Validation => ("key dotted", kind.label().to_owned()),
                    Kind::Plain => return None,
                };
                Some(view! { <span class=class>{name}</span> })
            })
            .collect_view();
        let groups = sights.with(|sights| {
            let groups = sights.iter().filter(|sight| sight.is_group());
            let name = |sight: &Sight| {
                let style = format!("--run:{}", sight.strand.colour);
                view! { <span prop:style=style><i class="dot"></i>{sight.strand.name.clone()}</span> }
            };
            groups.map(name).collect_view()
        });
        (kinds, groups)
    };
    let grid = move || {
        let marks = frame.with(|frame| {
            let tick = |y: &f64| Some((frame.up(*y)?, frame.write_y(*y)));
            frame.y_ticks.iter().filter_map(tick).collect::<Vec<_>>()
        });
        marks
            .into_iter()
            .filter(|(up, _)| (-0.001..=1.001).contains(up))
            .map(|(up, text)| {
                let style = format!("bottom:{}%", 100.0 * up);
                view! { <i class="grid" prop:style=style><span>{text}</span></i> }
            })
            .collect_view()
    };
    let ticks = move || {
        let axis = view.axis.get();
        let marks = frame.with(|frame| {
            let tick = |x: &f64| (frame.across(*x), frame.write_x(axis, *x));
            frame.x_ticks.iter().map(tick).collect::<Vec<_>>()
        });
        marks
            .into_iter()
            .filter(|(across, _)| (-0.001..=1.001).contains(across))
            .map(|(across, text)| {
                let style = format!("left:{}%", 100.0 * across);
                // At the ends a label stays inside of the chart.
                let (is_first, is_last) = (across < 0.04, across > 0.96);
                let is_long = text.chars().count() > LONG_TICK;
                view! {
                    <span prop:style=style class:first=is_first class:last=is_last class:long=is_long>
                        {text}
                    </span>
                }
            })
            .collect_view()
    };
    let band = move || {
        dragged.get().map(|(from, to)| {
            let style = format!(
                "left:{}%;width:{}%",
                100.0 * from.min(to),
                100.0 * (from - to).abs()
            );
            view! { <i class="band" prop:style=style></i> }
        })
    };
    let has_table = RwSignal::new(false);
    let section = NodeRef::<leptos::html::Section>::new();
    let menu = menu(trainer, subject, view, sights, frame, has_table, section);
    view! {
        <section class="chart" aria-label=title node_ref=section>
            <header>
                <h2>{title}</h2>
                {latest}
                <div class="legend">{legend}</div>
                {menu}
            </header>
            <div class="plot">
                <div class="x-axis" aria-hidden="true">{ticks}</div>
                <div
                    class="canvas"
                    role="img"
                    tabindex="0"
                    aria-label=summary
                    on:pointermove=point
                    on:pointerdown=press
                    on:pointerup=release
                    on:pointerleave=leave
                    on:pointercancel=move |event| lift(&event)
                    on:keydown=key
                >
                    <div class="grids" aria-hidden="true">{grid}</div>
                    <canvas node_ref=canvas aria-hidden="true"></canvas>
                    {changes}
                    {broken}
                    {glow}
                    {band}
                    {crosshair}
                    <p class="empty">{empty}</p>
                </div>
                <p class="hidden" role="status">{spoken}</p>
            </div>
            {move || has_table.get().then(|| sights.with(|sights| table(sights, subject, view.axis.get())))}
        </section>
    }
    .into_any()
}
