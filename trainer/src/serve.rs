//! The trainer: commands in, events out.

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
#[cfg(not(feature = "questions"))]
use kiln_run::protocol::Answer;
use kiln_run::protocol::{FromWorker, ToWorker};

use crate::host::Host;
#[cfg(feature = "questions")]
use crate::questions;
use crate::run::{self, Start};
use crate::warm_up;

/// Serves the page as long as anything can arrive.
pub async fn serve(host: &impl Host, mut inbox: UnboundedReceiver<ToWorker>) {
    let mut place = None;
    let mut dataset = None;
    let mut waiting = VecDeque::new();
    while let Some(message) = next(&mut waiting, &mut inbox).await {
        let (run, start) = match message {
            ToWorker::Employ { workers } => {
                host.employ(workers);
                continue;
            }
            ToWorker::Open { data, workers } => {
                if place.is_none() {
                    match host.open().await {
                        Ok((opened, adapter)) => {
                            place = Some(opened);
                            host.post(&FromWorker::Opened { adapter });
                        }
                        Err(reason) => {
                            host.post(&FromWorker::Unfit { reason });
                            continue;
                        }
                    }
                }
                host.employ(workers);
                dataset = host.load(data).await;
                continue;
            }
            ToWorker::Time => {
                if let (Some(place), Some(dataset)) = (&place, &dataset) {
                    waiting.extend(warm_up::run(host, dataset, place.clone(), &mut inbox).await);
                }
                continue;
            }
            ToWorker::Start {
                run,
                config,
                single_step,
            } => (run, Start::New(config, single_step)),
            ToWorker::Resume {
                run,
                checkpoint,
                reopened,
            } => match Start::from_checkpoint(&checkpoint, reopened) {
                Ok(start) => (run, start),
                Err(error) => {
                    run::fail(host, run, &error);
                    continue;
                }
            },
            #[cfg(feature = "questions")]
            ToWorker::Ask { request, question } => {
                let device = place.as_ref().map(|place| &place.device);
                let asked = (request, question);
                questions::answer(
                    host,
                    asked,
                    device,
                    dataset.as_ref(),
                    &mut inbox,
                    &mut waiting,
                )
                .await;
                continue;
            }
            // The page asks the CPU's worker, so that this one need not have what answers.
            #[cfg(not(feature = "questions"))]
            ToWorker::Ask { request, .. } => {
                host.post(&FromWorker::Answered {
                    request,
                    answer: Answer::Failed("This worker answers no questions.".to_owned()),
                });
                continue;
            }
            // The page asks the worker for files.
            ToWorker::Check { .. }
            | ToWorker::Hold { .. }
            | ToWorker::Export { .. }
            | ToWorker::Pack { .. }
            | ToWorker::Weigh { .. }
            | ToWorker::Unpack { .. } => {
                host.post(&FromWorker::Fatal {
                    details: "this worker makes and reads no files".to_owned(),
                });
                continue;
            }
            // Meant for a run that has ended meanwhile, or for a question that is answered.
            ToWorker::Tell { .. }
            | ToWorker::Keep { .. }
            | ToWorker::Cancel { .. }
            | ToWorker::Forget { .. } => continue,
        };
        if let (Some(place), Some(dataset)) = (&place, &dataset) {
            run::train(host, run, start, dataset, place.clone(), &mut inbox).await;
        } else {
            run::fail(host, run, &"the device or the data is not ready");
        }
    }
}

/// A message that was set aside, or else the next one.
async fn next(
    waiting: &mut VecDeque<ToWorker>,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Option<ToWorker> {
    match waiting.pop_front() {
        Some(message) => Some(message),
        None => inbox.next().await,
    }
}
