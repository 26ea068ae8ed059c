//! A chart as a drawing: where its lines stand, and the whole of it as SVG.

pub mod cuts;
mod fences;
pub mod reading;
pub mod svg;
#[cfg(test)]
mod tests;
mod ticks;
pub mod words;

use crate::decimation::decimate;
use crate::format;
use crate::id::RunId;
use crate::series::{Axis, Curve, Kind, Point, Subject, ticks};
use crate::sight::Sight;
use fences::{extent, extent_inside};
use reading::{Reading, nearest};
use ticks::{DAY_MS, MINUTE_MS, clock_ticks, decades};

/// The curves of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Strand {
    /// The run's name.
    pub name: String,
    /// Its colour in CSS.
    pub colour: &'static str,
    /// Where its first and its last measurement are, in sight or not.
    pub ends: Option<(f64, f64)>,
    /// Where its first epoch ends.
    pub first_epoch: Option<f64>,
    /// What is drawn of it.
    pub curves: Vec<Curve>,
    /// What was changed under way, and where.
    pub changes: Vec<(f64, String)>,
}

/// How values become places: x from 0 at the left to 1, y from 0 at the bottom to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The axis from left to right.
    pub x: (f64, f64),
    /// The same where nothing is zoomed into.
    pub whole: (f64, f64),
    /// The axis from bottom to top.
    pub y: (f64, f64),
    /// Whether the values grow by factors.
    pub is_log: bool,
    /// Ticks below.
    pub x_ticks: Vec<f64>,
    /// Ticks at the left.
    pub y_ticks: Vec<f64>,
    /// How far the person's clock is before UTC, in milliseconds.
    pub utc_offset_ms: f64,
    /// Where every run begins; nothing on a clock, where each has a time of its own.
    origin: Option<f64>,
}

/// What of a curve is between two places of the x axis: each x, with the least and the greatest there.
fn in_sight(curve: &Curve, (from, to): (f64, f64)) -> impl Iterator<Item = (f64, f64, f64)> {
    let start = curve.points.partition_point(|point| point.0 < from);
    let end = curve.points.partition_point(|point| point.0 <= to);
    let indices = start..end.max(start);
    indices.map(|index| {
        let (x, y) = curve.points[index];
        let (low, high) = curve.band.get(index).copied().unwrap_or((y, y));
        (x, low, high)
    })
}

impl Frame {
    /// The frame in which all curves are seen, or what of them is between the two `zoomed` places.
    pub fn around<'a>(
        strands: impl Iterator<Item = &'a Strand> + Clone,
        subject: Subject,
        sight: &Sight,
        zoomed: Option<(f64, f64)>,
        utc_offset_ms: f64,
    ) -> Self {
        let (axis, is_log) = (sight.axis, sight.is_log);
        let curves = || strands.clone().flat_map(|strand| &strand.curves);
        let ends = strands.clone().filter_map(|strand| strand.ends);
        let (first, last) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), ends| {
            (low.min(ends.0), high.max(ends.1))
        });
        let all = match axis {
            _ if first > last => (0.0, 1.0),
            Axis::Clock => (first, last.max(first + 1_000.0)),
            _ => (0.0, if last > 0.0 { last } else { 1.0 }),
        };
        let epochs = strands.clone().filter_map(|strand| strand.first_epoch);
        let whole = match first > last {
            true => all,
            false => sight.from.leave(all, epochs),
        };
        let x = zoomed.unwrap_or(whole);
        let values = |curve: &'a Curve| {
            let values = in_sight(curve, x).flat_map(|(_, low, high)| [low, high]);
            values.filter(move |y| y.is_finite() && (!is_log || *y > 0.0))
        };
        let seen = extent(curves().flat_map(values));
        let (least, greatest) = if sight.cuts_outliers {
            // Each curve by itself: a whole one is never cut off. Far out is measured as it is drawn.
            let inside = |curve: &'a Curve| {
                if is_log {
                    let (low, high) = extent_inside(values(curve).map(f64::ln).collect());
                    [low.exp(), high.exp()]
                } else {
                    extent_inside(values(curve).collect()).into()
                }
            };
            extent(curves().flat_map(inside))
        } else {
            seen
        };
        // A part is shown as large as it can be, the whole from 0 on.
        let is_part = x != all || seen.0 < least;
        let (y, y_ticks) = if is_log {
            decades(least, greatest)
        } else {
            let highest = if greatest > 0.0 { greatest * 1.05 } else { 1.0 };
            let lowest = if is_part && least.is_finite() {
                least - 0.05 * (highest - least)
            } else {
                0.0
            };
            let marks = ticks(lowest, highest);
            let step = match marks[..] {
                [first, second, ..] => second - first,
                _ => highest - lowest,
            };
            let top = match subject.top() {
                Some(top) => top,
                None => (highest / step).ceil().max(1.0) * step,
            };
            let bottom = if is_part {
                (lowest / step).floor().max(0.0) * step
            } else {
                0.0
            };
            ((bottom, top), ticks(bottom, top))
        };
        Self {
            x,
            whole,
            y,
            is_log,
            x_ticks: match axis {
                Axis::Clock if first > last => Vec::new(),
                Axis::Clock => clock_ticks(x, utc_offset_ms),
                _ => ticks(x.0, x.1),
            },
            y_ticks,
            utc_offset_ms,
            origin: (axis != Axis::Clock).then_some(0.0),
        }
    }

    /// Where an x stands.
    pub fn across(&self, x: f64) -> f64 {
        (x - self.x.0) / (self.x.1 - self.x.0)
    }

    /// Where a y stands; nothing for what has no place.
    pub fn up(&self, y: f64) -> Option<f64> {
        if !y.is_finite() || (self.is_log && y <= 0.0) {
            return None;
        }
        let (low, high) = self.y;
        Some(if self.is_log {
            (y / low).ln() / (high / low).ln()
        } else {
            (y - low) / (high - low)
        })
    }

    /// The x that stands at a place.
    pub fn x_at(&self, across: f64) -> f64 {
        self.x.0 + across * (self.x.1 - self.x.0)
    }

    /// A curve as lines between places of a drawing so many pixels wide; they break where a value
    /// is no number.
    pub fn lines(&self, kind: Kind, points: &[Point], columns: usize) -> Vec<Vec<Point>> {
        let mut lines = vec![Vec::new()];
        let mut before: Option<Point> = None;
        for (x, y) in decimate(points, self.x, columns) {
            match (self.up(y), lines.last_mut()) {
                (Some(up), Some(line)) => {
                    let across = self.across(x);
                    // An epoch's mean holds over the whole epoch.
                    if kind == Kind::EpochMean {
                        let origin = self.origin.map(|x| self.across(x).max(0.0));
                        let from = before.map(|before| before.0).or(origin);
                        line.push((from.unwrap_or(across), up));
                    }
                    line.push((across, up));
                    before = Some((across, up));
                }
                _ => lines.push(Vec::new()),
            }
        }
        lines.retain(|line| !line.is_empty());
        lines
    }

    /// The outline of what a curve is the mean of, in a drawing so many pixels wide; empty for that of
    /// one run.
    pub fn band(&self, curve: &Curve, columns: usize) -> Vec<Point> {
        let side = |of: fn(&(f64, f64)) -> f64| {
            let both = curve.points.iter().zip(&curve.band);
            let points = both.map(|((x, _), band)| (*x, of(band).max(self.y.0)));
            let points: Vec<Point> = points.collect();
            self.lines(curve.kind, &points, columns).concat()
        };
        let mut outline = side(|band| band.1);
        outline.extend(side(|band| band.0).into_iter().rev());
        outline
    }

    /// Places from left to right of values in sight that are no numbers.
    pub fn broken(&self, points: &[Point]) -> Vec<f64> {
        points
            .iter()
            .filter(|(x, y)| !y.is_finite() && *x >= self.x.0 && *x <= self.x.1)
            .map(|(x, _)| self.across(*x))
            .collect()
    }

    /// What each curve of a run comes to at an x; nothing of what has no place there.
    pub fn read(&self, id: RunId, strand: &Strand, x: f64) -> Vec<Reading> {
        let read = |curve: &Curve| {
            let shown = curve.shown()[nearest(curve.shown(), x)?];
            let index = nearest(&curve.points, x)?;
            let raw = curve.points[index];
            Some(Reading {
                id,
                name: strand.name.clone(),
                colour: strand.colour,
                label: curve.label(),
                raw: raw.1,
                band: curve.band.get(index).copied(),
                smoothed: (!curve.smoothed.is_empty()).then_some(shown.1),
                place: (self.across(shown.0), self.up(shown.1)?),
            })
        };
        strand.curves.iter().filter_map(read).collect()
    }

    /// A tick below as a person reads it.
    pub fn write_x(&self, axis: Axis, x: f64) -> String {
        let step = match self.x_ticks[..] {
            [first, second, ..] => second - first,
            _ => 1.0,
        };
        match axis {
            Axis::Elapsed => format::span(x),
            Axis::Clock => {
                let local_ms = x + self.utc_offset_ms;
                let (date, time) = (
                    format::date(local_ms),
                    format::time_of_day(local_ms, step < MINUTE_MS),
                );
                // Within a day the date says nothing, between days the time does not.
                if self.x.1 - self.x.0 < DAY_MS {
                    time
                } else if step >= DAY_MS {
                    date
                } else {
                    format!("{} {time}", &date[date.len() - "11-23".len()..])
                }
            }
            _ => format::tick(x, step),
        }
    }

    /// A tick at the left as a person reads it.
    pub fn write_y(&self, y: f64) -> String {
        match self.y_ticks[..] {
            _ if self.is_log => format::significant(y),
            [first, second, ..] => format::tick(y, second - first),
            _ => format::significant(y),
        }
    }
}
