//! A worker that trains: what the browser is to a [`kiln_trainer`].

#[cfg(feature = "gpu-worker")]
pub mod constructors;
mod data;
#[cfg(feature = "gpu-worker")]
mod gpu;
mod helper;
mod task;
mod team;

use std::cell::{Cell, RefCell};

use futures::channel::mpsc::unbounded;
use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::train::crew::Crew;
use kiln_run::device::Backend;
use kiln_run::protocol::{Data, FromWorker};
use kiln_trainer::{Host, Opened};

use crate::browser::codec::decode;
use crate::browser::scope::{self, post};
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
    let tab = Tab {
        backend,
        workers: Cell::new(None),
        helpers: RefCell::new(None),
    };
    wasm_bindgen_futures::spawn_local(async move { kiln_trainer::serve(&tab, inbox).await });
}

/// The tab that a worker is in.
struct Tab {
    backend: Backend,
    /// How many share a batch on the CPU; nothing for as many as there are cores.
    workers: Cell<Option<u32>>,
    /// Who shares it; a GPU has nobody.
    helpers: RefCell<Option<Helpers>>,
}

impl Host for Tab {
    fn post(&self, message: &FromWorker) {
        post(message);
    }

    fn now_ms(&self) -> f64 {
        js_sys::Date::now()
    }

    async fn rest(&self) {
        yield_to_messages().await;
    }

    async fn open(&self) -> Result<Opened, String> {
        match self.backend {
            Backend::Cpu => Ok((burn::tensor::Device::flex().into(), None)),
            #[cfg(feature = "gpu-worker")]
            Backend::WebGpu => gpu::open().await,
            #[cfg(not(feature = "gpu-worker"))]
            Backend::WebGpu => Err("this worker has no WebGPU".to_owned()),
            Backend::Native => Err("this worker is one of the tab".to_owned()),
        }
    }

    async fn load(&self, data: Data) -> Option<Dataset> {
        let dataset = data::load(data).await;
        let number = scope::number_of(self.workers.get());
        let helpers = dataset
            .clone()
            .filter(|_| self.backend == Backend::Cpu)
            .map(|dataset| Helpers::new(dataset, number));
        self.helpers.replace(helpers);
        dataset
    }

    fn employ(&self, workers: Option<u32>) {
        self.workers.set(workers);
        if let Some(helpers) = &*self.helpers.borrow() {
            helpers.set(scope::number_of(workers));
        }
    }

    fn crew(&self, _dataset: &Dataset, config: &Config) -> Option<Box<dyn Crew>> {
        let helpers = self.helpers.borrow();
        let helpers = helpers.as_ref()?;
        Some(Box::new(helpers.team(config)))
    }
}
