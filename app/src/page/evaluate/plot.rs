//! A chart of curves between 0 and 1.

use leptos::prelude::*;

use kiln_run::evaluation::curves::{UNITS, Window};
use kiln_run::format;

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its path in a drawing of [`UNITS`].
    pub path: String,
    /// How it is drawn: a class of the style sheet.
    pub kind: &'static str,
    /// A colour of its own in CSS, if it has one.
    pub colour: Option<&'static str>,
    /// What stands in the legend, if it is there.
    pub name: Option<String>,
}

/// The chart.
#[component]
pub fn Plot(
    /// What is to be seen, for who does not see it.
    summary: Signal<String>,
    /// The curves; the first is drawn first.
    lines: Signal<Vec<Line>>,
    /// What is in sight.
    window: Signal<Window>,
    /// A point to mark.
    #[prop(default = Signal::derive(|| None))]
    point: Signal<Option<(f64, f64)>>,
    /// The names of the axes: across and up.
    axes: (&'static str, &'static str),
) -> AnyView {
    let paths = move || {
        lines.with(|lines| {
            lines
                .iter()
                .map(|line| {
                    let style = line.colour.map(|colour| format!("stroke:{colour}"));
                    view! { <path class=line.kind prop:style=style d=line.path.clone()></path> }
                })
                .collect_view()
        })
    };
    let legend = move || {
        lines.with(|lines| {
            lines
                .iter()
                .filter_map(|line| {
                    let name = line.name.clone()?;
                    let style = line.colour.map(|colour| format!("--stroke:{colour}"));
                    Some(view! { <span class=format!("line-key {}", line.kind) prop:style=style>{name}</span> })
                })
                .collect_view()
        })
    };
    let percent = |share: f64| format!("{:.2}%", 100.0 * share);
    let horizontal = move || {
        let window = window.get();
        Window::marks(window.y()).map(|y| {
            let top = percent(window.place(0.0, y).1);
            view! { <i class="grid" style:top=top><span>{write(y, window.y())}</span></i> }
        })
    };
    let below = move || {
        let window = window.get();
        Window::marks(window.x()).map(|x| {
            let left = percent(window.place(x, 0.0).0);
            let (is_first, is_last) = (x <= window.x().0, x >= window.x().1);
            view! {
                <span style:left=left class:first=is_first class:last=is_last>
                    {write(x, window.x())}
                </span>
            }
        })
    };
    let marker = move || {
        let (x, y) = point.get()?;
        let window = window.get();
        window.holds(x, y).then(|| {
            let (across, down) = window.place(x, y);
            view! { <i class="point" style:left=percent(across) style:top=percent(down)></i> }
        })
    };
    view! {
        <div class="legend">{legend}</div>
        <div class="unit-plot">
            <span class="axis-name">{axes.1}</span>
            <div class="unit-canvas" role="img" aria-label=summary>
                <div aria-hidden="true" class="grids">{horizontal}</div>
                <svg viewBox=format!("0 0 {UNITS} {UNITS}") preserveAspectRatio="none" aria-hidden="true">
                    {paths}
                </svg>
                {marker}
            </div>
            <div class="x-axis" aria-hidden="true">{below}</div>
            <span class="axis-name across">{axes.0}</span>
        </div>
    }
    .into_any()
}

/// Shows the corner in which the curves of good networks lie, or all of a chart.
#[component]
pub fn ZoomCorner(window: RwSignal<Window>) -> AnyView {
    let zoom = move |event| {
        window.set(if event_target_checked(&event) {
            Window::Corner
        } else {
            Window::Whole
        });
    };
    view! {
        <label>
            <input
                type="checkbox"
                aria-label="Zoom corner"
                prop:checked=move || window.get() == Window::Corner
                on:change=zoom
            />
            "Zoom corner"
        </label>
    }
    .into_any()
}

fn write(value: f64, (from, to): (f64, f64)) -> String {
    format::tick(value, (to - from) / 5.0)
}
