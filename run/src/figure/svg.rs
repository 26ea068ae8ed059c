//! A chart as an SVG file.

use super::cuts::{Cut, MARK};
use super::{Frame, Strand};
use crate::format;
use crate::series::{Axis, Kind, Point, Subject};

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
    let text = |line: &Vec<Point>| {
        let places = line.iter().enumerate().map(|(index, (across, up))| {
            let letter = if index == 0 { 'M' } else { 'L' };
            format!("{letter}{:.1} {:.1}", x_of(*across), y_of(*up))
        });
        places.collect::<String>()
    };
    let path = |kind, points: &[Point]| {
        let lines = frame.lines(kind, points, width as usize);
        lines.iter().map(text).collect::<String>()
    };
    let triangle = |cut: Cut| {
        let (x, half) = (x_of(cut.across), MARK / 2.0);
        let (edge, inward) = match cut.is_above {
            true => (TOP, half),
            false => (TOP + height, -half),
        };
        format!(
            "M{:.1} {:.1}h{MARK}L{x:.1} {edge:.1}z",
            x - half,
            edge + inward
        )
    };
    for strand in strands {
        for curve in &strand.curves {
            let colour = strand.colour;
            if !curve.smoothed.is_empty() {
                let d = path(curve.kind, &curve.points);
                body +=
                    &format!("<path class=\"c\" d=\"{d}\" stroke=\"{colour}\" opacity=\".25\"/>");
            }
            let band = frame.band(curve, width as usize);
            if !band.is_empty() {
                let d = text(&band);
                body += &format!("<path d=\"{d}z\" fill=\"{colour}\" fill-opacity=\".15\"/>");
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
            let cuts = frame.cuts(curve, (width / MARK) as usize);
            if !cuts.is_empty() {
                let d: String = cuts.into_iter().map(triangle).collect();
                body += &format!("<path d=\"{d}\" fill=\"{colour}\"/>");
            }
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
