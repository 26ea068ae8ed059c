//! Asks one session for its steps and takes up commands in between.

use burn::tensor::Device;
use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::event::{Command, State};
use kiln_model::train::session::{ReadBack, Session, TrainError};

use super::scope::{post, yield_to_messages};
use crate::device::Backend;
use crate::protocol::{FromWorker, RunId, ToWorker};

/// Trains a run to its end, or until it is cancelled; the page is told all that happens.
pub async fn train(
    run: RunId,
    config: Config,
    single_step: bool,
    dataset: &Dataset,
    device: Device,
    backend: Backend,
    inbox: &mut UnboundedReceiver<ToWorker>,
) {
    let read_back = match backend {
        Backend::WebGpu => ReadBack::Batched,
        Backend::Cpu => ReadBack::EveryStep,
    };
    let ended = match Session::new(config, dataset, device, read_back) {
        Ok(mut session) => {
            if single_step {
                session.command(Command::Step);
            }
            drive(run, &mut session, inbox).await
        }
        Err(error) => Err(error),
    };
    if let Err(error) = ended {
        post(&FromWorker::RunFailed {
            run,
            reason: error.to_string(),
        });
    }
}

async fn drive(
    run: RunId,
    session: &mut Session,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Result<(), TrainError> {
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
            // The page asks for nothing else while a run is open.
            Some(_) => {}
            None if waits => return Ok(()),
            None => {
                let events = session.advance().await?;
                let state = session.state();
                if state.has_ended() && state != State::Failed {
                    let weights = session.weights().await?;
                    post(&FromWorker::Weights {
                        run,
                        bytes: weights
                            .iter()
                            .flat_map(|value| value.to_le_bytes())
                            .collect(),
                    });
                }
                post(&FromWorker::Happened { run, events });
                yield_to_messages().await;
            }
        }
    }
}
