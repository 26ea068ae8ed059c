//! What there is to train on.

mod gpu;
mod name;
mod opened;

use std::thread;

use kiln_model::train::crew::MOST_SHARES;

use crate::error::CliError;
use gpu::Adapter;

pub use name::Device;
pub use opened::Opened;

/// Opens a device; the CPU with so many threads.
///
/// # Errors
/// One that is not there, or computes wrongly; what there is stands in it.
pub fn open(device: Device, threads: usize) -> Result<Opened, CliError> {
    let Device::Gpu { api, number } = device else {
        return Ok(Opened::cpu(threads));
    };
    let adapters = gpu::adapters();
    let mut reached: Vec<&Adapter> = adapters
        .iter()
        .filter(|adapter| api.is_none_or(|api| api == adapter.api))
        .collect();
    // A GPU by whichever API goes before one in software.
    reached.sort_by_key(|adapter| adapter.is_software);
    let Some(adapter) = reached.get(number.unwrap_or(0)).copied() else {
        return Err(CliError::NoDevice {
            asked: device.to_string(),
            there: names(&adapters),
            hint: gpu::HOW_TO_HAVE_THEM,
        });
    };
    gpu::open(adapter).map_err(|reason| CliError::Device {
        name: device.to_string(),
        reason,
    })
}

/// Threads that train where nothing else is said.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_SHARES))
}

/// The names of all devices, those of the adapters by their APIs.
fn names(adapters: &[Adapter]) -> Vec<String> {
    let numbered = adapters.iter().enumerate().map(|(index, adapter)| {
        let before = &adapters[..index];
        let number = before.iter().filter(|other| other.api == adapter.api);
        format!("{}:{}", adapter.api.name(), number.count())
    });
    ["cpu".to_owned()].into_iter().chain(numbered).collect()
}

/// All of it, a line each.
pub fn list() -> String {
    let adapters = gpu::adapters();
    let words = adapters.iter().map(Adapter::in_words);
    let words = [opened::cpu_in_words(threads())].into_iter().chain(words);
    let lines = names(&adapters).into_iter().zip(words);
    let lines: Vec<String> = lines
        .map(|(name, words)| format!("{name:<10}{words}"))
        .collect();
    lines.join("\n")
}
