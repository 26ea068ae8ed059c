//! What the browser remembers from visit to visit. Where it keeps nothing, be it that it must not or
//! that there is no room, the next visit begins as the first did.

use js_sys::JSON;
use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;

use kiln_run::device::Backend;

const WORKERS_KEY: &str = "kiln.cpu_workers";

/// What is remembered under a key; nothing where there is none, or none that can be read.
pub fn get<T: DeserializeOwned>(key: &str) -> Option<T> {
    let kept = storage()?.get_item(key).ok()??;
    serde_wasm_bindgen::from_value(JSON::parse(&kept).ok()?).ok()
}

/// Remembers something under a key.
pub fn set<T: Serialize>(key: &str, value: &T) {
    let value = value.serialize(&Serializer::json_compatible());
    let text = value.ok().and_then(|value| JSON::stringify(&value).ok());
    if let (Some(storage), Some(text)) = (storage(), text) {
        drop(storage.set_item(key, &String::from(text)));
    }
}

fn forget(key: &str) {
    if let Some(storage) = storage() {
        drop(storage.remove_item(key));
    }
}

/// A browser that is told to keep nothing throws at the mere question.
fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}

/// How many workers train together on the CPU; nothing for as many as there are cores.
pub fn workers() -> Option<u32> {
    get(WORKERS_KEY)
}

/// Remembers how many workers train together.
pub fn remember_workers(workers: Option<u32>) {
    match workers {
        Some(workers) => set(WORKERS_KEY, &workers),
        None => forget(WORKERS_KEY),
    }
}

fn speed_key(backend: Backend, batch_size: u32) -> String {
    format!("kiln.images_per_sec.{}.{batch_size}", backend.label())
}

/// Training images a second of the last run with this batch size, or else of the last at all.
pub fn speed(backend: Backend, batch_size: u32) -> Option<f64> {
    get(&speed_key(backend, batch_size))
        .or_else(|| get(&speed_key(backend, 0)))
        .filter(|rate: &f64| *rate > 0.0)
}

/// Remembers the speed of a run.
pub fn remember_speed(backend: Backend, batch_size: u32, images_per_sec: f64) {
    for key in [speed_key(backend, batch_size), speed_key(backend, 0)] {
        set(&key, &images_per_sec);
    }
}
