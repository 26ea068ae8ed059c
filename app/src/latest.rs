//! Asks no more than one thing at a time, and after it only the newest.

/// What is asked while something newer keeps coming: at most one question is under way, at most
/// one more waits, and it is always the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latest<T> {
    /// Nothing is under way.
    Idle,
    /// A question is under way.
    Asking {
        /// Whether its answer is still of use.
        is_wanted: bool,
        /// What to ask after it.
        next: Option<T>,
    },
}

impl<T> Latest<T> {
    /// Takes in a question; it comes back where it is to be asked at once.
    pub fn want(&mut self, question: T) -> Option<T> {
        match self {
            Self::Idle => {
                *self = Self::Asking {
                    is_wanted: true,
                    next: None,
                };
                Some(question)
            }
            Self::Asking { next, .. } => {
                *next = Some(question);
                None
            }
        }
    }

    /// Nothing is wanted any more: neither what waits nor the answer under way.
    pub fn forget(&mut self) {
        if let Self::Asking { is_wanted, next } = self {
            *is_wanted = false;
            *next = None;
        }
    }

    /// The question under way has its answer. Says whether that is still of use, and what to ask
    /// now.
    pub fn answered(&mut self) -> (bool, Option<T>) {
        match std::mem::replace(self, Self::Idle) {
            Self::Idle => (false, None),
            Self::Asking { is_wanted, next } => {
                let now = next.and_then(|question| self.want(question));
                (is_wanted, now)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_question_takes_the_place_of_those_that_wait() {
        let mut latest = Latest::Idle;
        assert_eq!(latest.want(1), Some(1));
        assert_eq!(latest.want(2), None);
        assert_eq!(latest.want(3), None);
        // An answer that comes while more is drawn is shown all the same.
        assert_eq!(latest.answered(), (true, Some(3)));
        assert_eq!(latest.answered(), (true, None));
        assert_eq!(latest, Latest::Idle);
        assert_eq!(latest.want(4), Some(4));
    }

    #[test]
    fn what_is_forgotten_is_neither_asked_nor_shown() {
        let mut latest = Latest::Idle;
        latest.want(1);
        latest.want(2);
        latest.forget();
        assert_eq!(latest.answered(), (false, None));
        // What is wanted after that is.
        latest.want(3);
        latest.forget();
        assert_eq!(latest.want(4), None);
        assert_eq!(latest.answered(), (false, Some(4)));
        assert_eq!(latest.answered(), (true, None));
    }

    #[test]
    fn an_answer_that_nobody_asked_for_changes_nothing() {
        let mut latest = Latest::<u32>::Idle;
        latest.forget();
        assert_eq!(latest.answered(), (false, None));
        assert_eq!(latest, Latest::Idle);
    }
}
