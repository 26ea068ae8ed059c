//! Curves between 0 and 1 as lines of an SVG drawing.

use kiln_model::evaluation::CurvePoint;

/// Units of the drawing from left to right and from bottom to top.
pub const UNITS: f64 = 10_000.0;
/// A point nearer to the one before than this, in both directions, is left out.
const NEAR: f64 = 20.0;

/// The part of the plane in sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// All of it.
    Whole,
    /// The upper left corner, where a good network's ROC curve bends.
    Corner,
}

impl Window {
    /// What is in sight from left to right.
    pub fn x(self) -> (f64, f64) {
        match self {
            Self::Whole => (0.0, 1.0),
            Self::Corner => (0.0, 0.1),
        }
    }

    /// What is in sight from bottom to top.
    pub fn y(self) -> (f64, f64) {
        match self {
            Self::Whole => (0.0, 1.0),
            Self::Corner => (0.9, 1.0),
        }
    }

    /// Where a point stands: from 0 at the left to 1, and from 0 at the top to 1.
    pub fn place(self, x: f64, y: f64) -> (f64, f64) {
        let share = |value: f64, (from, to): (f64, f64)| (value - from) / (to - from);
        let (across, up) = (share(x, self.x()), share(y, self.y()));
        (across, 1.0 - up)
    }

    /// Whether a point is in sight.
    pub fn holds(self, x: f64, y: f64) -> bool {
        let is_within = |value: f64, (from, to): (f64, f64)| (from..=to).contains(&value);
        is_within(x, self.x()) && is_within(y, self.y())
    }

    /// Six marks along a side.
    pub fn marks((from, to): (f64, f64)) -> [f64; 6] {
        std::array::from_fn(|index| from + (to - from) * index as f64 / 5.0)
    }
}

/// A curve as the path of a drawing of [`UNITS`]. Points that nobody could tell apart are drawn
/// once.
pub fn path(points: &[CurvePoint], window: Window) -> String {
    let mut path = String::new();
    let mut before: Option<(f64, f64)> = None;
    for (index, point) in points.iter().enumerate() {
        let (across, down) = window.place(point.x, point.y);
        let (x, y) = (UNITS * across, UNITS * down);
        let is_near =
            before.is_some_and(|before| (x - before.0).abs() < NEAR && (y - before.1).abs() < NEAR);
        if is_near && index + 1 < points.len() {
            continue;
        }
        let letter = if before.is_none() { 'M' } else { 'L' };
        path += &format!("{letter}{} {}", x.round() as i32, y.round() as i32);
        before = Some((x, y));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(count: u32) -> Vec<CurvePoint> {
        (0..=count)
            .map(|index| {
                let x = f64::from(index) / f64::from(count);
                CurvePoint {
                    x,
                    y: x.sqrt(),
                    threshold: None,
                }
            })
            .collect()
    }

    #[test]
    fn a_long_curve_becomes_a_short_path_from_end_to_end() {
        let path = path(&curve(100_000), Window::Whole);
        assert!(path.matches('L').count() < 1_000, "{}", path.len());
        assert!(path.starts_with("M0 10000"));
        assert!(path.ends_with("L10000 0"));
        assert_eq!(super::path(&[], Window::Whole), "");
    }

    #[test]
    fn the_corner_is_the_upper_left_tenth() {
        assert_eq!(Window::Corner.place(0.0, 1.0), (0.0, 0.0));
        assert!(Window::Corner.holds(0.05, 0.95));
        assert!(!Window::Corner.holds(0.05, 0.85));
        assert!((Window::marks(Window::Corner.y())[5] - 1.0).abs() < 1e-12);
    }
}
