//! A worker: owns the device, the data and the session; commands in, events out.

#[cfg(feature = "gpu-worker")]
pub mod constructors;
mod data;
#[cfg(feature = "cpu-worker")]
mod examine;
mod helper;
mod outbox;
mod run;
mod task;
mod team;
mod warm_up;

use std::collections::VecDeque;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use kiln_model::train::engine::Place;

use crate::browser::codec::decode;
use crate::browser::scope::{self, post};
use kiln_run::device::Backend;
#[cfg(not(feature = "cpu-worker"))]
use kiln_run::protocol::Answer;
use kiln_run::protocol::{FromWorker, ToWorker};
use run::Start;
use team::Helpers;

pub use crate::browser::scope::yield_to_messages;

/// Serves the page until the worker is ended.
pub fn start(backend: Backend) {
    if scope::name() == helper::NAME {
        return helper::serve();
    }
    scope::report_faults();
    let (sender, inbox) = unbounded();
    scope::listen(move |value| match decode(value) {
        // The receiver lives as long as the worker.
        Ok(message) => drop(sender.unbounded_send(message)),
        Err(error) => post(&FromWorker::Fatal {
            details: error.to_string(),
        }),
    });
    post(&FromWorker::Ready);
    wasm_bindgen_futures::spawn_local(serve(backend, inbox));
}

async fn serve(backend: Backend, mut inbox: UnboundedReceiver<ToWorker>) {
    let mut place = None;
    let mut dataset = None;
    let mut helpers: Option<Helpers> = None;
    let mut waiting = VecDeque::new();
    while let Some(message) = next(&mut waiting, &mut inbox).await {
        let (run, start) = match message {
            ToWorker::Employ { workers } => {
                if let Some(helpers) = &helpers {
                    helpers.set(scope::number_of(workers));
                }
                continue;
            }
            ToWorker::Open { data, workers } => {
                if place.is_none() {
                    match open(backend).await {
                        Ok((opened, adapter)) => {
                            place = Some(opened);
                            post(&FromWorker::Opened { adapter });
                        }
                        Err(reason) => {
                            post(&FromWorker::Unfit { reason });
                            continue;
                        }
                    }
                }
                dataset = data::load(data).await;
                helpers = match (backend, &dataset) {
                    (Backend::Cpu, Some(dataset)) => {
                        Some(Helpers::new(dataset.clone(), scope::number_of(workers)))
                    }
                    _ => None,
                };
                continue;
            }
            ToWorker::Time => {
                if let (Some(place), Some(dataset)) = (&place, &dataset) {
                    let (place, helpers) = (place.clone(), helpers.as_ref());
                    waiting.extend(warm_up::run(dataset, place, helpers, &mut inbox).await);
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
                    run::fail(run, &error);
                    continue;
                }
            },
            #[cfg(feature = "cpu-worker")]
            ToWorker::Ask { request, question } => {
                let device = place.as_ref().map(|place| &place.device);
                let dataset = dataset.as_ref();
                examine::answer(request, question, device, dataset, &mut inbox, &mut waiting).await;
                continue;
            }
            // The page asks the CPU's worker, so that this one need not have what answers.
            #[cfg(not(feature = "cpu-worker"))]
            ToWorker::Ask { request, .. } => {
                post(&FromWorker::Answered {
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
                post(&FromWorker::Fatal {
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
            let (place, helpers) = (place.clone(), helpers.as_ref());
            run::train(run, start, dataset, place, helpers, &mut inbox).await;
        } else {
            run::fail(run, &"the device or the data is not ready");
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

type Opened = (Place, Option<kiln_run::device::Adapter>);

async fn open(backend: Backend) -> Result<Opened, String> {
    match backend {
        Backend::Cpu => Ok((burn::tensor::Device::flex().into(), None)),
        #[cfg(feature = "gpu-worker")]
        Backend::WebGpu => gpu::open().await,
        #[cfg(not(feature = "gpu-worker"))]
        Backend::WebGpu => Err("this worker has no WebGPU".to_owned()),
    }
}

#[cfg(feature = "gpu-worker")]
mod gpu;
