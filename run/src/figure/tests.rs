//! Charts as drawings.

use super::reading::*;
use super::svg::*;
use super::ticks::*;
use super::words::summary;
use super::*;
use crate::sight::Beginning;

const CLOCK: Sight = Sight {
    axis: Axis::Clock,
    from: Beginning::Start,
    smoothing: 0.0,
    is_log: false,
    cuts_outliers: false,
    groups_seeds: false,
};

fn strand(points: Vec<Point>) -> Strand {
    Strand {
        ends: points.first().zip(points.last()).map(|(a, b)| (a.0, b.0)),
        first_epoch: None,
        name: "a <b> & c".to_owned(),
        colour: "#2f7fd6",
        curves: vec![Curve {
            points,
            ..Curve::new(Kind::Plain)
        }],
        changes: Vec::new(),
    }
}

fn frame(strand: &Strand, zoomed: Option<(f64, f64)>, is_log: bool) -> Frame {
    let sight = Sight {
        is_log,
        ..Sight::default()
    };
    Frame::around([strand].into_iter(), Subject::Loss, &sight, zoomed, 0.0)
}

#[test]
fn a_clock_has_round_times_of_its_own_time_zone() {
    const HOUR_MS: f64 = 3_600_000.0;
    // 2026-11-23 14:02:09 UTC, in a zone that is half an hour off the hours of others.
    let (from, offset) = (1_795_442_529_000.0, 5.5 * HOUR_MS);
    let write = |span_ms: f64| {
        let strand = strand(vec![(from, 1.0), (from + span_ms, 2.0)]);
        let frame = Frame::around([&strand].into_iter(), Subject::Loss, &CLOCK, None, offset);
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
    let frame = Frame::around(runs.iter(), Subject::Loss, &CLOCK, None, 0.0);
    let lines = frame.lines(Kind::EpochMean, &runs[0].curves[0].points, 100);
    assert_eq!(lines[0].first().map(|point| point.0), Some(0.0));
    let half = strand_after(5.0, &runs[0]);
    let all = runs.iter().chain([&half]);
    let frame = Frame::around(all, Subject::Loss, &CLOCK, None, 0.0);
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
    let frame = Frame::around(runs.iter(), Subject::Loss, &Sight::default(), None, 0.0);
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

/// A noisy curve around 1 that goes up to 40 in three places, one of them two steps long, and down to
/// -40 in one.
fn spiky() -> Strand {
    let spikes = [
        (200, 40.0),
        (201, 35.0),
        (500, 9.0),
        (700, 40.0),
        (900, -40.0),
    ];
    let value = |x: u32| {
        let spike = spikes.iter().find(|spike| spike.0 == x);
        spike.map_or(1.0 + f64::from(x % 7) / 10.0, |spike| spike.1)
    };
    strand((1..=1_000).map(|x| (f64::from(x), value(x))).collect())
}

#[test]
fn outliers_are_cut_off_and_said_to_be() {
    let strand = spiky();
    let frame = |cuts_outliers, zoomed| {
        let sight = Sight {
            cuts_outliers,
            ..Sight::default()
        };
        Frame::around([&strand].into_iter(), Subject::Loss, &sight, zoomed, 0.0)
    };
    let curve = &strand.curves[0];
    let whole = frame(false, Some((1.0, 800.0)));
    assert!(whole.y.1 >= 40.0 && whole.cuts(curve, 100).is_empty());
    assert_eq!(whole.cut_off([&strand].into_iter()), None);

    let cut = frame(true, None);
    assert!(cut.y.1 < 3.0, "{:?}", cut.y);
    let cuts = cut.cuts(curve, 100);
    let places: Vec<(f64, bool)> = cuts.iter().map(|cut| (cut.across, cut.is_above)).collect();
    assert_eq!(
        places,
        [(0.2, true), (0.5, true), (0.7, true), (0.9, false)]
    );
    let top = cut.write_y(cut.y.1);
    let bottom = cut.write_y(cut.y.0);
    let said = format!("4 values are cut off above {top}, 1 value is cut off below {bottom}");
    assert_eq!(cut.cut_off([&strand].into_iter()), Some(said));
    // Marks do not stand on each other.
    assert_eq!(cut.cuts(curve, 1).len(), 2);
    // What is read is what was measured.
    assert_eq!(cut.read(RunId(1), &strand, 500.0)[0].raw, 9.0);
    // Where nothing is cut off nothing is said.
    let part = frame(true, Some((300.0, 400.0)));
    assert_eq!(part.cut_off([&strand].into_iter()), None);

    let file = svg(
        std::slice::from_ref(&strand),
        &cut,
        Subject::Loss,
        Axis::Step,
    );
    assert!(file.contains("fill=\"#2f7fd6\"/></g>"), "{file}");
    let words = summary([&strand].into_iter(), &cut, Subject::Loss, Axis::Step);
    assert!(
        words.contains("1.6000 at 1") && words.contains(". 4 values are cut off above"),
        "{words}"
    );
}

#[test]
fn what_falls_by_factors_is_cut_off_on_an_even_scale_alone() {
    let points = (0..=1_000).map(|x| (f64::from(x), 2.3 * 10.0_f64.powf(-f64::from(x) / 250.0)));
    let strand = strand(points.collect());
    for is_log in [false, true] {
        let sight = Sight {
            is_log,
            cuts_outliers: true,
            ..Sight::default()
        };
        let frame = Frame::around([&strand].into_iter(), Subject::Loss, &sight, None, 0.0);
        let cuts = frame.cuts(&strand.curves[0], 100);
        assert_eq!(cuts.len(), usize::from(!is_log));
    }
}

#[test]
fn a_whole_curve_is_never_cut_off() {
    let mut strand = strand(
        (1..=400)
            .map(|x| (f64::from(x), f64::from(x % 5)))
            .collect(),
    );
    strand.curves.push(Curve {
        points: vec![(100.0, 90.0), (200.0, 95.0), (300.0, 92.0), (400.0, 99.0)],
        ..strand.curves[0].clone()
    });
    let sight = Sight {
        cuts_outliers: true,
        ..Sight::default()
    };
    let frame = Frame::around([&strand].into_iter(), Subject::Loss, &sight, None, 0.0);
    assert!(frame.y.0 == 0.0 && frame.y.1 >= 99.0);
    strand.curves[0].is_thinned = true;
    strand.curves[0].points[7].1 = 1e6;
    let said = frame.cut_off([&strand].into_iter());
    assert_eq!(
        said.as_deref(),
        Some("At least 1 value is cut off above 125")
    );
}

#[test]
fn an_axis_that_begins_later_fits_what_is_left() {
    let mut strand = strand(
        (1..=100)
            .map(|x| (f64::from(x), 300.0 - f64::from(x)))
            .collect(),
    );
    strand.first_epoch = Some(50.0);
    let frame = |from, zoomed| {
        let sight = Sight {
            from,
            ..Sight::default()
        };
        Frame::around([&strand].into_iter(), Subject::Loss, &sight, zoomed, 0.0)
    };
    assert_eq!(frame(Beginning::Start, None).y.0, 0.0);
    let later = frame(Beginning::Epoch, None);
    assert_eq!((later.x, later.whole), ((50.0, 100.0), (50.0, 100.0)));
    assert!(later.y.0 > 100.0 && later.y.1 < 300.0, "{:?}", later.y);
    assert_eq!(frame(Beginning::Tenth, None).x, (10.0, 100.0));
    assert_eq!(frame(Beginning::Tenth, Some((2.0, 7.0))).x, (2.0, 7.0));
}

#[test]
fn a_group_is_drawn_and_told_with_its_band() {
    let mut strand = strand(vec![(0.0, 2.0), (5.0, 1.0), (10.0, 0.5)]);
    strand.curves[0].band = vec![(1.5, 4.0), (0.5, 1.5), (0.0, 1.0)];
    let even = frame(&strand, None, false);
    assert!(even.y.1 >= 4.0);
    let up = |y| even.up(y).unwrap();
    let outline = [
        (0.0, up(4.0)),
        (0.5, up(1.5)),
        (1.0, up(1.0)),
        (1.0, up(0.0)),
        (0.5, up(0.5)),
        (0.0, up(1.5)),
    ];
    assert_eq!(even.band(&strand.curves[0], 100), outline);
    // On a scale of factors what has no place is at the edge.
    let by_factors = frame(&strand, None, true);
    let outline = by_factors.band(&strand.curves[0], 100);
    assert_eq!((outline.len(), outline[3]), (6, (1.0, 0.0)));
    let reading = &even.read(RunId(1), &strand, 6.0)[0];
    let read = reading.write(Subject::Loss);
    assert_eq!(read, "mean 1.0000, 0.5000 to 1.5000");
    let words = summary([&strand].into_iter(), &even, Subject::Loss, Axis::Step);
    let end = "Measured mean 0.5000, 0.0000 to 1.0000 at 10";
    assert!(words.ends_with(end), "{words}");
    let file = svg(&[strand], &even, Subject::Loss, Axis::Step);
    assert!(file.contains("fill-opacity=\".15\""), "{file}");
}
