//! Opens burn's WebGPU device.

use std::sync::Arc;

use burn::tensor::Device;
use kiln_model::train::engine::{Place, Tiles};
use kiln_model::train::gpu;

use kiln_trainer::Opened;

use super::constructors;
use crate::browser::probe::probe;
use crate::browser::scope::post;
use kiln_run::protocol::FromWorker;

/// Operations gathered into one command buffer: fewer, larger submissions.
const TASKS_MAX: usize = 64;

/// The device, and the adapter it is on.
///
/// # Errors
/// Why this worker cannot train here.
pub async fn open() -> Result<Opened, String> {
    constructors::call();
    let adapter = probe().await.map_err(|reason| reason.to_string())?;
    let (device, setup) = Device::wgpu_options()
        .tasks_max(TASKS_MAX)
        .init_with_setup_async()
        .await
        .map_err(|error| error.to_string())?;
    // burn's own handler panics, far from what went wrong.
    setup.device.on_uncaptured_error(Arc::new(|error| {
        post(&FromWorker::Fatal {
            details: error.to_string(),
        });
    }));
    let tiles = if adapter.is_software {
        Tiles::Large
    } else {
        Tiles::Small
    };
    let place = Place { device, tiles };
    gpu::check(&place)
        .await
        .map_err(|error| error.to_string())?;
    Ok((place, Some(adapter)))
}
