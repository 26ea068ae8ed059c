//! Drives one session for the page, which is told all that happens.

use futures::StreamExt as _;
use futures::channel::mpsc::{TryRecvError, UnboundedReceiver};
use kiln_model::checkpoint::{self, CheckpointError, Snapshot};
use kiln_model::config::{Config, Edit};
use kiln_model::dataset::Dataset;
use kiln_model::event::{Command, Event};
use kiln_model::train::driver::{self, Order, Surroundings};
use kiln_model::train::engine::Place;
use kiln_model::train::session::{Answers, ReadBack, Session, TrainError};
use kiln_run::protocol::{FromWorker, RunId, ToWorker};
use kiln_run::run::checkpoint::Checkpoint;

use crate::host::Host;
use crate::outbox::Outbox;

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

    fn session(self, dataset: &Dataset, place: Place) -> Result<Session, TrainError> {
        let read_back = ReadBack::of(&place);
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

/// Trains a run to its end, or until it is cancelled.
pub async fn train(
    host: &impl Host,
    run: RunId,
    start: Start,
    dataset: &Dataset,
    place: Place,
    inbox: &mut UnboundedReceiver<ToWorker>,
) {
    let config = start.config();
    let ended = match start.session(dataset, place) {
        Ok(mut session) => {
            if let Some(crew) = host.crew(dataset, &config) {
                session.employ(crew);
            }
            let mut page = Page {
                host,
                run,
                outbox: Outbox::new(run),
                inbox,
            };
            let ended = driver::drive(&mut session, &mut page).await;
            // What happened until then is true, whatever comes next.
            page.tell();
            ended
        }
        Err(error) => Err(error),
    };
    match (ended, host.fault()) {
        // Another trainer on another device may do better.
        (_, Some(details)) | (Err(TrainError::Device(details)), None) => {
            host.post(&FromWorker::Fatal { details });
        }
        (Ok(()), None) => {}
        (Err(error), None) => fail(host, run, &error),
    }
}

/// Tells the page that a run cannot go on.
pub fn fail(host: &impl Host, run: RunId, reason: &impl ToString) {
    host.post(&FromWorker::RunFailed {
        run,
        reason: reason.to_string(),
    });
}

/// The page at the other end of the messages.
struct Page<'a, H> {
    host: &'a H,
    run: RunId,
    outbox: Outbox,
    inbox: &'a mut UnboundedReceiver<ToWorker>,
}

impl<H: Host> Page<'_, H> {
    /// What a message asks of this run; most ask nothing of it.
    fn read(&self, message: ToWorker) -> Option<Order> {
        match message {
            ToWorker::Tell { run, command } if run == self.run => Some(Order::Command(command)),
            ToWorker::Keep { run } if run == self.run => Some(Order::Keep),
            ToWorker::Cancel { run } if run == self.run => Some(Order::End),
            ToWorker::Employ { workers } => {
                self.host.employ(workers);
                None
            }
            // The page asks for nothing else while a run is open.
            _ => None,
        }
    }
}

impl<H: Host> Surroundings for Page<'_, H> {
    fn now_ms(&self) -> f64 {
        self.host.now_ms()
    }

    async fn order(&mut self, waits: bool) -> Option<Order> {
        if self.host.fault().is_some() {
            return Some(Order::End);
        }
        loop {
            let message = if waits {
                self.inbox.next().await
            } else {
                match self.inbox.try_recv() {
                    Ok(message) => Some(message),
                    Err(TryRecvError::Empty) => return None,
                    Err(TryRecvError::Closed) => None,
                }
            };
            // Nobody is there any more who could ask for anything.
            let Some(message) = message else {
                return Some(Order::End);
            };
            let order = self.read(message);
            if order.is_some() {
                return order;
            }
        }
    }

    fn take(&mut self, events: Vec<Event>) {
        // What a broken device computed did not happen, its end least of all.
        if self.host.fault().is_some() {
            return;
        }
        self.outbox.add(self.host, events);
    }

    fn tell(&mut self) {
        self.outbox.tell(self.host);
    }

    fn answer(&mut self, answers: Answers) {
        if self.host.fault().is_some() {
            return;
        }
        self.host.post(&FromWorker::Measured {
            run: self.run,
            moment: answers.moment,
            part: answers.part,
            predictions: answers.predictions.to_bytes(),
        });
    }

    fn keep(&mut self, snapshot: Snapshot) {
        if self.host.fault().is_some() {
            return;
        }
        // Here, because writing it takes longer than a frame of the page has.
        match checkpoint::write(&snapshot).and_then(Checkpoint::new) {
            Ok(checkpoint) => self.host.post(&FromWorker::Kept {
                run: self.run,
                checkpoint,
            }),
            Err(error) => self.host.post(&FromWorker::Fatal {
                details: error.to_string(),
            }),
        }
    }

    async fn rest(&mut self) {
        self.host.rest().await;
    }
}
