//! Asks the examiner about what is on the pad, as fast as it answers and no faster.

use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use crate::latest::Latest;
use crate::page::state::examiner::{Examiner, NoAnswer};
use kiln_run::protocol::{Answer, Question, RunId};

/// A question, and the runs that it is about.
type Asked = (Vec<RunId>, Question);

/// An answer or why there is none, and the runs that were asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The runs, in the order of the question.
    pub runs: Vec<RunId>,
    /// What came of it.
    pub answer: Result<Answer, NoAnswer>,
}

/// Asks one question at a time; the newest takes the place of those that wait. A handle that is
/// copied about.
#[derive(Clone, Copy)]
pub struct Asker {
    /// The newest answer that is still of use.
    pub answered: RwSignal<Option<Answered>>,
    examiner: Examiner,
    latest: StoredValue<Latest<Asked>, ThisThread>,
}

impl Asker {
    /// One that has asked nothing.
    pub fn new(examiner: Examiner) -> Self {
        Self {
            answered: RwSignal::new(None),
            examiner,
            latest: StoredValue::new_local(Latest::Idle),
        }
    }

    /// Asks at once, or as soon as the answer under way is there.
    pub fn ask(self, runs: Vec<RunId>, question: Question) {
        let now = self
            .latest
            .try_update_value(|latest| latest.want((runs, question)));
        if let Some(asked) = now.flatten() {
            self.send(asked);
        }
    }

    /// Takes every question back, and the answer that was there.
    pub fn forget(self) {
        self.latest.update_value(Latest::forget);
        if self.answered.with_untracked(Option::is_some) {
            self.answered.set(None);
        }
    }

    fn send(self, (runs, question): Asked) {
        wasm_bindgen_futures::spawn_local(async move {
            let answer = self.examiner.ask(question).await;
            let Some((is_wanted, next)) = self.latest.try_update_value(Latest::answered) else {
                // The view was left meanwhile.
                return;
            };
            if is_wanted {
                drop(self.answered.try_set(Some(Answered { runs, answer })));
            }
            if let Some(next) = next {
                self.send(next);
            }
        });
    }
}
