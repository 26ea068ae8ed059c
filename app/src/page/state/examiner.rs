//! The page's second worker, on the CPU: it answers questions about data and networks, so that a
//! training run is never kept waiting and never keeps anyone waiting.

use std::collections::HashMap;
use std::rc::Rc;

use futures::channel::oneshot;
use kiln_model::evaluation::Predictions;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use crate::browser::bridge::{Bridge, Program};
use kiln_run::evaluation::ranked::Ranked;
use kiln_run::protocol::{Answer, Data, FromWorker, Question, ToWorker};

/// Why there is no answer: a sentence, with the next step.
pub type NoAnswer = String;

/// What is said of an answer to another question.
pub const OTHER_ANSWER: &str = "The worker answered something else. Try again.";

/// Answers questions; a handle that is copied about. The worker starts with the first question.
#[derive(Clone, Copy)]
pub struct Examiner {
    private: StoredValue<Private, ThisThread>,
}

#[derive(Default)]
struct Private {
    bridge: Option<Bridge>,
    /// Whether the worker has been told to load the data, which ranking need not wait for.
    has_data: bool,
    data: Rc<Data>,
    asked: u32,
    waiting: HashMap<u32, Waiting>,
}

struct Waiting {
    answer: oneshot::Sender<Answer>,
    progress: Rc<dyn Fn(u32, u32)>,
}

/// Has the worker forget a question whose answer nobody waits for any more.
struct Asked {
    examiner: Examiner,
    request: u32,
}

impl Drop for Asked {
    fn drop(&mut self) {
        let request = self.request;
        self.examiner.private.try_update_value(|private| {
            if private.waiting.remove(&request).is_some()
                && let Some(bridge) = &private.bridge
            {
                // A worker that cannot be told has ended, and its work with it.
                drop(bridge.send(&ToWorker::Forget { request }));
            }
        });
    }
}

impl Examiner {
    /// One that has not been asked anything.
    pub fn new() -> Self {
        Self {
            private: StoredValue::new_local(Private::default()),
        }
    }

    /// Answers about this data from now on.
    pub fn use_data(&self, data: Rc<Data>) {
        self.private.update_value(|private| {
            *private = Private {
                data,
                asked: private.asked,
                ..Private::default()
            };
        });
    }

    /// The answer to a question. Dropping the future takes the question back.
    ///
    /// # Errors
    /// A worker that cannot be had or cannot answer.
    pub async fn ask(&self, question: Question) -> Result<Answer, NoAnswer> {
        self.ask_with_progress(question, |_, _| ()).await
    }

    /// The same; `progress` hears of images done and of all images.
    ///
    /// # Errors
    /// A worker that cannot be had or cannot answer.
    pub async fn ask_with_progress(
        &self,
        question: Question,
        progress: impl Fn(u32, u32) + 'static,
    ) -> Result<Answer, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        let asked = self.send(question, answer, Rc::new(progress))?;
        let answer = answered.await;
        drop(asked);
        match answer {
            Ok(Answer::Failed(reason)) => Err(reason),
            Ok(answer) => Ok(answer),
            Err(_) => Err("The worker that looks at networks stopped. Try again.".to_owned()),
        }
    }

    /// What follows from the order of these scores.
    ///
    /// # Errors
    /// A worker that cannot be had or cannot answer.
    pub async fn rank(&self, predictions: &Predictions) -> Result<Ranked, NoAnswer> {
        let question = Question::Rank {
            predictions: predictions.to_bytes(),
        };
        match self.ask(question).await? {
            Answer::Ranked(ranked) => Ok(*ranked),
            _ => Err(OTHER_ANSWER.to_owned()),
        }
    }

    fn send(
        &self,
        question: Question,
        answer: oneshot::Sender<Answer>,
        progress: Rc<dyn Fn(u32, u32)>,
    ) -> Result<Asked, NoAnswer> {
        let examiner = *self;
        let sent = self.private.try_update_value(|private| {
            if private.bridge.is_none() {
                let bridge = Bridge::start(Program::CpuTrainer, move |message| {
                    examiner.receive(message)
                })?;
                private.bridge = Some(bridge);
                private.has_data = false;
            }
            let Some(bridge) = &private.bridge else {
                return Err("there is no worker".to_owned());
            };
            if !private.has_data && !matches!(question, Question::Rank { .. }) {
                bridge.send(&ToWorker::Open {
                    data: Data::clone(&private.data),
                    workers: Some(1),
                })?;
                private.has_data = true;
            }
            private.asked += 1;
            let request = private.asked;
            bridge.send(&ToWorker::Ask { request, question })?;
            private
                .waiting
                .insert(request, Waiting { answer, progress });
            Ok(request)
        });
        match sent {
            Some(Ok(request)) => Ok(Asked {
                examiner: *self,
                request,
            }),
            Some(Err(reason)) => Err(format!(
                "The worker that looks at networks could not be asked: {reason}. Try again."
            )),
            None => Err("The page is being left.".to_owned()),
        }
    }

    fn receive(&self, message: FromWorker) {
        match message {
            FromWorker::Answered { request, answer } => {
                let waiting = self
                    .private
                    .try_update_value(|private| private.waiting.remove(&request));
                if let Some(waiting) = waiting.flatten() {
                    // Whoever asked may have left meanwhile.
                    drop(waiting.answer.send(answer));
                }
            }
            FromWorker::Answering {
                request,
                images,
                total,
            } => {
                let progress = self.private.with_value(|private| {
                    let waiting = private.waiting.get(&request)?;
                    Some(Rc::clone(&waiting.progress))
                });
                if let Some(progress) = progress {
                    progress(images, total);
                }
            }
            // Whoever waits hears that there will be no answer; the next question starts anew.
            FromWorker::Fatal { .. } | FromWorker::Unfit { .. } | FromWorker::LoadFailed { .. } => {
                self.private.update_value(|private| {
                    private.bridge = None;
                    private.waiting.clear();
                });
            }
            _ => {}
        }
    }
}
