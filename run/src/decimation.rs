//! The points of a line that are seen, where there are more than pixels.

use crate::smoothing::Point;

/// The points between `from` and `to` that matter to a curve drawn so many pixels wide, and the
/// nearest on either side: of each column of pixels the first, the least, the greatest and the
/// last. Every extreme stays, and so do values that are no numbers.
pub fn decimate(points: &[Point], (from, to): (f64, f64), columns: usize) -> Vec<Point> {
    let start = points.partition_point(|point| point.0 < from);
    let end = points.partition_point(|point| point.0 <= to);
    let points = &points[start.saturating_sub(1)..(end + 1).min(points.len())];
    if points.len() <= columns * 2 || to <= from {
        return points.to_vec();
    }
    let column = |x: f64| ((x - from) / (to - from) * columns as f64).floor() as i64;
    let mut kept = Vec::with_capacity(4 * columns);
    for chunk in points.chunk_by(|a, b| column(a.0) == column(b.0)) {
        let (mut least, mut greatest) = (0, 0);
        let mut broken = None;
        for (index, (_, y)) in chunk.iter().enumerate() {
            if y.is_nan() {
                broken = Some(index);
            }
            if chunk[least].1.is_nan() || *y < chunk[least].1 {
                least = index;
            }
            if chunk[greatest].1.is_nan() || *y > chunk[greatest].1 {
                greatest = index;
            }
        }
        let mut indices = vec![0, least, greatest, chunk.len() - 1];
        indices.extend(broken);
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| chunk[index]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimation_keeps_every_extreme_and_both_ends() {
        let points: Vec<Point> = (0..10_000)
            .map(|index| {
                let x = f64::from(index);
                (
                    x,
                    if index == 4_321 {
                        99.0
                    } else {
                        (x / 50.0).sin()
                    },
                )
            })
            .collect();
        let kept = decimate(&points, (0.0, 9_999.0), 100);
        assert!(kept.len() <= 404, "{}", kept.len());
        assert!(kept.contains(&points[4_321]));
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        for column in points.chunks(100) {
            let least = column
                .iter()
                .map(|point| point.1)
                .fold(f64::INFINITY, f64::min);
            assert!(kept.iter().any(|point| point.1 <= least));
        }
    }

    #[test]
    fn decimation_keeps_what_is_in_sight_and_its_neighbours() {
        let points: Vec<Point> = (0..10).map(|x| (f64::from(x), 1.0)).collect();
        assert_eq!(decimate(&points, (3.5, 5.0), 100), points[3..7]);
        assert_eq!(decimate(&points, (20.0, 30.0), 100), points[9..]);
        assert_eq!(decimate(&[], (0.0, 1.0), 10), []);
    }

    #[test]
    fn a_value_that_is_no_number_stays() {
        let mut points: Vec<Point> = (0..1_000).map(|x| (f64::from(x), 1.0)).collect();
        points[503].1 = f64::NAN;
        let kept = decimate(&points, (0.0, 999.0), 10);
        assert!(kept.iter().any(|point| point.0 == 503.0));
    }
}
