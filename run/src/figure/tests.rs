//! Charts as drawings.

use super::reading::*;
use super::svg::*;
use super::ticks::*;
use super::*;

fn strand(points: Vec<Point>) -> Strand {
    Strand {
        ends: points.first().zip(points.last()).map(|(a, b)| (a.0, b.0)),
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
    strand.ends = strand
        .ends
        .map(|(first, last)| (first + later, last + later));
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
