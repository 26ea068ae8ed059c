//! The order of images: whether it goes by class, and another one.

use rand::seq::SliceRandom as _;

use crate::histogram::Histogram;
use crate::random::{Purpose, numbers};
use crate::spec::PIXELS;

/// Labels follow another label so many times less often than they would in a random order, at
/// least, where data is sorted.
const RARER: f64 = 4.0;
/// So few images may have any order by chance.
const FEWEST: usize = 50;

/// Whether labels come in runs: all of one class, then all of the next, or in parts that do. The
/// last of such images are no fair test of what was learned from the first.
pub fn is_sorted_by_class(labels: &[u8]) -> bool {
    if labels.len() < FEWEST {
        return false;
    }
    let changes = labels.windows(2).filter(|two| two[0] != two[1]).count();
    let histogram = Histogram::new(labels);
    // The chance that two images drawn at random are of one class.
    let same: f64 = (0..histogram.counts.len())
        .filter_map(|class| histogram.share(class))
        .map(|share| share * share)
        .sum();
    changes > 0 && RARER * (changes as f64) < (labels.len() - 1) as f64 * (1.0 - same)
}

/// Puts images and their labels, as many as there are images, into an order that follows from the
/// seed alone.
pub fn shuffle(pixels: &mut [u8], labels: &mut [u8], seed: u32) {
    // From which place the image of each place comes.
    let mut from: Vec<u32> = (0..labels.len() as u32).collect();
    from.shuffle(&mut numbers(seed, Purpose::Import, 0));
    // In place, cycle by cycle: there may be no room for all images twice.
    let mut first = [0; PIXELS];
    for start in 0..from.len() {
        let at = |place: usize| PIXELS * place..PIXELS * (place + 1);
        let first_label = labels[start];
        first.copy_from_slice(&pixels[at(start)]);
        let mut place = start;
        loop {
            let source = from[place] as usize;
            // A place that is its own source is done.
            from[place] = place as u32;
            if source == start || source == place {
                break;
            }
            pixels.copy_within(at(source), PIXELS * place);
            labels[place] = labels[source];
            place = source;
        }
        pixels[at(place)].copy_from_slice(&first);
        labels[place] = first_label;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_labels_are_told_from_a_mixture() {
        let sorted: Vec<u8> = (0..1_000).map(|index| (index / 100) as u8).collect();
        assert!(is_sorted_by_class(&sorted));
        // Parts that are sorted each, as where files of classes were joined.
        assert!(is_sorted_by_class(&sorted.repeat(3)));
        let tens: Vec<u8> = (0..1_000).map(|index| (index / 10 % 10) as u8).collect();
        assert!(is_sorted_by_class(&tens));
        let two: Vec<u8> = (0..1_000).map(|index| u8::from(index > 900)).collect();
        assert!(is_sorted_by_class(&two));
        let mixed: Vec<u8> = (0..1_000).map(|index| (index * 7 % 10) as u8).collect();
        assert!(!is_sorted_by_class(&mixed));
        assert!(!is_sorted_by_class(&[3; 1_000]));
        assert!(!is_sorted_by_class(&[]));
        let mut shuffled = sorted.clone();
        shuffle(&mut vec![0; 1_000 * PIXELS], &mut shuffled, 3);
        assert!(!is_sorted_by_class(&shuffled));
    }

    #[test]
    fn images_keep_their_labels_in_an_order_of_the_seed() {
        for len in [0_usize, 1, 2, 3, 250] {
            let shuffled = |seed| {
                let mut labels: Vec<u8> = (0..len).map(|index| index as u8).collect();
                let mut pixels = Vec::from_iter(labels.iter().flat_map(|label| [*label; PIXELS]));
                shuffle(&mut pixels, &mut labels, seed);
                for (image, label) in pixels.chunks(PIXELS).zip(&labels) {
                    assert!(image.iter().all(|pixel| pixel == label));
                }
                labels
            };
            let (one, two) = (shuffled(1), shuffled(2));
            assert_eq!(one, shuffled(1));
            assert!(one != two || len < 4, "{one:?}");
            let mut sorted = one;
            sorted.sort_unstable();
            assert!(
                sorted
                    .iter()
                    .enumerate()
                    .all(|(index, label)| index == usize::from(*label))
            );
        }
    }
}
