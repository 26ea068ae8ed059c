//! A chart as a drawing: where its lines stand, and the whole of it as SVG.

use crate::format;
use crate::protocol::RunId;
use crate::series::{Axis, Curve, Kind, Point, Subject, decimate, ticks};

/// The curves of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Strand {
    /// The run's name.
    pub name: String,
    /// Its colour in CSS.
    pub colour: &'static str,
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

impl Frame {
    /// The frame in which all curves are seen, or what of them is between the two `zoomed` places.
    pub fn around<'a>(
        strands: impl Iterator<Item = &'a Strand> + Clone,
        subject: Subject,
        axis: Axis,
        zoomed: Option<(f64, f64)>,
        is_log: bool,
        utc_offset_ms: f64,
    ) -> Self {
        let curves = || strands.clone().flat_map(|strand| &strand.curves);
        let ends = curves().flat_map(|curve| [curve.points.first(), curve.points.last()]);
        let places = ends.flatten().map(|point| point.0);
        let (first, last) = places.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(x), high.max(x))
        });
        let whole = match axis {
            _ if first > last => (0.0, 1.0),
            Axis::Clock => (first, last.max(first + 1_000.0)),
            _ => (0.0, if last > 0.0 { last } else { 1.0 }),
        };
        let x = zoomed.unwrap_or(whole);
        let in_sight = curves().flat_map(|curve| {
            let from = curve.points.partition_point(|point| point.0 < x.0);
            let to = curve.points.partition_point(|point| point.0 <= x.1);
            &curve.points[from..to]
        });
        let values = in_sight.map(|point| point.1);
        let values = values.filter(|y| y.is_finite() && (!is_log || *y > 0.0));
        let (least, greatest) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
                (low.min(y), high.max(y))
            });
        let (y, y_ticks) = if is_log {
            decades(least, greatest)
        } else {
            let highest = if greatest > 0.0 { greatest * 1.05 } else { 1.0 };
            let lowest = if zoomed.is_some() && least.is_finite() {
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
            let bottom = if zoomed.is_some() {
                (lowest / step).floor().max(0.0) * step
            } else {
                0.0
            };
            ((bottom, top), ticks(bottom, top))
        };
        Self {
            x,
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
            let shown = nearest(curve.shown(), x)?;
            let raw = nearest(&curve.points, x)?;
            Some(Reading {
                id,
                name: strand.name.clone(),
                colour: strand.colour,
                kind: curve.kind,
                raw: raw.1,
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
    /// What the curve is.
    pub kind: Kind,
    /// As measured, at the nearest point.
    pub raw: f64,
    /// Smoothed, where it is.
    pub smoothed: Option<f64>,
    /// Where the line stands in the chart: across and up, 0 to 1.
    pub place: Point,
}

/// The point of a curve nearest to `x`.
fn nearest(points: &[Point], x: f64) -> Option<Point> {
    let after = points.partition_point(|point| point.0 < x);
    [after.checked_sub(1), Some(after)]
        .into_iter()
        .flatten()
        .filter_map(|index| points.get(index))
        .min_by(|a, b| (a.0 - x).abs().total_cmp(&(b.0 - x).abs()))
        .copied()
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

const MINUTE_MS: f64 = 60_000.0;
const DAY_MS: f64 = 86_400_000.0;

/// Round times of a clock between two moments, few enough to stand side by side.
fn clock_ticks((from, to): (f64, f64), utc_offset_ms: f64) -> Vec<f64> {
    const MOST: f64 = 3.0;
    const STEPS_SECS: [f64; 18] = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0,
        7_200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0,
    ];
    let rough = (to - from) / MOST;
    let round = STEPS_SECS.map(|secs| 1_000.0 * secs);
    let step = round.into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or((rough / DAY_MS).ceil() * DAY_MS);
    let first = ((from + utc_offset_ms) / step).ceil();
    let last = ((to + utc_offset_ms) / step).floor();
    let count = (last - first).max(-1.0) as i64 + 1;
    (0..count)
        .map(|index| (first + index as f64) * step - utc_offset_ms)
        .collect()
}

/// A logarithmic axis around values, with its ticks: powers of ten, and 2 and 5 times them where
/// there are few.
fn decades(least: f64, greatest: f64) -> (Point, Vec<f64>) {
    if least > greatest {
        return ((0.1, 1.0), vec![0.1, 1.0]);
    }
    let (low, high) = (least / 1.05, greatest * 1.05);
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let few: &[f64] = if last - first <= 2 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    let every = ((last - first) as usize / 6).max(1);
    let is_inside = |tick: &f64| (low..=high).contains(tick);
    let round: Vec<f64> = (first..=last)
        .step_by(every)
        .flat_map(|power| few.iter().map(move |factor| factor * 10.0_f64.powi(power)))
        .filter(is_inside)
        .collect();
    if round.len() > 1 {
        return ((low, high), round);
    }
    // Between two such numbers the axis is as good as an even one.
    let even = ticks(low, high).into_iter().filter(is_inside);
    ((low, high), even.collect())
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 56.0;

/// Width and height of [`svg`], in pixels.
pub const SIZE: (f64, f64) = (WIDTH, HEIGHT);

/// The chart as a file of its own, on white.
pub fn svg(strands: &[Strand], frame: &Frame, subject: Subject, axis: Axis) -> String {
    let (width, height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let x_of = |across: f64| LEFT + across * width;
    let y_of = |up: f64| TOP + (1.0 - up) * height;
    let mut body = String::new();
    for tick in &frame.y_ticks {
        if let Some(up) = frame.up(*tick) {
            let (y, right) = (y_of(up), WIDTH - RIGHT);
            body += &format!(
                "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#e4e1da\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                frame.write_y(*tick)
            );
        }
    }
    for tick in &frame.x_ticks {
        body += &format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            x_of(frame.across(*tick)),
            HEIGHT - BOTTOM + 20.0,
            frame.write_x(axis, *tick)
        );
    }
    body += "<g clip-path=\"url(#in)\">";
    let path = |kind, points: &[Point]| {
        let lines = frame.lines(kind, points, width as usize);
        let text = |line: &Vec<Point>| {
            let places = line.iter().enumerate().map(|(index, (across, up))| {
                let letter = if index == 0 { 'M' } else { 'L' };
                format!("{letter}{:.1} {:.1}", x_of(*across), y_of(*up))
            });
            places.collect::<String>()
        };
        lines.iter().map(text).collect::<String>()
    };
    for strand in strands {
        for curve in &strand.curves {
            let colour = strand.colour;
            if !curve.smoothed.is_empty() {
                let d = path(curve.kind, &curve.points);
                body +=
                    &format!("<path class=\"c\" d=\"{d}\" stroke=\"{colour}\" opacity=\".25\"/>");
            }
            let style = match curve.kind {
                Kind::Validation => " stroke-dasharray=\"5 4\"",
                Kind::EpochMean => " opacity=\".6\"",
                Kind::Training | Kind::Plain => "",
            };
            let d = path(curve.kind, curve.shown());
            body += &format!(
                "<path class=\"c\" d=\"{d}\" stroke=\"{colour}\" stroke-width=\"1.5\"{style}/>"
            );
        }
    }
    body += "</g>";
    let mut left = LEFT;
    let mut legend = String::new();
    for strand in strands {
        legend += &format!(
            "<rect x=\"{left:.0}\" y=\"34\" width=\"12\" height=\"4\" fill=\"{}\"/>\
             <text x=\"{:.0}\" y=\"40\">{}</text>",
            strand.colour,
            left + 16.0,
            format::escape(&strand.name)
        );
        left += 32.0 + 7.0 * strand.name.chars().count() as f64;
        if left > WIDTH - 120.0 {
            break;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" font-family=\"ui-sans-serif, system-ui, sans-serif\" font-size=\"12\" fill=\"#68645c\">\
         <style>.c{{fill:none;stroke-linejoin:round}}</style>\
         <clipPath id=\"in\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{width}\" height=\"{height}\"/></clipPath>\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"15\" fill=\"#1c1b19\">{}</text>{legend}{body}\
         <text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text></svg>\n",
        subject.title(),
        WIDTH - RIGHT,
        HEIGHT - 12.0,
        axis.label(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strand(points: Vec<Point>) -> Strand {
        Strand {
            name: "a <b> & c".to_owned(),
            colour: "#2f7fd6",
            curves: vec![Curve {
                kind: Kind::Plain,
                points,
                smoothed: Vec::new(),
            }],
            changes: Vec::new(),
        }
    }

    fn frame(strand: &Strand, zoomed: Option<(f64, f64)>, is_log: bool) -> Frame {
        Frame::around(
            [strand].into_iter(),
            Subject::Loss,
            Axis::Step,
            zoomed,
            is_log,
            0.0,
        )
    }

    #[test]
    fn a_clock_has_round_times_of_its_own_time_zone() {
        const HOUR_MS: f64 = 3_600_000.0;
        // 2026-11-23 14:02:09 UTC, in a zone that is half an hour off the hours of others.
        let (from, offset) = (1_795_442_529_000.0, 5.5 * HOUR_MS);
        let write = |span_ms: f64| {
            let strand = strand(vec![(from, 1.0), (from + span_ms, 2.0)]);
            let frame = Frame::around(
                [&strand].into_iter(),
                Subject::Loss,
                Axis::Clock,
                None,
                false,
                offset,
            );
            let ticks = frame.x_ticks.iter();
            ticks
                .map(|tick| frame.write_x(Axis::Clock, *tick))
                .collect::<Vec<_>>()
        };
        assert_eq!(write(20_000.0), ["19:32:10", "19:32:20"]);
        assert_eq!(write(2.0 * HOUR_MS), ["20:00", "21:00"]);
        let noons = ["11-24 00:00", "11-24 12:00", "11-25 00:00"];
        assert_eq!(write(30.0 * HOUR_MS), noons);
        let days = ["2026-11-24", "2026-11-25", "2026-11-26"];
        assert_eq!(write(72.0 * HOUR_MS), days);
        assert_eq!(write_place(Axis::Clock, from, 0.0), "2026-11-23 14:02:09");
    }

    #[test]
    fn a_frame_holds_all_points_from_zero() {
        let strand = strand(vec![(1.0, 2.3), (100.0, 0.4)]);
        let frame = frame(&strand, None, false);
        assert_eq!(frame.x, (0.0, 100.0));
        assert_eq!((frame.y.0, frame.up(0.0)), (0.0, Some(0.0)));
        assert!(frame.y.1 >= 2.3 && frame.y.1 < 3.1);
        assert_eq!(frame.x_at(frame.across(37.0)), 37.0);
    }

    #[test]
    fn zooming_fits_what_is_in_sight() {
        let strand = strand(
            (1..=100)
                .map(|x| (f64::from(x), 200.0 - f64::from(x)))
                .collect(),
        );
        let frame = frame(&strand, Some((50.0, 60.0)), false);
        assert_eq!(frame.x, (50.0, 60.0));
        assert!(frame.y.0 > 100.0 && frame.y.1 < 170.0, "{:?}", frame.y);
    }

    #[test]
    fn a_log_axis_always_has_ticks() {
        for tenths in -60..30 {
            let least = 10.0_f64.powf(f64::from(tenths) / 10.0);
            for factor in [1.0, 1.01, 1.3, 1.9, 7.0, 1e3, 1e9] {
                let ((low, high), ticks) = decades(least, least * factor);
                assert!(
                    (2..=20).contains(&ticks.len()),
                    "{least} × {factor}: {ticks:?}"
                );
                assert!(ticks.iter().all(|tick| (low..=high).contains(tick)));
            }
        }
    }

    #[test]
    fn a_log_scale_leaves_out_what_it_has_no_place_for() {
        let strand = strand(vec![(1.0, 0.0), (2.0, 0.001), (3.0, 10.0)]);
        let frame = frame(&strand, None, true);
        assert_eq!(frame.up(0.0), None);
        assert!(frame.y_ticks.contains(&0.01) || frame.y_ticks.contains(&0.1));
        let lines = frame.lines(Kind::Plain, &strand.curves[0].points, 100);
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_line_breaks_where_a_value_is_no_number() {
        let strand = strand(vec![(1.0, 1.0), (2.0, f64::NAN), (3.0, 1.0), (4.0, 1.0)]);
        let frame = frame(&strand, None, false);
        let points = &strand.curves[0].points;
        let lines = frame.lines(Kind::Plain, points, 100);
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(frame.broken(points), [0.5]);
    }

    #[test]
    fn an_epochs_mean_holds_over_the_epoch() {
        let strand = strand(vec![(10.0, 2.0), (20.0, 1.0)]);
        let frame = frame(&strand, None, false);
        let lines = frame.lines(Kind::EpochMean, &strand.curves[0].points, 100);
        let across: Vec<f64> = lines[0].iter().map(|point| point.0).collect();
        assert_eq!(across, [0.0, 0.5, 0.5, 1.0]);
        // A clock says when the first epoch ended, not when it began.
        let runs = [strand];
        let frame = Frame::around(runs.iter(), Subject::Loss, Axis::Clock, None, false, 0.0);
        let lines = frame.lines(Kind::EpochMean, &runs[0].curves[0].points, 100);
        assert_eq!(lines[0].first().map(|point| point.0), Some(0.0));
        let half = strand_after(5.0, &runs[0]);
        let frame = Frame::around(
            runs.iter().chain([&half]),
            Subject::Loss,
            Axis::Clock,
            None,
            false,
            0.0,
        );
        let lines = frame.lines(Kind::EpochMean, &half.curves[0].points, 100);
        assert!(lines[0].iter().all(|point| point.0 > 0.0));
    }

    /// The same values, all of them later.
    fn strand_after(later: f64, of: &Strand) -> Strand {
        let mut strand = of.clone();
        for point in &mut strand.curves[0].points {
            point.0 += later;
        }
        strand
    }

    #[test]
    fn the_runs_nearest_to_the_pointer_are_read() {
        let runs: Vec<Strand> = (1..=6)
            .map(|run| strand(vec![(0.0, f64::from(run)), (10.0, f64::from(run))]))
            .collect();
        let frame = Frame::around(runs.iter(), Subject::Loss, Axis::Step, None, false, 0.0);
        let readings: Vec<Reading> = runs
            .iter()
            .zip(1..)
            .flat_map(|(strand, id)| frame.read(RunId(id), strand, 3.0))
            .collect();
        let ids = |up| {
            let (readings, left_out) = nearest_runs(readings.clone(), up, 2);
            assert_eq!(left_out, 4);
            readings
                .iter()
                .map(|reading| reading.id.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(frame.up(2.2)), [2, 3]);
        assert_eq!(ids(frame.up(5.9)), [6, 5]);
        assert_eq!(ids(None), [6, 5]);
    }

    #[test]
    fn nothing_to_draw_is_an_empty_frame() {
        let empty = strand(Vec::new());
        for is_log in [false, true] {
            let frame = frame(&empty, None, is_log);
            assert!(frame.y.0 < frame.y.1 && frame.x.0 < frame.x.1);
        }
    }

    #[test]
    fn the_file_is_text_whatever_a_run_is_called() {
        let strand = strand(vec![(1.0, 2.0), (2.0, 1.0)]);
        let frame = frame(&strand, None, false);
        let file = svg(&[strand], &frame, Subject::Loss, Axis::Step);
        assert!(file.contains("a &lt;b&gt; &amp; c"));
        assert!(file.starts_with("<svg ") && file.ends_with("</svg>\n"));
        assert!(!file.contains("NaN") && !file.contains("inf"));
    }
}
