//! What surrounds a trainer.

use kiln_model::config::Config;
use kiln_model::dataset::Dataset;
use kiln_model::train::crew::Crew;
use kiln_model::train::engine::Place;
use kiln_run::device::Adapter;
use kiln_run::protocol::{Data, FromWorker};

/// A device that is open, and the adapter it is on.
pub type Opened = (Place, Option<Adapter>);

/// What surrounds a trainer: a worker of the tab, or a process beside it.
pub trait Host {
    /// Sends the page a message.
    fn post(&self, message: &FromWorker);

    /// The time, in milliseconds since some moment that stays.
    fn now_ms(&self) -> f64;

    /// Has messages arrive that wait.
    fn rest(&self) -> impl Future<Output = ()>;

    /// Opens the device.
    ///
    /// # Errors
    /// Why there is nothing to train on here.
    fn open(&self) -> impl Future<Output = Result<Opened, String>>;

    /// The data, or nothing where the page was told why; tells the page how far it is, too.
    fn load(&self, data: Data) -> impl Future<Output = Option<Dataset>>;

    /// From now on so many share a batch; nothing for as many as there are cores.
    fn employ(&self, workers: Option<u32>);

    /// Those who share the batches of a run with these settings, where several do.
    fn crew(&self, dataset: &Dataset, config: &Config) -> Option<Box<dyn Crew>>;

    /// What went wrong on the device, where the host has heard: what it computes from then on is not to
    /// be trusted.
    fn fault(&self) -> Option<String> {
        None
    }
}
