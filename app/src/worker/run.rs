//! Drives one session for the page, which is told all that happens.

use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use kiln_model::checkpoint::{self, CheckpointError, Snapshot};
use kiln_model::config::{Config, Edit};
use kiln_model::dataset::Dataset;
use kiln_model::event::{Command, Event};
use kiln_model::train::driver::{self, Order, Surroundings};
use kiln_model::train::engine::Place;
use kiln_model::train::session::{Answers, ReadBack, Session, TrainError};

use super::outbox::Outbox;
use super::team::Helpers;
use crate::browser::scope::{number_of, post, yield_to_messages};
use kiln_run::protocol::{FromWorker, RunId, ToWorker};
use kiln_run::run::checkpoint::Checkpoint;

/// What a run starts from.
pub enum Start {
    /// Its settings; then whether to do one step and wait.
    New(Config, bool),
    /// Where it was.
    Resumed(Box<Snapshot>),
}

impl Start {
    /// Where a run was, out of a checkpoint; one that had ended goes on with so many epochs.
    ///
    /// # Errors
    /// A file that is no checkpoint of this network.
    pub fn from_checkpoint(file: &[u8], reopened: Option<u32>) -> Result<Self, CheckpointError> {
        let mut snapshot = checkpoint::read(file)?;
        if let Some(epochs) = reopened {
            snapshot = snapshot.reopened();
            // Out of range nothing changes, and the session will find no steps to do.
            Edit::Epochs(epochs).apply(&mut snapshot.config).ok();
        }
        Ok(Self::Resumed(Box::new(snapshot)))
    }

    fn config(&self) -> Config {
        match self {
            Self::New(config, _) => *config,
            Self::Resumed(snapshot) => snapshot.config,
        }
    }

    fn session(
        self,
        dataset: &Dataset,
        place: Place,
        read_back: ReadBack,
    ) -> Result<Session, TrainError> {
        match self {
            Self::New(config, single_step) => {
                let mut session = Session::new(config, dataset, place, read_back)?;
                if single_step {
                    session.command(Command::Step);
                }
                Ok(session)
            }
            Self::Resumed(snapshot) => Session::resume(*snapshot, dataset, place, read_back),
        }
    }
}

/// Trains a run to its end, or until it is cancelled. The CPU has helpers, a GPU none.
pub async fn train(
    run: RunId,
    start: Start,
    dataset: &Dataset,
    place: Place,
    helpers: Option<&Helpers>,
    inbox: &mut UnboundedReceiver<ToWorker>,
) {
    let config = start.config();
    let ended = match start.session(dataset, place, read_back(helpers)) {
        Ok(mut session) => {
            if let Some(helpers) = helpers {
                session.employ(Box::new(helpers.team(&config)));
            }
            let mut tab = Tab {
                run,
                helpers,
                outbox: Outbox::new(run),
                inbox,
            };
            let ended = driver::drive(&mut session, &mut tab).await;
            // What happened until then is true, whatever comes next.
            tab.tell();
            ended
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => {}
        // Another worker on another device may do better.
        Err(TrainError::Device(details)) => post(&FromWorker::Fatal { details }),
        Err(error) => fail(run, &error),
    }
}

/// Tells the page that a run cannot go on.
pub fn fail(run: RunId, reason: &impl ToString) {
    post(&FromWorker::RunFailed {
        run,
        reason: reason.to_string(),
    });
}

/// How results come back: from the CPU, which has helpers, there and then.
pub fn read_back(helpers: Option<&Helpers>) -> ReadBack {
    match helpers {
        Some(_) => ReadBack::EveryStep,
        None => ReadBack::Batched,
    }
}

/// The page at the other end of a worker's messages.
struct Tab<'a> {
    run: RunId,
    helpers: Option<&'a Helpers>,
    outbox: Outbox,
    inbox: &'a mut UnboundedReceiver<ToWorker>,
}

impl Tab<'_> {
    /// What a message asks of this run; most ask nothing of it.
    fn read(&self, message: ToWorker) -> Option<Order> {
        match message {
            ToWorker::Tell { run, command } if run == self.run => Some(Order::Command(command)),
            ToWorker::Keep { run } if run == self.run => Some(Order::Keep),
            ToWorker::Cancel { run } if run == self.run => Some(Order::End),
            ToWorker::Employ { workers } => {
                if let Some(helpers) = self.helpers {
                    helpers.set(number_of(workers));
                }
                None
            }
            // The page asks for nothing else while a run is open.
            _ => None,
        }
    }
}

impl Surroundings for Tab<'_> {
    fn now_ms(&self) -> f64 {
        js_sys::Date::now()
    }

    async fn order(&mut self, waits: bool) -> Option<Order> {
        loop {
            let message = if waits {
                self.inbox.next().await
            } else {
                self.inbox.try_recv().ok()
            };
            let order = self.read(message?);
            if order.is_some() {
                return order;
            }
        }
    }

    fn take(&mut self, events: Vec<Event>) {
        self.outbox.add(events);
    }

    fn tell(&mut self) {
        self.outbox.tell();
    }

    fn answer(&mut self, answers: Answers) {
        post(&FromWorker::Measured {
            run: self.run,
            moment: answers.moment,
            part: answers.part,
            predictions: answers.predictions.to_bytes(),
        });
    }

    fn keep(&mut self, snapshot: Snapshot) {
        // Here, because writing them takes longer than a frame of the page has.
        match checkpoint::write(&snapshot).and_then(Checkpoint::new) {
            Ok(checkpoint) => post(&FromWorker::Kept {
                run: self.run,
                checkpoint,
            }),
            Err(error) => post(&FromWorker::Fatal {
                details: error.to_string(),
            }),
        }
    }

    async fn rest(&mut self) {
        yield_to_messages().await;
    }
}
