//! How the values of a tensor are spread.

use super::messages::{Histogram, Value};

/// As many buckets as TensorBoard makes.
const BUCKETS: usize = 30;

/// A tensor's values in buckets of one width, as TensorBoard's `histogram_pb` counts them; nothing
/// where none is a finite number.
pub fn value(tag: String, values: &[f32]) -> Option<Value> {
    let finite = || {
        let values = values.iter().copied();
        values.filter(|value| value.is_finite()).map(f64::from)
    };
    let (min, max) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
    let mut histo = Histogram {
        min,
        max,
        num: finite().count() as f64,
        sum: finite().sum(),
        sum_squares: finite().map(|value| value * value).sum(),
        ..Histogram::default()
    };
    let width = (max - min) / BUCKETS as f64;
    if width > 0.0 {
        histo.bucket = vec![0.0; BUCKETS];
        for value in finite() {
            let place = ((value - min) / width) as usize;
            // The greatest value is the upper end of the last bucket.
            if let Some(count) = histo.bucket.get_mut(place.min(BUCKETS - 1)) {
                *count += 1.0;
            }
        }
        let ends = 1..BUCKETS;
        let ends = ends.map(|bucket| width.mul_add(bucket as f64, min));
        histo.bucket_limit = ends.chain([max]).collect();
    } else {
        (histo.bucket_limit, histo.bucket) = (vec![max], vec![histo.num]);
    }
    Some(Value {
        tag,
        histo: Some(histo),
        ..Value::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[f32]) -> Option<Histogram> {
        value("w".to_owned(), values)?.histo
    }

    #[test]
    fn every_finite_value_is_in_a_bucket() {
        let values: Vec<f32> = (0..=60).map(|value| value as f32 / 2.0).collect();
        let histo = histogram(&values).unwrap();
        assert_eq!((histo.min, histo.max, histo.num), (0.0, 30.0, 61.0));
        assert_eq!((histo.sum, histo.sum_squares), (915.0, 18_452.5));
        let mut counts = [2.0; 30];
        counts[29] = 3.0;
        assert_eq!(histo.bucket, counts);
        let ends: Vec<f64> = (1..=30).map(f64::from).collect();
        assert_eq!(histo.bucket_limit, ends);
        let odd = histogram(&[f32::NAN, 1.0, f32::NEG_INFINITY, f32::MAX, f32::MIN]).unwrap();
        assert_eq!((odd.num, odd.bucket.iter().sum::<f64>()), (3.0, 3.0));
    }

    #[test]
    fn equal_values_are_one_bucket_and_none_are_no_histogram() {
        let histo = histogram(&[0.5; 7]).unwrap();
        assert_eq!((histo.min, histo.max), (0.5, 0.5));
        assert_eq!((histo.bucket_limit, histo.bucket), (vec![0.5], vec![7.0]));
        assert_eq!(histogram(&[]), None);
        assert_eq!(histogram(&[f32::NAN]), None);
    }
}
