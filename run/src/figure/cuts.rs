//! Where a line leaves the chart, and what is said of it.

use super::{Frame, Strand, in_sight};
use crate::series::Curve;

/// Width of the triangle that marks where a line is cut off, twice its height, in pixels.
pub const MARK: f64 = 10.0;

/// Where a line leaves the chart above or below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// From 0 at the left of the chart to 1.
    pub across: f64,
    /// Whether above.
    pub is_above: bool,
}

impl Frame {
    /// Where a curve is cut off: of each stretch out of the chart the value that is furthest out, and
    /// at most one above and one below in each of so many `parts` from left to right.
    pub fn cuts(&self, curve: &Curve, parts: usize) -> Vec<Cut> {
        let beyond = |(x, low, high): (f64, f64, f64)| {
            let (above, below) = (self.up(high)? - 1.0, -self.up(low)?);
            Some((x, above, below))
        };
        let places: Vec<_> = in_sight(curve, self.x).filter_map(beyond).collect();
        let mut cuts = Vec::new();
        for is_above in [true, false] {
            let out = |place: &(f64, f64, f64)| if is_above { place.1 } else { place.2 };
            let stretches = places.chunk_by(|a, b| (out(a) > 0.0) == (out(b) > 0.0));
            let furthest = stretches.filter_map(|stretch| {
                let furthest = stretch.iter().max_by(|a, b| out(a).total_cmp(&out(b)))?;
                (out(furthest) > 0.0).then(|| Cut {
                    across: self.across(furthest.0),
                    is_above,
                })
            });
            let mut side: Vec<Cut> = furthest.collect();
            side.dedup_by_key(|cut| (cut.across * parts as f64) as usize);
            cuts.extend(side);
        }
        cuts
    }

    /// How many values are cut off, in words; nothing where none is.
    pub fn cut_off<'a>(&self, strands: impl Iterator<Item = &'a Strand>) -> Option<String> {
        let (mut above, mut below, mut is_least) = (0, 0, false);
        for curve in strands.flat_map(|strand| &strand.curves) {
            let before = above + below;
            for (_, low, high) in in_sight(curve, self.x) {
                above += usize::from(self.up(high).is_some_and(|up| up > 1.0));
                below += usize::from(self.up(low).is_some_and(|up| up < 0.0));
            }
            is_least |= curve.is_thinned && above + below > before;
        }
        let least = if is_least { "At least " } else { "" };
        let said = |count: usize, side: &str, edge: f64| {
            let values = match count {
                0 => return None,
                1 => "1 value is".to_owned(),
                _ => format!("{count} values are"),
            };
            Some(format!("{values} cut off {side} {}", self.write_y(edge)))
        };
        let sides = [
            said(above, "above", self.y.1),
            said(below, "below", self.y.0),
        ];
        let sides: Vec<String> = sides.into_iter().flatten().collect();
        (!sides.is_empty()).then(|| format!("{least}{}", sides.join(", ")))
    }
}
