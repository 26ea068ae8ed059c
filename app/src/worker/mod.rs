//! A worker: owns the device, the data and the session; commands in, events out.

mod data;
mod run;
mod scope;
mod warm_up;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};

use kiln_model::dataset::Dataset;

use crate::device::Backend;
use crate::protocol::{FromWorker, RunId, ToWorker, decode};
use run::Start;
use scope::post;

pub use scope::yield_to_messages;

/// Serves the page until the worker is ended.
pub fn start(backend: Backend) {
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
    let mut device = None;
    let mut dataset = None;
    let mut interrupted_by = None;
    while let Some(message) = next(&mut interrupted_by, &mut inbox).await {
        match message {
            ToWorker::Open => {
                if device.is_none() {
                    match open(backend).await {
                        Ok((opened, adapter)) => {
                            device = Some(opened);
                            post(&FromWorker::Opened { adapter });
                        }
                        Err(reason) => {
                            post(&FromWorker::Unfit { reason });
                            continue;
                        }
                    }
                }
                dataset = data::load().await;
                // On WebGPU a first step compiles for seconds; that waits until it is asked for.
                if let (Backend::Cpu, Some(device), Some(dataset)) = (backend, &device, &dataset) {
                    interrupted_by = warm_up::run(dataset, device.clone(), &mut inbox).await;
                }
            }
            ToWorker::Start {
                run,
                config,
                single_step,
            } => {
                let start = Start::New(config, single_step);
                train(
                    run,
                    start,
                    device.as_ref(),
                    dataset.as_ref(),
                    backend,
                    &mut inbox,
                )
                .await;
            }
            ToWorker::Resume { run, snapshot } => {
                let start = Start::Resumed(snapshot);
                train(
                    run,
                    start,
                    device.as_ref(),
                    dataset.as_ref(),
                    backend,
                    &mut inbox,
                )
                .await;
            }
            // Meant for a run that has ended meanwhile.
            ToWorker::Tell { .. } | ToWorker::Keep { .. } | ToWorker::Cancel { .. } => {}
        }
    }
}

async fn train(
    run: RunId,
    start: Start,
    device: Option<&burn::tensor::Device>,
    dataset: Option<&Dataset>,
    backend: Backend,
    inbox: &mut UnboundedReceiver<ToWorker>,
) {
    if let (Some(device), Some(dataset)) = (device, dataset) {
        run::train(run, start, dataset, device.clone(), backend, inbox).await;
    } else {
        post(&FromWorker::RunFailed {
            run,
            reason: "The device or the data is not ready.".to_owned(),
        });
    }
}

/// The message that ended the warm-up, or else the next one.
async fn next(
    interrupted_by: &mut Option<ToWorker>,
    inbox: &mut UnboundedReceiver<ToWorker>,
) -> Option<ToWorker> {
    match interrupted_by.take() {
        Some(message) => Some(message),
        None => inbox.next().await,
    }
}

type Opened = (burn::tensor::Device, Option<crate::device::Adapter>);

async fn open(backend: Backend) -> Result<Opened, String> {
    match backend {
        Backend::Cpu => Ok((burn::tensor::Device::flex(), None)),
        #[cfg(feature = "gpu-worker")]
        Backend::WebGpu => gpu::open().await,
        #[cfg(not(feature = "gpu-worker"))]
        Backend::WebGpu => Err("this worker has no WebGPU".to_owned()),
    }
}

#[cfg(feature = "gpu-worker")]
mod gpu;
