//! A few steps that are forgotten: they say how fast a run would go, and have the browser optimise
//! the program before it matters.

use futures::channel::mpsc::{TryRecvError, UnboundedReceiver};
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::event::{Event, Moment};
use kiln_model::train::engine::Place;
use kiln_model::train::session::{ReadBack, Session, TrainError};
use kiln_run::protocol::{FromWorker, ToWorker};

use crate::host::Host;

/// Browsers take about so long to optimise what runs often.
const WARM_SECS: f64 = 1.0;
/// The time that counts: some ten steps, or a few reads of a GPU's.
const TIMED_SECS: f64 = 0.4;
/// The smallest that people use: what does a step of this fast does larger ones faster.
const BATCH_SIZE: u32 = 32;

/// Warms up and tells the page the speed, unless a message interrupts; that one is returned.
pub async fn run(
    host: &impl Host,
    dataset: &Dataset,
    place: Place,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Option<ToWorker> {
    match time(host, dataset, place, inbox).await {
        Ok(Outcome::Timed(images_per_sec)) => {
            host.post(&FromWorker::Timed { images_per_sec });
            None
        }
        Ok(Outcome::Interrupted(message)) => Some(message),
        Ok(Outcome::Nothing) => None,
        Err(error) => {
            host.post(&FromWorker::Fatal {
                details: error.to_string(),
            });
            None
        }
    }
}

enum Outcome {
    Timed(f64),
    Interrupted(ToWorker),
    /// On data so small that no time passed, or with nobody there to hear of it.
    Nothing,
}

async fn time(
    host: &impl Host,
    dataset: &Dataset,
    place: Place,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Result<Outcome, TrainError> {
    let all = Config::default();
    let config = Config {
        batch_size: BATCH_SIZE,
        training_images: all.training_images.min(dataset.training_len() as u32),
        ..all
    };
    let read_back = ReadBack::of(&place);
    let mut session = Session::new(config, dataset, place, read_back)?;
    if let Some(crew) = host.crew(dataset, &config) {
        session.employ(crew);
    }
    let mut last: Option<Moment> = None;
    let mut warm: Option<Moment> = None;
    loop {
        match inbox.try_recv() {
            Ok(message) => return Ok(Outcome::Interrupted(message)),
            Err(TryRecvError::Closed) => return Ok(Outcome::Nothing),
            Err(TryRecvError::Empty) => {}
        }
        let events = session.advance().await?;
        let step = events.iter().rev().find_map(|event| match event {
            Event::Step(moment, _) => Some(*moment),
            _ => None,
        });
        last = step.or(last);
        if session.state().has_ended() {
            // Data so small that all of it is over before anything is warm.
            let last = last.filter(|last| last.elapsed_secs > 0.0);
            return Ok(last.map_or(Outcome::Nothing, |last| {
                Outcome::Timed(last.images as f64 / last.elapsed_secs)
            }));
        }
        if let Some(now) = step.filter(|step| step.elapsed_secs >= WARM_SECS) {
            let then = *warm.get_or_insert(now);
            let secs = now.elapsed_secs - then.elapsed_secs;
            if secs >= TIMED_SECS {
                return Ok(Outcome::Timed((now.images - then.images) as f64 / secs));
            }
        }
        host.rest().await;
    }
}
