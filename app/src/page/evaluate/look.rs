//! What is looked at: a run, its split and its epoch, and what follows from the answers to them.

use std::sync::Arc;

use futures::future::{AbortHandle, abortable};
use kiln_model::dataset::Part;
use kiln_model::evaluation::{Confusion, Predictions};
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use super::answers::{Answers, Sight, Which, find, pick};
use super::scored::{Scored, scored};
use crate::browser::store::KeptAnswers;
use crate::latest::Latest;
use crate::page::evaluate::gallery::OTHER_DATA;
use crate::page::state::examiner::OTHER_ANSWER;
use crate::page::state::trainer::Trainer;
use kiln_run::classes::Classes;
use kiln_run::evaluation::ranked::Ranked;
use kiln_run::protocol::{Answer, Question, RunId};

/// What is looked at; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Look {
    /// Holds runs and workers.
    pub trainer: Trainer,
    /// The run; nothing before there is one.
    pub run: RwSignal<Option<RunId>>,
    /// Which images.
    pub part: RwSignal<Part>,
    /// Which validation.
    pub which: RwSignal<Which>,
    /// Steps of the validations whose answers are kept.
    pub steps: RwSignal<Vec<u32>>,
    /// What there is to see.
    pub sight: RwSignal<Sight>,
    /// What follows from the order of the scores; it comes a little after the answers.
    pub ranked: RwSignal<Option<Arc<Ranked>>>,
    /// Why that could not be worked out.
    pub rank_failed: RwSignal<Option<String>>,
    /// The class that curves are about; nothing for the one with the lowest F1.
    pub class: RwSignal<Option<usize>>,
    /// From which probability on an image is called the class.
    pub threshold: RwSignal<f64>,
    /// Images scored, of all, while that goes on.
    pub scoring: RwSignal<Option<(u32, u32)>>,
    /// Why scoring came to nothing.
    pub score_failed: RwSignal<Option<String>>,
    private: StoredValue<Private, ThisThread>,
}

struct Private {
    /// What is to be shown, one after the other.
    latest: Latest<Wanted>,
    scoring: Option<AbortHandle>,
}

/// What is to be shown.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    /// Answers that are kept.
    Kept {
        run: RunId,
        part: Part,
        which: Which,
    },
    /// Those of a network that was just asked.
    Scored(Arc<Answers>),
}

impl Wanted {
    fn place(&self) -> (RunId, Part) {
        match self {
            Self::Kept { run, part, .. } => (*run, *part),
            Self::Scored(answers) => (answers.run, answers.part),
        }
    }
}

impl Look {
    /// What the classes of the run's data are called.
    pub fn classes(self) -> Memo<Classes> {
        Memo::new(move |_| {
            let record = self
                .run
                .get()
                .and_then(|id| self.trainer.library.record(id));
            record.map_or_else(Classes::default, |record| record.identity.classes)
        })
    }

    /// Epochs of training before the validation that is looked at.
    pub fn epoch(self) -> Option<f64> {
        let record = self.trainer.library.record(self.run.get()?)?;
        let step = self.steps.with(|steps| steps.get(self.place()).copied())?;
        Some(record.config.plan().epochs_after(step))
    }

    /// Nothing is looked at yet.
    pub fn new(trainer: Trainer) -> Self {
        let look = Self {
            trainer,
            run: RwSignal::new(None),
            part: RwSignal::new(Part::Test),
            which: RwSignal::new(Which::Last),
            steps: RwSignal::new(Vec::new()),
            sight: RwSignal::new(Sight::Reading),
            ranked: RwSignal::new(None),
            rank_failed: RwSignal::new(None),
            class: RwSignal::new(None),
            threshold: RwSignal::new(0.5),
            scoring: RwSignal::new(None),
            score_failed: RwSignal::new(None),
            private: StoredValue::new_local(Private {
                latest: Latest::Idle,
                scoring: None,
            }),
        };
        let private = look.private;
        on_cleanup(move || {
            let scoring = private.try_update_value(|private| private.scoring.take());
            if let Some(scoring) = scoring.flatten() {
                scoring.abort();
            }
        });
        // Answers that are kept meanwhile, and what becomes of the run.
        let news = Memo::new(move |_| {
            let id = look.run.get()?;
            let library = trainer.library;
            let answered = library.answered.get().filter(|(run, _)| *run == id);
            let record = library.records.with(|records| {
                let record = records.iter().find(|record| record.identity.id == id)?;
                Some((record.status, !record.has_checkpoint))
            });
            Some((answered, record, library.is_read.get()))
        });
        Effect::new(move |before: Option<Option<RunId>>| {
            // A memo follows its sources only once it is read.
            news.get();
            let (id, part, which) = (look.run.get(), look.part.get(), look.which.get());
            if let Some(id) = id {
                if before.flatten() != Some(id) {
                    look.cancel_scoring();
                    look.score_failed.set(None);
                    look.steps.set(Vec::new());
                    look.sight.set(Sight::Reading);
                    look.ranked.set(None);
                    look.rank_failed.set(None);
                }
                look.want(Wanted::Kept {
                    run: id,
                    part,
                    which,
                });
            }
            id
        });
        look
    }

    /// What there is to see, if that is answers.
    pub fn answers(self) -> Memo<Option<Arc<Answers>>> {
        Memo::new(move |_| match self.sight.get() {
            Sight::There(answers) => Some(answers),
            _ => None,
        })
    }

    /// The class that curves are about.
    pub fn class_now(self) -> usize {
        let weakest = || {
            self.ranked
                .with(|ranked| ranked.as_ref().map_or(0, |ranked| ranked.weakest()))
        };
        self.class.get().unwrap_or_else(weakest)
    }

    /// Looks at another run.
    pub fn choose(self, id: RunId) {
        self.which.set(Which::Last);
        self.class.set(None);
        self.run.set(Some(id));
    }

    /// Looks at a validation.
    pub fn go_to(self, step: u32) {
        self.part.set(Part::Validation);
        self.which.set(Which::Step(step));
    }

    /// Place among the validations of the one that is looked at.
    pub fn place(self) -> usize {
        let id = self.run.get();
        let config = id.and_then(|id| {
            let record = self.trainer.library.record(id)?;
            Some(record.config)
        });
        let steps = self.steps.get();
        let step = config.and_then(|config| pick(&steps, self.which.get(), &config));
        steps
            .iter()
            .position(|other| Some(*other) == step)
            .unwrap_or(0)
    }

    /// Shows this next. Whoever drags the epoch sees what was read last, however fast the hand.
    fn want(self, wanted: Wanted) {
        let now = self
            .private
            .try_update_value(|private| private.latest.want(wanted));
        if let Some(wanted) = now.flatten() {
            wasm_bindgen_futures::spawn_local(self.follow(wanted));
        }
    }

    /// Shows one after the other until nothing else is wanted.
    async fn follow(self, first: Wanted) {
        let mut next = Some(first);
        while let Some(wanted) = next {
            self.show(wanted).await;
            let after = self
                .private
                .try_update_value(|private| private.latest.answered());
            next = after.and_then(|(_, next)| next);
        }
    }

    /// Whether this split of this run is still looked at.
    fn is_at(self, place: (RunId, Part)) -> bool {
        let run = self.run.try_get_untracked().flatten();
        run.zip(self.part.try_get_untracked()) == Some(place)
    }

    /// Shows something else. What follows from the answers is never beside other answers: of a run that
    /// is looked at already both change at once, else it comes a little later.
    async fn show(self, wanted: Wanted) {
        let place = wanted.place();
        let (steps, sight) = match wanted {
            Wanted::Scored(answers) => (None, Sight::There(answers)),
            Wanted::Kept { run, part, which } => match find(self.trainer, run, part, which).await {
                Ok((steps, sight)) => (Some(steps), sight),
                Err(error) => {
                    let why = format!("The answers of this run could not be read: {error}.");
                    (Some(Vec::new()), Sight::Failed(why))
                }
            },
        };
        if !self.is_at(place) {
            return;
        }
        if let Some(steps) = steps.filter(|steps| self.steps.get_untracked() != *steps) {
            self.steps.set(steps);
        }
        let is_same = self.sight.get_untracked() == sight;
        if is_same && self.ranked.with_untracked(Option::is_some) {
            return;
        }
        let Sight::There(answers) = &sight else {
            self.ranked.set(None);
            return self.sight.set(sight);
        };
        let goes_on = self.sight.with_untracked(
            |shown| matches!(shown, Sight::There(other) if other.run == answers.run),
        );
        if !goes_on {
            self.ranked.set(None);
            self.sight.set(sight.clone());
        }
        let ranked = self.trainer.examiner.rank(&answers.predictions).await;
        if self.is_at(place) {
            self.rank_failed.set(ranked.as_ref().err().cloned());
            self.ranked.set(ranked.ok().map(Arc::new));
            self.sight.set(sight);
        }
    }

    /// Asks the network about every image of the split, and keeps what it says.
    pub fn score(self) {
        let Some(id) = self.run.get_untracked() else {
            return;
        };
        let part = self.part.get_untracked();
        self.score_failed.set(None);
        self.scoring.set(Some((0, 0)));
        let (task, handle) = abortable(self.ask(id, part));
        let before = self
            .private
            .try_update_value(|private| private.scoring.replace(handle));
        if let Some(before) = before.flatten() {
            before.abort();
        }
        wasm_bindgen_futures::spawn_local(async move {
            // An aborted one was left or cancelled, and what shows it has been told.
            if let Ok(asked) = task.await {
                self.scoring.try_set(None);
                if let Err(reason) = asked {
                    self.score_failed.try_set(Some(reason));
                }
            }
        });
    }

    async fn ask(self, id: RunId, part: Part) -> Result<(), String> {
        let gone = || "The weights of this run are no longer kept.".to_owned();
        let scored = scored(self.trainer, id).await;
        let scored = scored.map_err(|error| format!("The weights could not be read: {error}."))?;
        let Scored {
            config,
            weights,
            step,
        } = scored.ok_or_else(gone)?;
        let used = self
            .trainer
            .sources
            .used
            .with_untracked(|used| used.hash.clone());
        let record = self.trainer.library.record_untracked(id);
        if record.is_some_and(|record| record.data != used) {
            return Err(OTHER_DATA.to_owned());
        }
        let question = Question::Evaluate {
            weights,
            config,
            part,
        };
        let scoring = self.scoring;
        let progress = move |images, total| {
            scoring.try_set(Some((images, total)));
        };
        let examiner = self.trainer.examiner;
        let answer = examiner.ask_with_progress(question, progress).await?;
        let Answer::Evaluated {
            predictions: bytes,
            score,
        } = answer
        else {
            return Err(OTHER_ANSWER.to_owned());
        };
        let predictions = Predictions::from_bytes(&bytes);
        let predictions =
            predictions.map_err(|error| format!("The answers cannot be read: {error}."))?;
        // Where nothing can be kept they are seen all the same.
        let answers = Arc::new(Answers {
            run: id,
            config,
            part,
            step,
            confusion: Confusion::new(&predictions),
            predictions,
        });
        self.trainer.library.keep_answers(KeptAnswers {
            run: id,
            part,
            step,
            predictions: bytes,
        });
        if part == Part::Test {
            self.trainer.take_score(id, step, score);
        }
        // Whoever went on to another split meanwhile looks at that one.
        self.want(Wanted::Scored(answers));
        Ok(())
    }

    /// Stops scoring; nothing of it is kept.
    pub fn cancel_scoring(self) {
        let scoring = self
            .private
            .try_update_value(|private| private.scoring.take());
        if let Some(scoring) = scoring.flatten() {
            scoring.abort();
        }
        self.scoring.set(None);
    }
}
