//! Curves on a canvas, and when they are painted.

use crate::page::parts::chart::strands::Sight;

use js_sys::{Array, Function};
use leptos::prelude::*;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{
    CanvasRenderingContext2d, HtmlCanvasElement, IntersectionObserver, IntersectionObserverEntry,
    ResizeObserver,
};

use kiln_run::figure::Frame;
use kiln_run::figure::cuts::MARK;
use kiln_run::protocol::RunId;
use kiln_run::series::{Curve, Kind, Point};

/// With more runs than this, lines are as thin as the screen draws, and measurements behind
/// smoothed lines are drawn for the highlighted run alone: nobody could tell them apart.
pub(super) const MOST_AT_EASE: usize = 6;

/// Points of a line that are stroked at once. What a wide stroke costs grows faster than its
/// length, because a browser joins all of its parts into one outline first.
pub(super) const STROKED_AT_ONCE: usize = 24;

/// Letters of a tick beyond which a small chart has room for every second one.
pub(super) const LONG_TICK: usize = 6;

/// Keeps `size` at the place that the canvas has, in CSS pixels.
pub(super) fn watch_size(canvas: NodeRef<leptos::html::Canvas>, size: RwSignal<(f64, f64)>) {
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
pub(super) fn watch_sight(canvas: NodeRef<leptos::html::Canvas>, is_in_sight: RwSignal<bool>) {
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
pub(super) fn watch<O: 'static>(
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

pub(super) fn paint(
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
    let has_highlight = sights.iter().any(|sight| sight.has(highlighted));
    let is_crowded = sights.len() > MOST_AT_EASE;
    // Browsers draw a line one device pixel wide many times faster than any wider one.
    let hairline = 1.0 / ratio.max(1.0);
    // What is meant is drawn last, over all others.
    let (meant, others): (Vec<_>, Vec<_>) = sights.iter().partition(|sight| sight.has(highlighted));
    for sight in others.into_iter().chain(meant) {
        let is_meant = sight.has(highlighted);
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
            pen.band(curve, alpha);
            if !curve.smoothed.is_empty() && (is_meant || !is_crowded) {
                pen.line(curve.kind, &curve.points, 1.0, 0.25 * alpha, &[]);
            }
            if sight.has(baseline) {
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
            pen.cuts(curve, alpha);
        }
    }
}

pub(super) struct Pen<'a> {
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

    /// What a curve is the mean of.
    fn band(&self, curve: &Curve, alpha: f64) {
        self.context.set_global_alpha(0.15 * alpha);
        self.context.begin_path();
        for (across, up) in self.frame.band(curve, self.width as usize) {
            self.context
                .line_to(across * self.width, (1.0 - up) * self.height);
        }
        self.context.fill();
    }

    /// Triangles at the edge where a curve leaves the chart.
    fn cuts(&self, curve: &Curve, alpha: f64) {
        self.context.set_global_alpha(alpha);
        for cut in self.frame.cuts(curve, (self.width / MARK) as usize) {
            let (x, half) = (cut.across * self.width, MARK / 2.0);
            let (edge, inward) = match cut.is_above {
                true => (0.0, half),
                false => (self.height, -half),
            };
            self.context.begin_path();
            self.context.move_to(x - half, edge + inward);
            self.context.line_to(x + half, edge + inward);
            self.context.line_to(x, edge);
            self.context.fill();
        }
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
