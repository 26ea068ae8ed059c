//! The wrong answers that the network was surest of.

use super::Predictions;

/// How many mistakes are shown at most.
pub const CONFIDENT_MISTAKES: usize = 60;

/// A wrong answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mistake {
    /// The image, counted from 0.
    pub image: usize,
    /// The digit it is.
    pub label: u8,
    /// The digit it was taken for.
    pub answer: u8,
    /// How sure the network was of that, 0 to 1.
    pub confidence: f32,
}

/// The wrong answers, the surest first and equals in the order of their images; at most
/// [`CONFIDENT_MISTAKES`].
pub fn confident_mistakes(predictions: &Predictions) -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = predictions
        .iter()
        .enumerate()
        .filter(|(_, prediction)| !prediction.is_right())
        .map(|(image, prediction)| Mistake {
            image,
            label: prediction.label,
            answer: prediction.answer,
            confidence: prediction.confidence(),
        })
        .collect();
    mistakes.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    mistakes.truncate(CONFIDENT_MISTAKES);
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::CLASSES;

    #[test]
    fn the_surest_come_first_and_right_answers_never() {
        let mut predictions = Predictions::default();
        for (answer, sureness) in [(1, 3.0), (2, 5.0), (0, 9.0), (3, 5.0)] {
            let mut logits = [0.0; CLASSES];
            logits[answer] = sureness;
            predictions.add(&logits, &[0]).unwrap();
        }
        let mistakes = confident_mistakes(&predictions);
        assert_eq!(
            Vec::from_iter(mistakes.iter().map(|mistake| mistake.image)),
            [1, 3, 0]
        );
        assert_eq!((mistakes[0].label, mistakes[0].answer), (0, 2));
        assert!(mistakes[1].confidence > mistakes[2].confidence);
    }

    #[test]
    fn there_are_never_more_than_are_shown() {
        let mut predictions = Predictions::default();
        predictions.add(&[0.0; 100 * CLASSES], &[5; 100]).unwrap();
        assert_eq!(confident_mistakes(&predictions).len(), CONFIDENT_MISTAKES);
    }
}
