//! A few steps that are forgotten: they say how long a run will take, and have the browser
//! optimise the program before it matters.

use burn::tensor::Device;
use futures::channel::mpsc::UnboundedReceiver;
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::event::{Event, Moment};
use kiln_model::train::session::{ReadBack, Session, TrainError};

use super::scope::{post, yield_to_messages};
use super::team::Helpers;
use crate::protocol::{FromWorker, ToWorker};

/// Browsers take about so long to optimise what runs often.
const WARM_SECS: f64 = 1.0;
/// Steps whose time counts.
const TIMED_STEPS: usize = 4;
const BATCH_SIZE: u32 = 32;

/// Warms up and tells the page the speed, unless a message interrupts; that one is returned.
pub async fn run(
    dataset: &Dataset,
    device: Device,
    helpers: &Helpers,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Option<ToWorker> {
    match time(dataset, device, helpers, inbox).await {
        Ok(Outcome::Timed(images_per_sec)) => {
            post(&FromWorker::Timed { images_per_sec });
            None
        }
        Ok(Outcome::Interrupted(message)) => Some(message),
        Err(error) => {
            post(&FromWorker::Fatal {
                details: error.to_string(),
            });
            None
        }
    }
}

enum Outcome {
    Timed(f64),
    Interrupted(ToWorker),
}

async fn time(
    dataset: &Dataset,
    device: Device,
    helpers: &Helpers,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Result<Outcome, TrainError> {
    let all = Config::default();
    let config = Config {
        batch_size: BATCH_SIZE,
        training_images: all.training_images.min(dataset.training_len() as u32),
        ..all
    };
    let mut session = Session::new(config, dataset, device, ReadBack::EveryStep)?;
    session.employ(Box::new(helpers.team(&config)));
    let mut warm: Vec<Moment> = Vec::new();
    while warm.len() <= TIMED_STEPS {
        if let Ok(message) = inbox.try_recv() {
            return Ok(Outcome::Interrupted(message));
        }
        for event in session.advance().await? {
            if let Event::Step(moment, _) = event
                && moment.elapsed_secs >= WARM_SECS
            {
                warm.push(moment);
            }
        }
        yield_to_messages().await;
    }
    let (first, last) = (warm[0], warm[TIMED_STEPS]);
    let secs = last.elapsed_secs - first.elapsed_secs;
    Ok(Outcome::Timed((last.images - first.images) as f64 / secs))
}
