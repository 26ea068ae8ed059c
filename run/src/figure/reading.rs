//! What a chart says of one place on its x axis.

use crate::format;
use crate::id::RunId;
use crate::series::{Axis, Point, Subject};

/// A place of the axis below, as exactly as a person reads it whose clock is so far before UTC.
pub fn write_place(axis: Axis, x: f64, utc_offset_ms: f64) -> String {
    match axis {
        Axis::Step | Axis::Images => format::count(x.max(0.0).round() as u64),
        Axis::Epoch => format::significant(x),
        Axis::Elapsed => format::span(x),
        Axis::Clock => {
            let local_ms = x + utc_offset_ms;
            let time = format::time_of_day(local_ms, true);
            format!("{} {time}", format::date(local_ms))
        }
    }
}

/// What one curve of a run comes to at an x.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The run.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its colour in CSS.
    pub colour: &'static str,
    /// What the curve is called.
    pub label: &'static str,
    /// As measured, at the nearest point.
    pub raw: f64,
    /// The least and the greatest there of several runs, whose mean it is.
    pub band: Option<(f64, f64)>,
    /// Smoothed, where it is.
    pub smoothed: Option<f64>,
    /// Where the line stands in the chart: across and up, 0 to 1.
    pub place: Point,
}

impl Reading {
    /// What was measured, as a person reads it.
    pub fn write(&self, subject: Subject) -> String {
        subject.write_mean(self.raw, self.band)
    }
}

/// The place in a curve of the point nearest to `x`.
pub(super) fn nearest(points: &[Point], x: f64) -> Option<usize> {
    let after = points.partition_point(|point| point.0 < x);
    [after.checked_sub(1), Some(after)]
        .into_iter()
        .flatten()
        .filter(|index| *index < points.len())
        .min_by(|a, b| {
            let distance = |index: &usize| (points[*index].0 - x).abs();
            distance(a).total_cmp(&distance(b))
        })
}

/// The readings of at most so many runs, and how many runs are left out: the runs with a line
/// nearest to the pointer, which is so far `up`, or the last ones where it is elsewhere.
pub fn nearest_runs(readings: Vec<Reading>, up: Option<f64>, most: usize) -> (Vec<Reading>, usize) {
    let mut runs: Vec<Vec<Reading>> = Vec::new();
    for reading in readings {
        match runs.last_mut() {
            Some(run) if run.iter().any(|other| other.id == reading.id) => run.push(reading),
            _ => runs.push(vec![reading]),
        }
    }
    runs.reverse();
    if let Some(up) = up {
        let distance = |run: &[Reading]| {
            let distances = run.iter().map(|reading| (reading.place.1 - up).abs());
            distances.fold(f64::INFINITY, f64::min)
        };
        runs.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
    }
    let left_out = runs.len().saturating_sub(most);
    runs.truncate(most);
    (runs.into_iter().flatten().collect(), left_out)
}
