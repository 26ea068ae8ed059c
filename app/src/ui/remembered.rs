//! What the browser remembers of training from visit to visit. Where it keeps nothing, Kiln asks or
//! measures again.

use gloo::storage::{LocalStorage, Storage as _};

use crate::device::Backend;

const WORKERS_KEY: &str = "kiln.cpu_workers";

/// How many workers train together on the CPU; nothing for as many as there are cores.
pub fn workers() -> Option<u32> {
    LocalStorage::get(WORKERS_KEY).ok()
}

/// Remembers how many workers train together.
pub fn remember_workers(workers: Option<u32>) {
    match workers {
        Some(workers) => drop(LocalStorage::set(WORKERS_KEY, workers)),
        None => LocalStorage::delete(WORKERS_KEY),
    }
}

fn speed_key(backend: Backend, batch_size: u32) -> String {
    format!("kiln.images_per_sec.{}.{batch_size}", backend.label())
}

/// Training images a second of the last run with this batch size, or else of the last at all.
pub fn speed(backend: Backend, batch_size: u32) -> Option<f64> {
    LocalStorage::get(speed_key(backend, batch_size))
        .or_else(|_| LocalStorage::get(speed_key(backend, 0)))
        .ok()
        .filter(|rate: &f64| *rate > 0.0)
}

/// Remembers the speed of a run.
pub fn remember_speed(backend: Backend, batch_size: u32, images_per_sec: f64) {
    for key in [speed_key(backend, batch_size), speed_key(backend, 0)] {
        drop(LocalStorage::set(key, images_per_sec));
    }
}
