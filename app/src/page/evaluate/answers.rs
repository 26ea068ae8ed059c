//! What is looked at: a run, its split and its epoch, and the answers that belong to them.

use std::cell::Cell;
use std::sync::Arc;

use futures::future::{AbortHandle, abortable};
use gloo::timers::future::TimeoutFuture;
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::evaluation::{Confusion, Predictions};
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use super::scored::{Scored, score_step, scored};
use crate::browser::store::KeptAnswers;
use crate::browser::store::StoreError;
use crate::page::evaluate::gallery::OTHER_DATA;
use crate::page::state::trainer::Trainer;
use kiln_run::evaluation::ranked::Ranked;
use kiln_run::protocol::{Answer, Question, RunId};

/// Longest time for which answers are ranked without a pause, but for the piece in hand.
const TURN_MS: f64 = 8.0;

/// Which validation of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Which {
    /// The last.
    Last,
    /// The one after so many steps.
    Step(u32),
    /// The one nearest to so many epochs, as an address names it.
    Epoch(f64),
}

/// The answers to every image of a split.
#[derive(Debug, PartialEq)]
pub struct Answers {
    /// The run.
    pub run: RunId,
    /// Its settings.
    pub config: Config,
    /// Which images.
    pub part: Part,
    /// Training steps done.
    pub step: u32,
    /// What the network said.
    pub predictions: Predictions,
    /// Which digits were taken for which.
    pub confusion: Confusion,
}

/// What there is to see.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// It is being read.
    Reading,
    /// No answers are kept.
    Nothing {
        /// Why not, as a sentence.
        why: &'static str,
        /// Whether the network can be asked now.
        can_score: bool,
    },
    /// They could not be read: why, as a sentence.
    Failed(String),
    /// All of it.
    There(Arc<Answers>),
}

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

#[derive(Default)]
struct Private {
    /// Reads of the answers so far: only the last one is waited for.
    reads: u32,
    scoring: Option<AbortHandle>,
}

impl Look {
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
            class: RwSignal::new(None),
            threshold: RwSignal::new(0.5),
            scoring: RwSignal::new(None),
            score_failed: RwSignal::new(None),
            private: StoredValue::new_local(Private::default()),
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
                }
                look.read(id, part, which);
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

    /// Whether this is still the read that is waited for.
    fn is_latest(self, read: u32) -> bool {
        self.private.try_with_value(|private| private.reads) == Some(read)
    }

    fn read(self, id: RunId, part: Part, which: Which) {
        let read = self.private.try_update_value(|private| {
            private.reads += 1;
            private.reads
        });
        let Some(read) = read else {
            return;
        };
        wasm_bindgen_futures::spawn_local(async move {
            let found = self.find(id, part, which).await;
            if !self.is_latest(read) {
                return;
            }
            let (steps, sight) = match found {
                Ok(found) => found,
                Err(error) => (
                    Vec::new(),
                    Sight::Failed(format!(
                        "The answers of this run could not be read: {error}."
                    )),
                ),
            };
            if self.steps.get_untracked() != steps {
                self.steps.set(steps);
            }
            self.show(sight, read).await;
        });
    }

    /// Shows something else. What follows from the answers is never beside other answers: of a run that
    /// is looked at already both change at once, else it comes a little later.
    async fn show(self, sight: Sight, read: u32) {
        let is_same = self.sight.get_untracked() == sight;
        if is_same && self.ranked.with_untracked(Option::is_some) {
            return;
        }
        let Sight::There(answers) = &sight else {
            self.ranked.set(None);
            return self.sight.set(sight);
        };
        let answers = Arc::clone(answers);
        let goes_on = self.sight.with_untracked(
            |shown| matches!(shown, Sight::There(other) if other.run == answers.run),
        );
        if !goes_on {
            self.ranked.set(None);
            self.sight.set(sight.clone());
        }
        // Whoever drags the epoch sees the matrix follow: others get a turn when it takes long, and not
        // between any two pieces, each of which a browser would put off by milliseconds.
        let start_ms = Cell::new(js_sys::Date::now());
        let pause = async || {
            if js_sys::Date::now() - start_ms.get() > TURN_MS {
                TimeoutFuture::new(0).await;
                start_ms.set(js_sys::Date::now());
            }
            self.is_latest(read)
        };
        let ranked = Ranked::work_out(&answers.predictions, pause).await;
        if let Some(ranked) = ranked.filter(|_| self.is_latest(read)) {
            self.ranked.set(Some(Arc::new(ranked)));
            self.sight.set(sight);
        }
    }

    async fn find(
        self,
        id: RunId,
        part: Part,
        which: Which,
    ) -> Result<(Vec<u32>, Sight), StoreError> {
        let library = self.trainer.library;
        let record = library.record_untracked(id);
        let Some(record) = record else {
            let is_read = library.is_read.get_untracked();
            return Ok((Vec::new(), gone(is_read)));
        };
        let store = library.store();
        let kept = match &store {
            Some(store) => store.answer_steps(id).await?,
            None => Vec::new(),
        };
        let validations = kept.iter().filter(|(part, _)| *part == Part::Validation);
        let steps: Vec<u32> = validations.map(|(_, step)| *step).collect();
        let step = match part {
            Part::Validation => pick(&steps, which, &record.config),
            _ => score_step(self.trainer, id, &kept).await?,
        };
        let predictions = match (&store, step) {
            (Some(store), Some(step)) => store.answers(id, part, step).await?,
            _ => None,
        };
        let (Some(predictions), Some(step)) = (predictions, step) else {
            let is_open = record.status.is_open();
            let has_weights = scored(self.trainer, id).await?.is_some();
            return Ok((steps, nothing(part, is_open, has_weights)));
        };
        let answers = Answers {
            run: id,
            config: record.config,
            part,
            step,
            confusion: Confusion::new(&predictions),
            predictions,
        };
        Ok((steps, Sight::There(Arc::new(answers))))
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
            return Err("The worker answered something else. Try again.".to_owned());
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
        if self.run.get_untracked() != Some(id) || self.part.get_untracked() != part {
            return Ok(());
        }
        let read = self.private.try_update_value(|private| {
            private.reads += 1;
            private.reads
        });
        if let Some(read) = read {
            self.show(Sight::There(answers), read).await;
        }
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

fn gone(is_read: bool) -> Sight {
    if is_read {
        Sight::Nothing {
            why: "This run is no longer kept: it was deleted. Choose another.",
            can_score: false,
        }
    } else {
        Sight::Reading
    }
}

fn nothing(part: Part, is_open: bool, has_weights: bool) -> Sight {
    let (why, can_score) = match (part, is_open, has_weights) {
        (Part::Validation, true, _) => {
            ("The first validation of this run is still to come.", false)
        }
        (_, true, _) => (
            "This run is still going: the test set is scored once, at the end.",
            false,
        ),
        (_, false, false) => (
            "This run has no checkpoint, so there are no weights to ask. Train it again to evaluate it.",
            false,
        ),
        (Part::Validation, false, true) => (
            "What this run answered in its validations is not kept.",
            true,
        ),
        (_, false, true) => ("This run was not scored on the test images.", true),
    };
    Sight::Nothing { why, can_score }
}

/// The step of the validation that is meant.
fn pick(steps: &[u32], which: Which, config: &Config) -> Option<u32> {
    let wanted = match which {
        Which::Last => return steps.last().copied(),
        Which::Step(step) => f64::from(step),
        Which::Epoch(epoch) => epoch * f64::from(config.plan().steps_per_epoch),
    };
    let distance = |step: &u32| (f64::from(*step) - wanted).abs();
    let nearest = steps
        .iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.copied()
}
