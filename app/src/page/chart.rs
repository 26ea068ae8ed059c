//! One chart: lines on a canvas, everything that is text around it in HTML.
//!
//! The canvas holds nothing but the runs' lines, whose colours are the same in both themes; grid,
//! ticks and crosshair are HTML and take theirs from the style sheet.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use js_sys::{Array, Function};
use kiln_model::event::Trained;
use kiln_model::history::History;
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{
    CanvasRenderingContext2d, HtmlCanvasElement, IntersectionObserver, IntersectionObserverEntry,
    KeyboardEvent, PointerEvent, ResizeObserver,
};

use super::charts::View;
use crate::browser::clock;
use crate::browser::download;
use crate::page::state::trainer::Trainer;
use kiln_run::export::tables;
use kiln_run::figure::{Frame, Reading, SIZE, Strand, nearest_runs, svg, write_place};
use kiln_run::protocol::RunId;
use kiln_run::run::Identity;
use kiln_run::series::{Axis, Curve, Kind, Point, Subject};

/// With more runs than this, lines are as thin as the screen draws, and measurements behind
/// smoothed lines are drawn for the highlighted run alone: nobody could tell them apart.
const MOST_AT_EASE: usize = 6;
/// Points of a line that are stroked at once. What a wide stroke costs grows faster than its
/// length, because a browser joins all of its parts into one outline first.
const STROKED_AT_ONCE: usize = 24;
/// Runs in a tooltip.
const MOST_IN_TOOLTIP: usize = 4;
/// A line nearer to the pointer than this is the one that is meant.
const NEAR_PX: f64 = 24.0;
/// A pointer that moved less has pressed, not dragged.
const DRAG_PX: f64 = 8.0;
/// Letters of a tick beyond which a small chart has room for every second one.
const LONG_TICK: usize = 6;
/// Rows of the table of a chart, of each curve.
const TABLE_ROWS: usize = 100;

/// One run in the chart.
#[derive(Clone)]
struct Sight {
    id: RunId,
    is_live: bool,
    strand: Arc<Strand>,
}

/// What a strand was made from: another history, axis, smoothing, name or colour makes another.
#[derive(PartialEq)]
struct Source {
    history: (usize, usize),
    view: (Axis, u64),
    label: (String, &'static str),
}

type Cache = HashMap<RunId, (Source, Arc<Strand>)>;

/// These runs, each made into lines once.
fn sights(
    trainer: Trainer,
    shown: &BTreeSet<RunId>,
    subject: Subject,
    view: View,
    cache: &mut Cache,
) -> Vec<Sight> {
    let (axis, smoothing) = (view.axis.get(), view.smoothing.get());
    let mut strand = |identity: &Identity, history: &History, at: usize| {
        let source = Source {
            history: (at, history.len()),
            view: (axis, smoothing.to_bits()),
            label: (identity.name.clone(), identity.css_colour()),
        };
        match cache.get(&identity.id) {
            Some((before, strand)) if *before == source => Arc::clone(strand),
            _ => {
                let strand = Arc::new(strand_of(identity, history, subject, axis, smoothing));
                cache.insert(identity.id, (source, Arc::clone(&strand)));
                strand
            }
        }
    };
    let latest = trainer.run.with(|run| {
        let run = run
            .as_ref()
            .filter(|run| shown.contains(&run.identity.id))?;
        Some(Sight {
            id: run.identity.id,
            is_live: run.status().is_open(),
            strand: strand(&run.identity, run.history(), 0),
        })
    });
    let latest_id = latest.as_ref().map(|latest| latest.id);
    let mut sights: Vec<Sight> = trainer.library.records.with(|records| {
        trainer.library.histories.with(|histories| {
            records
                .iter()
                .map(|record| &record.identity)
                .filter(|identity| shown.contains(&identity.id) && Some(identity.id) != latest_id)
                .filter_map(|identity| {
                    let history = histories.get(&identity.id)?;
                    let at = Arc::as_ptr(history) as usize;
                    Some(Sight {
                        id: identity.id,
                        is_live: false,
                        strand: strand(identity, history, at),
                    })
                })
                .collect()
        })
    });
    sights.extend(latest);
    sights
}

/// Ends a run's training curve in the step whose figure is no number, if it is this chart's.
fn break_off(strand: &mut Strand, subject: Subject, x: f64, diverged: &Trained) {
    let figure = match subject {
        Subject::Loss => diverged.quality.loss,
        Subject::GradientNorm => diverged.gradient_norm,
        Subject::Accuracy | Subject::Throughput | Subject::LearningRate => return,
    };
    let training = |curve: &&mut Curve| curve.kind == Kind::Training;
    if !figure.is_finite()
        && let Some(curve) = strand.curves.iter_mut().find(training)
    {
        curve.points.push((x, f64::NAN));
    }
}

fn strand_of(
    identity: &Identity,
    history: &History,
    subject: Subject,
    axis: Axis,
    smoothing: f64,
) -> Strand {
    let changes = history.edits.iter().filter_map(|edit| {
        let place = axis.place(&edit.moment, identity)?;
        Some((place, edit.value.describe()))
    });
    let mut strand = Strand {
        name: identity.name.clone(),
        colour: identity.css_colour(),
        curves: subject.curves(history, identity, axis, smoothing),
        changes: changes.collect(),
    };
    if let Some(diverged) = &history.diverged
        && let Some(x) = axis.place(&diverged.moment, identity)
    {
        break_off(&mut strand, subject, x, &diverged.value);
    }
    strand
}

fn readings(sights: &[Sight], frame: &Frame, x: f64) -> Vec<Reading> {
    let read = |sight: &Sight| frame.read(sight.id, &sight.strand, x);
    sights.iter().flat_map(read).collect()
}

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
    let cache = StoredValue::new(Cache::new());
    let sights = Memo::new_with_compare(
        move |_| {
            let sights = runs.with(|runs| {
                cache.try_update_value(|cache| sights(trainer, runs, subject, view, cache))
            });
            Arc::new(sights.unwrap_or_default())
        },
        |_, _| true,
    );
    let frame = Memo::new(move |_| {
        sights.with(|sights| {
            let strands = sights.iter().map(|sight| &*sight.strand);
            let (axis, is_log) = (view.axis.get(), view.is_log.get());
            let zoom = view.zoom.get();
            Frame::around(strands, subject, axis, zoom, is_log, clock::utc_offset_ms())
        })
    });
    let highlighted = move || library.highlighted.get().or(view.focused.get());
    let empty = move || {
        let is_empty =
            sights.with(|sights| sights.iter().all(|sight| sight.strand.curves.is_empty()));
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
    Effect::new(move |_| {
        // A chart that is scrolled away is drawn when it comes back.
        if !is_in_sight.get() {
            return;
        }
        let highlighted = highlighted();
        let baseline = library.baseline.get();
        if let Some(canvas) = canvas.get() {
            sights.with(|sights| {
                frame.with(|frame| paint(&canvas, size.get(), sights, frame, highlighted, baseline))
            });
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
    let point = move |event: PointerEvent| {
        let Some((across, up)) = place_of(&event) else {
            return;
        };
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
        }
    };
    let release = move |_| {
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
            let sight = sights.last()?;
            let last = sight.strand.curves.first()?.shown().last()?;
            let style = format!("color:{}", sight.strand.colour);
            Some(view! { <output style=style>{subject.write(last.1)}</output> })
        })
    };
    let summary = move || {
        let axis = view.axis.get();
        let utc_offset_ms = clock::utc_offset_ms();
        sights.with(|sights| {
            let figures: Vec<String> = sights
                .iter()
                .flat_map(|sight| {
                    let name = sight.strand.name.clone();
                    let curves = sight.strand.curves.iter().filter_map(move |curve| {
                        let (x, value) = curve.shown().last()?;
                        let (label, value) = (curve.kind.label(), subject.write(*value));
                        let place = write_place(axis, *x, utc_offset_ms);
                        Some(format!("{name} {label} {value} at {place}"))
                    });
                    curves.collect::<Vec<_>>()
                })
                .collect();
            let axis = axis.label();
            match figures.len() {
                0 => format!("{title}: no data yet"),
                _ => format!("{title} over {axis}: {}", figures.join(", ")),
            }
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
            .filter(|(across, _)| (0.0..=1.0).contains(across))
            .map(|(across, up)| {
                let place = format!("left:{}%;bottom:{}%", 100.0 * across, 100.0 * up);
                view! { <i class="glow" style=place></i> }
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
                view! { <i class="change" style=style title=what>"◆"</i> }
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
                view! { <i class="broken" style=style title="Not a number">"✕"</i> }
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
        kinds
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
            .collect_view()
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
                view! { <i class="grid" style=style><span>{text}</span></i> }
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
                    <span style=style class:first=is_first class:last=is_last class:long=is_long>
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
            view! { <i class="band" style=style></i> }
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

/// Keeps `size` at the place that the canvas has, in CSS pixels.
fn watch_size(canvas: NodeRef<leptos::html::Canvas>, size: RwSignal<(f64, f64)>) {
    watch(
        canvas,
        move |canvas, _| {
            let (width, height) = (canvas.client_width(), canvas.client_height());
            let now = (f64::from(width), f64::from(height));
            if size.get_untracked() != now {
                size.set(now);
            }
        },
        ResizeObserver::new,
        ResizeObserver::observe,
        ResizeObserver::disconnect,
    );
}

/// Keeps whether any of the canvas can be seen.
fn watch_sight(canvas: NodeRef<leptos::html::Canvas>, is_in_sight: RwSignal<bool>) {
    watch(
        canvas,
        move |_, entries| {
            let last: IntersectionObserverEntry = entries.pop().unchecked_into();
            if is_in_sight.get_untracked() != last.is_intersecting() {
                is_in_sight.set(last.is_intersecting());
            }
        },
        IntersectionObserver::new,
        IntersectionObserver::observe,
        |watcher| {
            watcher.disconnect();
            // What it has seen and not told yet is told to nobody.
            watcher.take_records();
        },
    );
}

/// Observes the canvas as long as it is there.
fn watch<O: 'static>(
    canvas: NodeRef<leptos::html::Canvas>,
    tell: impl Fn(&HtmlCanvasElement, Array) + Copy + 'static,
    observer: fn(&Function) -> Result<O, JsValue>,
    observe: fn(&O, &web_sys::Element),
    disconnect: fn(&O),
) {
    let watching = StoredValue::new_local(None);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let seen = canvas.clone();
        let tell = Closure::<dyn Fn(Array)>::new(move |entries| tell(&seen, entries));
        if let Ok(watcher) = observer(tell.as_ref().unchecked_ref()) {
            observe(&watcher, &canvas);
            watching.set_value(Some((watcher, tell)));
        }
    });
    on_cleanup(move || {
        watching.update_value(|watching| {
            if let Some((watcher, _)) = watching.take() {
                disconnect(&watcher);
            }
        });
    });
}

fn paint(
    canvas: &HtmlCanvasElement,
    (width, height): (f64, f64),
    sights: &[Sight],
    frame: &Frame,
    highlighted: Option<RunId>,
    baseline: Option<RunId>,
) {
    let ratio = window().device_pixel_ratio();
    let pixels = |length: f64| (length * ratio).round() as u32;
    if (canvas.width(), canvas.height()) != (pixels(width), pixels(height)) {
        canvas.set_width(pixels(width));
        canvas.set_height(pixels(height));
    }
    let context = canvas.get_context("2d").ok().flatten();
    let Some(context) = context.and_then(|context| context.dyn_into().ok()) else {
        return;
    };
    let context: CanvasRenderingContext2d = context;
    // A transform of finite numbers is never refused.
    drop(context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0));
    context.clear_rect(0.0, 0.0, width, height);
    context.set_line_join("round");
    let pen = Pen {
        context,
        width,
        height,
        frame,
    };
    let has_highlight = sights.iter().any(|sight| Some(sight.id) == highlighted);
    let is_crowded = sights.len() > MOST_AT_EASE;
    // Browsers draw a line one device pixel wide many times faster than any wider one.
    let hairline = 1.0 / ratio.max(1.0);
    // What is meant is drawn last, over all others.
    let (meant, others): (Vec<_>, Vec<_>) = sights
        .iter()
        .partition(|sight| Some(sight.id) == highlighted);
    for sight in others.into_iter().chain(meant) {
        let is_meant = Some(sight.id) == highlighted;
        let (stroke, alpha) = match is_meant {
            true => (2.5, 1.0),
            false => (
                if is_crowded { hairline } else { 1.5 },
                if has_highlight { 0.35 } else { 1.0 },
            ),
        };
        for curve in &sight.strand.curves {
            pen.context.set_stroke_style_str(sight.strand.colour);
            pen.context.set_fill_style_str(sight.strand.colour);
            if !curve.smoothed.is_empty() && (is_meant || !is_crowded) {
                pen.line(curve.kind, &curve.points, 1.0, 0.25 * alpha, &[]);
            }
            if Some(sight.id) == baseline {
                pen.line(curve.kind, curve.shown(), 6.0, 0.2, &[]);
            }
            match curve.kind {
                Kind::Training | Kind::Plain => {
                    pen.line(curve.kind, curve.shown(), stroke, alpha, &[]);
                }
                Kind::EpochMean => pen.line(curve.kind, &curve.points, 1.0, 0.6 * alpha, &[]),
                Kind::Validation => {
                    pen.line(curve.kind, &curve.points, stroke, alpha, &[5.0, 4.0]);
                }
            }
            if curve.kind == Kind::Validation || curve.points.len() == 1 {
                pen.dots(&curve.points, alpha);
            }
        }
    }
}

struct Pen<'a> {
    context: CanvasRenderingContext2d,
    width: f64,
    height: f64,
    frame: &'a Frame,
}

impl Pen<'_> {
    fn line(&self, kind: Kind, points: &[Point], stroke: f64, alpha: f64, dashes: &[f64]) {
        let context = &self.context;
        context.set_global_alpha(alpha);
        context.set_line_width(stroke);
        let lengths: Array = dashes.iter().map(|length| JsValue::from(*length)).collect();
        // Lengths that are not negative are never refused.
        drop(context.set_line_dash(&lengths));
        // Where parts with round ends meet, an opaque line shows nothing of it.
        let is_whole = alpha < 1.0 || !dashes.is_empty();
        let at_once = if is_whole {
            usize::MAX
        } else {
            STROKED_AT_ONCE
        };
        context.set_line_cap(if is_whole { "butt" } else { "round" });
        context.begin_path();
        for line in self.frame.lines(kind, points, self.width as usize) {
            for (index, (across, up)) in line.into_iter().enumerate() {
                let (x, y) = (across * self.width, (1.0 - up) * self.height);
                if index == 0 {
                    context.move_to(x, y);
                } else {
                    context.line_to(x, y);
                }
                if index % at_once == at_once - 1 {
                    context.stroke();
                    context.begin_path();
                    context.move_to(x, y);
                }
            }
        }
        context.stroke();
    }

    fn dots(&self, points: &[Point], alpha: f64) {
        const RADIUS: f64 = 3.0;
        self.context.set_global_alpha(alpha);
        for (x, y) in points {
            if let Some(up) = self.frame.up(*y) {
                let (x, y) = (self.frame.across(*x) * self.width, (1.0 - up) * self.height);
                self.context.begin_path();
                // A radius that is not negative is never refused.
                drop(self.context.arc(x, y, RADIUS, 0.0, std::f64::consts::TAU));
                self.context.fill();
            }
        }
    }
}

/// What stands at an x, as a screen reader says it: the place first, then each run's curves.
fn in_words(readings: Vec<Reading>, subject: Subject, frame: &Frame, axis: Axis, x: f64) -> String {
    let place = write_place(axis, x, frame.utc_offset_ms);
    let figures = readings.into_iter().map(|reading| {
        let (name, kind) = (reading.name, reading.kind.label());
        format!("{name} {kind} {}", subject.write(reading.raw))
    });
    let figures: Vec<String> = figures.collect();
    format!("{} {place}: {}", axis.label(), figures.join(", "))
}

fn tooltip(
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
                <tr style=style>
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
        <div class="reading" style=place>
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
fn table(sights: &[Sight], subject: Subject, axis: Axis) -> AnyView {
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

fn menu(
    trainer: Trainer,
    subject: Subject,
    view: View,
    sights: Memo<Arc<Vec<Sight>>>,
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
        let written = trainer.with_histories(&ids, |runs| tables::write_chart(runs, subject));
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
