//! What a threshold does, in a sentence.

use kiln_model::evaluation::Table;

use crate::classes::Classes;
use crate::format;

/// The calls of a class, 0 to 9, at a threshold.
pub fn sentence(table: &Table, threshold: f64, class: usize, classes: &Classes) -> String {
    let called = table.true_positives + table.false_positives;
    let of_class = table.true_positives + table.false_negatives;
    let missed = table.false_negatives;
    format!(
        "At {}, {} {} called {}: {} rightly (precision {}); {} of {} {} {} missed (recall {}).",
        written(threshold),
        format::count(called.into()),
        if called == 1 {
            "image is"
        } else {
            "images are"
        },
        classes.name(class),
        format::count(table.true_positives.into()),
        share(table.precision()),
        format::count(missed.into()),
        format::count(of_class.into()),
        classes.several(class),
        if missed == 1 { "is" } else { "are" },
        share(table.recall()),
    )
}

/// A threshold with two decimals, or with all that it has: never another than the one that counts.
pub fn written(threshold: f64) -> String {
    let short = format!("{threshold:.2}");
    if short.parse() == Ok(threshold) {
        short
    } else {
        threshold.to_string()
    }
}

/// A share with one decimal, such as `97.7 %`.
pub fn share(share: Option<f64>) -> String {
    share.map_or(format::NOTHING.to_owned(), |share| {
        format!("{:.1}\u{2009}%", 100.0 * share)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_the_agreed_one() {
        let table = Table {
            true_positives: 998,
            false_positives: 23,
            false_negatives: 30,
            true_negatives: 8_949,
        };
        let text = sentence(&table, 0.5, 7, &Classes::default()).replace('\u{2009}', " ");
        assert_eq!(
            text,
            "At 0.50, 1 021 images are called 7: 998 rightly (precision 97.7 %); 30 of 1 028 sevens are missed (recall 97.1 %)."
        );
    }

    #[test]
    fn a_threshold_is_written_as_it_is() {
        let all = [0.0, 0.5, 0.07, 0.999, 0.123_456, 1.0].map(written);
        assert_eq!(all, ["0.00", "0.50", "0.07", "0.999", "0.123456", "1.00"]);
    }

    #[test]
    fn one_and_none_are_said_as_they_should_be() {
        let table = |true_positives, false_negatives| Table {
            true_positives,
            false_positives: 0,
            false_negatives,
            true_negatives: 9,
        };
        let one = sentence(&table(1, 1), 0.25, 6, &Classes::default()).replace('\u{2009}', " ");
        assert_eq!(
            one,
            "At 0.25, 1 image is called 6: 1 rightly (precision 100.0 %); 1 of 2 sixes is missed (recall 50.0 %)."
        );
        let none = sentence(&table(0, 0), 1.0, 0, &Classes::default());
        assert_eq!(
            none,
            "At 1.00, 0 images are called 0: 0 rightly (precision –); 0 of 0 zeros are missed (recall –)."
        );
    }
}
