//! What is trained on, and with what, in words.

use leptos::prelude::*;

use crate::page::state::trainer::{Loading, Trainer};
use kiln_run::device::{Backend, BackendChoice};
use kiln_run::{data, format};

/// How far the data in use is, or what there is of it.
pub fn data_text(trainer: Trainer) -> String {
    let used = trainer.sources.used.get();
    let name = &used.name;
    let mb = |bytes: u64| bytes as f64 / 1e6;
    match (trainer.loading.get(), trainer.data.get()) {
        (Loading::Done, Some(data)) => format!("{name}: {}", data::counts(&data)),
        (Loading::Bytes(loaded, total), _) if used.is_mnist() => {
            format!("Loading {name}: {:.1} of {:.1} MB", mb(loaded), mb(total))
        }
        (Loading::Failed(loaded), _) if used.is_mnist() => {
            format!("{name} stopped loading at {:.1} MB", mb(loaded))
        }
        (Loading::Failed(_), _) => format!("{name} could not be read"),
        _ => format!("Loading {name}"),
    }
}

/// The backend, and how fast it and the other one are once both were timed, as the top bar shows it
/// too.
pub fn device_and_speed(trainer: Trainer, backend: Backend) -> String {
    let name = device_name(trainer, backend);
    let other = match backend {
        Backend::WebGpu => Backend::Cpu,
        Backend::Cpu => Backend::WebGpu,
        Backend::Native => return name,
    };
    let speeds = trainer.speeds.get();
    match (speeds.get(backend), speeds.get(other)) {
        (Some(this), Some(that)) => {
            let (this, that) = (format::about(this), format::about(that));
            format!("{name} · {this} images/s ({} {that})", other.label())
        }
        _ => name,
    }
}

/// The backend with its adapter.
pub fn device_name(trainer: Trainer, backend: Backend) -> String {
    let label = match backend {
        Backend::Native => BackendChoice::Native.label(),
        Backend::WebGpu | Backend::Cpu => backend.label(),
    };
    match trainer.adapter.get() {
        Some(adapter) => format!("{label} · {}", adapter.name),
        None => label.to_owned(),
    }
}

/// What stands in place of an answer that is not there.
pub fn waiting(trainer: Trainer) -> AnyView {
    view! { <p class="muted">{move || data_text(trainer)}</p> }.into_any()
}
