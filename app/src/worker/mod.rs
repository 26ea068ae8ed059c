//! A worker: owns the device, the data and the session; commands in, events out.

mod data;
mod run;
mod scope;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};

use crate::device::Backend;
use crate::protocol::{FromWorker, ToWorker, decode};
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
    while let Some(message) = inbox.next().await {
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
            }
            ToWorker::Start {
                run,
                config,
                single_step,
            } => {
                if let (Some(device), Some(dataset)) = (&device, &dataset) {
                    let device = device.clone();
                    run::train(
                        run,
                        config,
                        single_step,
                        dataset,
                        device,
                        backend,
                        &mut inbox,
                    )
                    .await;
                } else {
                    post(&FromWorker::RunFailed {
                        run,
                        reason: "The device or the data is not ready.".to_owned(),
                    });
                }
            }
            // Meant for a run that has ended meanwhile.
            ToWorker::Tell { .. } | ToWorker::Cancel { .. } => {}
        }
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
