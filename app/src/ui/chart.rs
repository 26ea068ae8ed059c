//! A chart of a run: curves in SVG, figures around it in HTML.
//!
//! The drawing is stretched to its place with strokes that keep their width, so it needs no
//! measuring, no redrawing when the window changes, and takes its colours from the style sheet.

use leptos::prelude::*;
use web_sys::PointerEvent;

use crate::format;
use crate::series::{Point, decimate, smooth, ticks};

/// Width of the drawing in its own units; also the pixel columns that decimation keeps.
const WIDTH: f64 = 1_000.0;
/// Height of the drawing in its own units.
const HEIGHT: f64 = 400.0;
/// How strongly training curves are smoothed; said in the legend.
const SMOOTHING: f64 = 0.6;

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Solid and smoothed, over a ghost of the measurements themselves.
    Smoothed,
    /// Solid, as measured.
    Solid,
    /// Dashed with a dot at every measurement.
    Dotted,
}

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it shows.
    pub name: &'static str,
    /// How it is drawn.
    pub style: Style,
    /// Training steps and values, in order.
    pub points: Vec<Point>,
}

impl Curve {
    /// A curve through points in order.
    pub fn new(name: &'static str, style: Style, points: Vec<Point>) -> Self {
        Self {
            name,
            style,
            points,
        }
    }
}

/// What a chart shows and how its values are written.
#[derive(Clone, Copy)]
pub struct Subject {
    /// The title, which is also the chart's name.
    pub title: &'static str,
    /// Writes a value.
    pub write: fn(f64) -> String,
    /// The largest value there can be, where there is one.
    pub top: Option<f64>,
}

/// What a chart is drawn from, worked out once for each change.
#[derive(Clone, PartialEq)]
struct Drawing {
    curves: Vec<Drawn>,
    last_step: f64,
    top: f64,
    x_ticks: Vec<f64>,
    y_ticks: Vec<f64>,
}

#[derive(Clone, PartialEq)]
struct Drawn {
    name: &'static str,
    style: Style,
    /// What is written and hovered: smoothed where the curve is.
    points: Vec<Point>,
    ghost: String,
    line: String,
    dots: Vec<Point>,
}

impl Drawing {
    fn new(curves: Vec<Curve>, top: Option<f64>) -> Self {
        let values = || curves.iter().flat_map(|curve| &curve.points);
        let last_step = values().map(|point| point.0).fold(1.0, f64::max);
        let highest = values().map(|point| point.1).fold(0.0, f64::max);
        let highest = if highest > 0.0 { highest * 1.05 } else { 1.0 };
        let y_ticks = ticks(0.0, highest);
        let step = y_ticks.get(1).copied().unwrap_or(1.0);
        let covering = (highest / step).ceil().max(1.0) * step;
        let top = top.unwrap_or(covering);
        let at = |(x, y): Point| (x / last_step * WIDTH, HEIGHT - y / top * HEIGHT);
        let path = |points: &[Point]| {
            decimate(points, WIDTH as usize)
                .into_iter()
                .map(at)
                .enumerate()
                .map(|(index, (x, y))| {
                    format!("{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' })
                })
                .collect::<String>()
        };
        let curves = curves
            .into_iter()
            .filter(|curve| !curve.points.is_empty())
            .map(|curve| {
                let points = match curve.style {
                    Style::Smoothed => smooth(&curve.points, SMOOTHING, last_step),
                    Style::Solid | Style::Dotted => curve.points.clone(),
                };
                let has_dots = curve.style == Style::Dotted || points.len() == 1;
                Drawn {
                    ghost: match curve.style {
                        Style::Smoothed => path(&curve.points),
                        Style::Solid | Style::Dotted => String::new(),
                    },
                    line: path(&points),
                    dots: if has_dots {
                        points
                            .iter()
                            .map(|point| percentages(*point, last_step, top))
                            .collect()
                    } else {
                        Vec::new()
                    },
                    name: curve.name,
                    style: curve.style,
                    points,
                }
            })
            .collect();
        Self {
            curves,
            last_step,
            top,
            x_ticks: ticks(0.0, last_step),
            y_ticks: ticks(0.0, top),
        }
    }

    /// The value of each curve at the measurement nearest to `step`.
    fn values_at(&self, step: f64) -> Vec<(&'static str, Point)> {
        self.curves
            .iter()
            .filter_map(|curve| {
                let after = curve.points.partition_point(|point| point.0 < step);
                let near = [after.checked_sub(1), Some(after)]
                    .into_iter()
                    .flatten()
                    .filter_map(|index| curve.points.get(index))
                    .min_by(|a, b| (a.0 - step).abs().total_cmp(&(b.0 - step).abs()))?;
                Some((curve.name, *near))
            })
            .collect()
    }
}

/// A point's place in per cent of the drawing, from left and top.
fn percentages((x, y): Point, last_step: f64, top: f64) -> Point {
    (100.0 * x / last_step, 100.0 - 100.0 * y / top)
}

/// A chart over training steps. `hovered` is the step under the pointer in any chart.
#[component]
pub fn Chart(
    subject: Subject,
    #[prop(into)] curves: Signal<Vec<Curve>>,
    /// Steps at which something was changed, and what.
    #[prop(into)]
    marks: Signal<Vec<(f64, String)>>,
    #[prop(into)] is_live: Signal<bool>,
    hovered: RwSignal<Option<f64>>,
) -> impl IntoView {
    let Subject { title, write, top } = subject;
    let drawing = Memo::new(move |_| Drawing::new(curves.get(), top));
    let is_empty = move || drawing.with(|drawing| drawing.curves.is_empty());
    let latest = move || {
        drawing.with(|drawing| {
            let last = drawing.curves.first()?.points.last()?;
            Some(write(last.1))
        })
    };
    let summary = move || {
        drawing.with(|drawing| {
            let figures: Vec<String> = drawing
                .values_at(f64::INFINITY)
                .into_iter()
                .map(|(name, (step, value))| format!("{name} {} at step {step}", write(value)))
                .collect();
            if figures.is_empty() {
                format!("{title}: no data yet")
            } else {
                format!("{title}: {}", figures.join(", "))
            }
        })
    };
    let hover = move |event: PointerEvent| {
        let Some(plot) = event.current_target() else {
            return;
        };
        let plot: web_sys::Element = wasm_bindgen::JsCast::unchecked_into(plot);
        let place = plot.get_bounding_client_rect();
        let share = (f64::from(event.client_x()) - place.left()) / place.width().max(1.0);
        let last = drawing.with_untracked(|drawing| drawing.last_step);
        hovered.set(Some((share.clamp(0.0, 1.0) * last).round()));
    };
    let crosshair = move || {
        let step = hovered.get()?;
        drawing.with(|drawing| {
            let values = drawing.values_at(step);
            let at = values.first()?.1.0.clamp(0.0, drawing.last_step);
            let left = 100.0 * at / drawing.last_step;
            let side = if left > 50.0 {
                "tooltip left"
            } else {
                "tooltip"
            };
            Some(view! {
                <div class="crosshair" style:left=format!("{left}%")>
                    <dl class=side>
                        <div><dt>"Step"</dt><dd>{format::count(at as u64)}</dd></div>
                        {values
                            .into_iter()
                            .map(|(name, point)| {
                                view! { <div><dt>{name}</dt><dd>{write(point.1)}</dd></div> }
                            })
                            .collect_view()}
                    </dl>
                </div>
            })
        })
    };
    let glow = move || {
        let point = drawing.with(|drawing| {
            let last = drawing.curves.first()?.points.last()?;
            Some(percentages(*last, drawing.last_step, drawing.top))
        });
        point.filter(|_| is_live.get()).map(|(left, top)| {
            view! { <i class="glow" style:left=format!("{left}%") style:top=format!("{top}%")></i> }
        })
    };
    let changes = move || {
        let last = drawing.with(|drawing| drawing.last_step);
        marks
            .get()
            .into_iter()
            .map(|(step, what)| {
                let left = format!("{}%", 100.0 * (step / last).min(1.0));
                view! { <i class="change" style:left=left title=what>"◆"</i> }
            })
            .collect_view()
    };
    let legend = move || {
        drawing.with(|drawing| {
            // A single curve is what the title says; only how it is drawn is left to say.
            let is_single = drawing.curves.len() == 1;
            drawing
                .curves
                .iter()
                .filter_map(|curve| {
                    let class = match curve.style {
                        Style::Smoothed | Style::Solid => "key",
                        Style::Dotted => "key dotted",
                    };
                    let name = match curve.style {
                        Style::Smoothed if is_single => format!("Smoothed {SMOOTHING}"),
                        Style::Smoothed => format!("{}, smoothed {SMOOTHING}", curve.name),
                        Style::Solid if is_single => return None,
                        Style::Solid | Style::Dotted => curve.name.to_owned(),
                    };
                    Some(view! { <span class=class>{name}</span> })
                })
                .collect_view()
        })
    };
    view! {
        <section class="chart" aria-label=title>
            <header>
                <h2>{title}</h2>
                <output>{latest}</output>
                <div class="legend">{legend}</div>
            </header>
            <div class="plot">
                <div class="y-axis" aria-hidden="true">
                    {move || drawing.with(|drawing| axis(&drawing.y_ticks, drawing.top, "bottom"))}
                </div>
                <div
                    class="canvas"
                    role="img"
                    aria-label=summary
                    on:pointermove=hover
                    on:pointerleave=move |_| hovered.set(None)
                >
                    <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") preserveAspectRatio="none" aria-hidden="true">
                        {move || drawing.with(paths)}
                    </svg>
                    {move || drawing.with(dots)}
                    {changes}
                    {glow}
                    {crosshair}
                    <p class="empty">{move || is_empty().then_some("No data yet. Press Start.")}</p>
                </div>
                <div class="x-axis" aria-hidden="true">
                    {move || drawing.with(|drawing| axis(&drawing.x_ticks, drawing.last_step, "left"))}
                </div>
            </div>
        </section>
    }
}

fn axis(ticks: &[f64], top: f64, side: &'static str) -> impl IntoView + use<> {
    let step = ticks.get(1).copied().unwrap_or(1.0);
    ticks
        .iter()
        .map(|value| {
            let place = format!("{side}:{}%", 100.0 * value / top);
            view! { <span style=place>{format::tick(*value, step)}</span> }
        })
        .collect_view()
}

fn paths(drawing: &Drawing) -> impl IntoView + use<> {
    let grid: String = drawing
        .y_ticks
        .iter()
        .map(|value| {
            format!(
                "M0 {y:.1}H{WIDTH}",
                y = HEIGHT - value / drawing.top * HEIGHT
            )
        })
        .collect();
    let curves = drawing
        .curves
        .iter()
        .map(|curve| {
            let class = match curve.style {
                Style::Smoothed | Style::Solid => "line",
                Style::Dotted => "line dotted",
            };
            view! {
                <path class="ghost" d=curve.ghost.clone()></path>
                <path class=class d=curve.line.clone()></path>
            }
        })
        .collect_view();
    view! { <path class="grid" d=grid></path> {curves} }
}

fn dots(drawing: &Drawing) -> impl IntoView + use<> {
    drawing
        .curves
        .iter()
        .flat_map(|curve| &curve.dots)
        .map(|(left, top)| view! { <i class="dot" style=format!("left:{left}%;top:{top}%")></i> })
        .collect_view()
}
