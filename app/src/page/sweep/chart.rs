//! The runs of a sweep as lines across parallel axes, with a filter on each axis.

use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::sweep::{Axis, Line, Parallel};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, PointerEvent};

/// A stretch shorter than this was a press, which takes the filter away.
const SHORTEST: f64 = 0.02;
/// Units of the drawing from one axis to the next, and from its foot to its top.
const WIDE: f64 = 100.0;
const HIGH: f64 = 100.0;

type Stretches = RwSignal<Vec<(&'static str, (f64, f64))>>;

#[component]
pub fn Chart(parallel: Memo<Parallel>, stretches: Stretches, within: Memo<Vec<RunId>>) -> AnyView {
    let labels = Memo::new(move |_| {
        parallel.with(|parallel| {
            let labels = parallel.axes.iter().map(|axis| axis.label);
            labels.collect::<Vec<_>>()
        })
    });
    let count = move || labels.with(Vec::len);
    let lines = move || {
        let within = within.get();
        parallel.with(|parallel| {
            let line = |line: &Line| {
                let is_out = !within.contains(&line.id);
                let shade = line.shade.map(|shade| shade.to_string());
                view! {
                    <path d=path(line) class:out=is_out class:without=line.shade.is_none() style:--shade=shade />
                }
            };
            // The best is drawn last, over the others.
            parallel.lines.iter().rev().map(line).collect_view()
        })
    };
    let view_box = move || format!("0 0 {} {HIGH}", WIDE * (count().max(2) - 1) as f64);
    let axes = move || {
        let count = count();
        let axis = |(index, label): (usize, &'static str)| {
            let place = index as f64 / (count.max(2) - 1) as f64;
            view! { <AxisView parallel stretches label place /> }
        };
        labels
            .get()
            .into_iter()
            .enumerate()
            .map(axis)
            .collect_view()
    };
    let least = move || format!("min-width:{}px", 104 * count());
    let told = move || {
        let all = parallel.with(|parallel| parallel.lines.len());
        let shown = within.with(Vec::len);
        if stretches.with(Vec::is_empty) {
            format!("{all} runs")
        } else {
            format!("{shown} of {all} runs are within the filters")
        }
    };
    let filters = move || {
        let labels = labels.get().into_iter();
        labels
            .map(|label| view! { <FilterRow parallel stretches label /> })
            .collect_view()
    };
    view! {
        <section class="parallel" aria-label="Runs across settings">
            <div class="head">
                <h2>"Runs across settings"</h2>
                <p class="muted" role="status">{told}</p>
                <Show when=move || !stretches.with(Vec::is_empty)>
                    <button on:click=move |_| stretches.set(Vec::new())>"Clear the filters"</button>
                </Show>
            </div>
            <p class="hint">"Each line is a run, from the best to the worst by its validation loss. Drag along an axis to see only those that run through there."</p>
            <p class="shades" aria-hidden="true"><span>"best"</span><i></i><span>"worst"</span></p>
            <div class="scroll" tabindex="0" role="region" aria-label="Chart of runs across settings">
                <div class="plot" prop:style=least>
                    <svg viewBox=view_box preserveAspectRatio="none" aria-hidden="true">{lines}</svg>
                    {axes}
                </div>
            </div>
            <details class="filters">
                <summary>"Filters"</summary>
                <div>{filters}</div>
            </details>
        </section>
    }
    .into_any()
}

/// A run as a path; broken where it has no place on an axis.
fn path(line: &Line) -> String {
    let mut path = String::new();
    let mut is_begun = false;
    for (index, place) in line.places.iter().enumerate() {
        let Some(place) = place else {
            is_begun = false;
            continue;
        };
        let command = if is_begun { 'L' } else { 'M' };
        let (x, y) = (WIDE * index as f64, HIGH * (1.0 - place));
        path.push_str(&format!("{command}{x:.1} {y:.1}"));
        is_begun = true;
    }
    path
}

fn axis_of(parallel: Memo<Parallel>, label: &'static str) -> Option<Axis> {
    parallel.with(|parallel| {
        let mut axes = parallel.axes.iter();
        axes.find(|axis| axis.label == label).cloned()
    })
}

fn stretch_of(stretches: Stretches, label: &'static str) -> Option<(f64, f64)> {
    stretches.with(|stretches| {
        let found = stretches.iter().find(|(other, _)| *other == label);
        found.map(|(_, stretch)| *stretch)
    })
}

fn set(stretches: Stretches, label: &'static str, stretch: Option<(f64, f64)>) {
    stretches.update(|stretches| {
        stretches.retain(|(other, _)| *other != label);
        stretches.extend(stretch.map(|stretch| (label, stretch)));
    });
}

/// One axis, at a place from 0, on the left, to 1.
#[component]
fn AxisView(
    parallel: Memo<Parallel>,
    stretches: Stretches,
    label: &'static str,
    place: f64,
) -> AnyView {
    let began = RwSignal::new(None::<f64>);
    let at = |event: &PointerEvent| {
        let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
        let bounds = target?.get_bounding_client_rect();
        let place = 1.0 - (f64::from(event.client_y()) - bounds.top()) / bounds.height();
        Some(place.clamp(0.0, 1.0))
    };
    let press = move |event: PointerEvent| {
        let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
        if let Some(target) = target {
            // Where it cannot be held, the drag ends at the edge of the axis.
            drop(target.set_pointer_capture(event.pointer_id()));
        }
        began.set(at(&event));
    };
    let drag = move |event: PointerEvent| {
        if let Some((from, to)) = began.get_untracked().zip(at(&event)) {
            set(stretches, label, Some((from.min(to), from.max(to))));
        }
    };
    let release = move |event: PointerEvent| {
        if let Some((from, to)) = began.get_untracked().zip(at(&event)) {
            let is_press = (from - to).abs() < SHORTEST;
            let stretch = (!is_press).then(|| (from.min(to), from.max(to)));
            set(stretches, label, stretch);
        }
        began.set(None);
    };
    let marks = move || {
        let axis = axis_of(parallel, label);
        let mark = |(place, text): (f64, String)| {
            view! { <span prop:style=format!("bottom:{}%", 100.0 * place)>{text}</span> }
        };
        axis.map(|axis| axis.marks.into_iter().map(mark).collect_view())
    };
    let stretch = move || {
        let (low, high) = stretch_of(stretches, label)?;
        let style = format!("bottom:{}%;height:{}%", 100.0 * low, 100.0 * (high - low));
        Some(view! { <i class="stretch" prop:style=style></i> })
    };
    view! {
        <div class="axis" aria-hidden="true" prop:style=format!("left:{}%", 100.0 * place)>
            <strong>{label}</strong>
            {marks}
            {stretch}
            <div class="brush" on:pointerdown=press on:pointermove=drag on:pointerup=release
                on:pointercancel=move |_| began.set(None)></div>
        </div>
    }
    .into_any()
}

/// The filter of an axis for a keyboard.
#[component]
fn FilterRow(parallel: Memo<Parallel>, stretches: Stretches, label: &'static str) -> AnyView {
    let stretch = move || stretch_of(stretches, label).unwrap_or((0.0, 1.0));
    let text = move |place: f64| {
        let axis = axis_of(parallel, label)?;
        Some(match axis.value(place) {
            Some(value) => format::significant(value),
            None => axis.nearest(place)?.to_owned(),
        })
    };
    let end = move |is_low: bool| {
        let value = move || if is_low { stretch().0 } else { stretch().1 };
        let change = move |event| {
            let Ok(place) = event_target_value(&event).parse::<f64>() else {
                return;
            };
            let (low, high) = untrack(stretch);
            let (low, high) = if is_low {
                (place.min(high), high)
            } else {
                (low, place.max(low))
            };
            let is_all = low <= 0.0 && high >= 1.0;
            set(stretches, label, (!is_all).then_some((low, high)));
        };
        let name = format!("{label}, {}", if is_low { "from" } else { "to" });
        view! {
            <input type="range" min="0" max="1" step="0.01" aria-label=name
                aria-valuetext=move || text(value()) prop:value=value on:input=change />
        }
    };
    view! {
        <div class="filter">
            <span>{label}</span>
            {end(true)}
            {end(false)}
            <span class="muted">{move || {
                let (low, high) = stretch();
                text(low).zip(text(high)).map(|(low, high)| format!("{low} to {high}"))
            }}</span>
        </div>
    }
    .into_any()
}
