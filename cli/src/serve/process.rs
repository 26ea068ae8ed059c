//! What surrounds a trainer that serves a page from this process.

use std::future::ready;
use std::time::Instant;

use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::train::crew::Crew;
use kiln_model::train::threads::Threads;
use kiln_run::device::Adapter;
use kiln_run::import::data;
use kiln_run::protocol::{Data, FromWorker};
use kiln_trainer::Host;
use tokio::sync::mpsc::UnboundedSender;

use crate::device::Opened;

/// What all trainers of this process have.
#[derive(Debug)]
pub struct Loaded {
    /// What computes.
    pub device: Opened,
    /// MNIST.
    pub mnist: Dataset,
}

/// The surroundings of one trainer.
#[derive(Debug)]
pub struct Process<'a> {
    loaded: &'a Loaded,
    outbox: UnboundedSender<Vec<u8>>,
    start: Instant,
}

impl<'a> Process<'a> {
    /// Those of a trainer whose messages go there.
    pub fn new(loaded: &'a Loaded, outbox: UnboundedSender<Vec<u8>>) -> Self {
        Self {
            loaded,
            outbox,
            start: Instant::now(),
        }
    }
}

impl Host for Process<'_> {
    fn post(&self, message: &FromWorker) {
        let mut bytes = Vec::new();
        match ciborium::into_writer(message, &mut bytes) {
            // A page that has gone misses nothing.
            Ok(()) => drop(self.outbox.send(bytes)),
            Err(error) => self.post(&FromWorker::Fatal {
                details: error.to_string(),
            }),
        }
    }

    fn now_ms(&self) -> f64 {
        1_000.0 * self.start.elapsed().as_secs_f64()
    }

    fn rest(&self) -> impl Future<Output = ()> {
        ready(())
    }

    fn open(&self) -> impl Future<Output = Result<kiln_trainer::Opened, String>> {
        let device = &self.loaded.device;
        if let Some(reason) = self.fault() {
            return ready(Err(reason));
        }
        let adapter = Adapter {
            name: device.words.clone(),
            is_software: device.threads.is_some(),
        };
        ready(Ok((device.place.clone(), Some(adapter))))
    }

    fn load(&self, data: Data) -> impl Future<Output = Option<Dataset>> {
        let mnist = &self.loaded.mnist;
        let read = match data {
            Data::Mnist => Ok((data::summary(mnist, false), mnist.clone())),
            Data::Own { files, choices } => data::read(&files, choices),
        };
        let loaded = match read {
            Ok((data, dataset)) => {
                self.post(&FromWorker::Loaded { data });
                Some(dataset)
            }
            Err(error) => {
                self.post(&FromWorker::LoadFailed {
                    loaded_bytes: 0,
                    reason: error.to_string(),
                });
                None
            }
        };
        ready(loaded)
    }

    /// How many threads there are is said on the command line.
    fn employ(&self, _workers: Option<u32>) {}

    fn crew(&self, dataset: &Dataset, config: &Config) -> Option<Box<dyn Crew>> {
        let threads = self.loaded.device.threads?;
        Some(Box::new(Threads::new(dataset.split_for(config), threads)))
    }

    fn fault(&self) -> Option<String> {
        self.loaded.device.fault.get().cloned()
    }
}
