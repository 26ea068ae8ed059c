//! Asks one session for its steps, takes up commands in between, and keeps the page able to go on
//! with the run elsewhere.

use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use kiln_model::checkpoint::Snapshot;
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::event::{Command, Event, State};
use kiln_model::train::engine::Place;
use kiln_model::train::session::{ReadBack, Session, TrainError};

use super::number_of;
use super::outbox::Outbox;
use super::scope::{post, yield_to_messages};
use super::team::Helpers;
use kiln_run::protocol::{FromWorker, RunId, ToWorker};

/// Time from the start of a run to its first snapshot; each next one waits twice as long, so that
/// little is lost early and little is spent late.
const FIRST_KEEP_MS: f64 = 2_000.0;
/// Longest time between two snapshots.
const LONGEST_KEEP_MS: f64 = 30_000.0;

/// What a run starts from.
pub enum Start {
    /// Its settings; then whether to do one step and wait.
    New(Config, bool),
    /// Where it was.
    Resumed(Box<Snapshot>),
}

/// Trains a run to its end, or until it is cancelled; the page is told all that happens. The CPU
/// has helpers, a GPU none.
pub async fn train(
    run: RunId,
    start: Start,
    dataset: &Dataset,
    place: Place,
    helpers: Option<&Helpers>,
    inbox: &mut UnboundedReceiver<ToWorker>,
) {
    let config = match &start {
        Start::New(config, _) => *config,
        Start::Resumed(snapshot) => snapshot.config,
    };
    let read_back = read_back(helpers);
    let session = match start {
        Start::New(config, single_step) => {
            Session::new(config, dataset, place, read_back).map(|mut session| {
                if single_step {
                    session.command(Command::Step);
                }
                session
            })
        }
        Start::Resumed(snapshot) => Session::resume(*snapshot, dataset, place, read_back),
    };
    let ended = match session {
        Ok(mut session) => {
            if let Some(helpers) = helpers {
                session.employ(Box::new(helpers.team(&config)));
            }
            let mut outbox = Outbox::new(run);
            let ended = drive(run, &mut session, helpers, &mut outbox, inbox).await;
            // What happened until then is true, whatever comes next.
            outbox.tell();
            ended
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => {}
        // Another worker on another device may do better.
        Err(TrainError::Device(details)) => post(&FromWorker::Fatal { details }),
        Err(error) => post(&FromWorker::RunFailed {
            run,
            reason: error.to_string(),
        }),
    }
}

/// How results come back: from the CPU, which has helpers, there and then.
pub fn read_back(helpers: Option<&Helpers>) -> ReadBack {
    match helpers {
        Some(_) => ReadBack::EveryStep,
        None => ReadBack::Batched,
    }
}

async fn drive(
    run: RunId,
    session: &mut Session,
    helpers: Option<&Helpers>,
    outbox: &mut Outbox,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Result<(), TrainError> {
    let mut kept_ms = js_sys::Date::now();
    let mut interval_ms = FIRST_KEEP_MS;
    loop {
        let waits = !session.wants_step();
        if waits && session.state().has_ended() {
            return Ok(());
        }
        let message = if waits {
            inbox.next().await
        } else {
            inbox.try_recv().ok()
        };
        match message {
            Some(ToWorker::Tell { run: told, command }) if told == run => session.command(command),
            Some(ToWorker::Cancel { run: cancelled }) if cancelled == run => return Ok(()),
            Some(ToWorker::Keep { run: kept }) if kept == run => {
                keep(run, session, outbox).await?;
            }
            Some(ToWorker::Employ { workers }) => {
                if let Some(helpers) = helpers {
                    helpers.set(number_of(workers));
                }
            }
            // The page asks for nothing else while a run is open.
            Some(_) => {}
            None if waits => return Ok(()),
            None => {
                let events = session.advance().await?;
                let ends =
                    |event: &Event| matches!(event, Event::State(state) if state.has_ended());
                let is_time = js_sys::Date::now() - kept_ms >= interval_ms;
                if is_time {
                    interval_ms = LONGEST_KEEP_MS.min(2.0 * interval_ms);
                }
                let pauses = session.state() == State::Paused && !events.is_empty();
                let is_due = is_time
                    || pauses
                    || events
                        .iter()
                        .any(|event| ends(event) || matches!(event, Event::Epoch(..)));
                // Whoever hears of the end has all that the run leaves.
                let (end, events): (Vec<_>, Vec<_>) = events.into_iter().partition(ends);
                outbox.add(events);
                if pauses {
                    outbox.tell();
                }
                if let Some(answers) = session.take_answers() {
                    post(&FromWorker::Measured {
                        run,
                        moment: answers.moment,
                        part: answers.part,
                        predictions: answers.predictions.to_bytes(),
                    });
                }
                if is_due {
                    keep(run, session, outbox).await?;
                    kept_ms = js_sys::Date::now();
                }
                outbox.add(end);
                yield_to_messages().await;
            }
        }
    }
}

/// Tells the page where the run is, after what happened until then.
async fn keep(run: RunId, session: &mut Session, outbox: &mut Outbox) -> Result<(), TrainError> {
    let (events, snapshot) = session.snapshot().await?;
    outbox.add(events);
    outbox.tell();
    if let Some(snapshot) = snapshot {
        let snapshot = Box::new(snapshot);
        post(&FromWorker::Kept { run, snapshot });
    }
    Ok(())
}
