//! Where files come in: a button, and the whole page for what is dropped.
//!
//! What reads them is not needed for the first paint, and arrives with the first file.

use gloo::events::{EventListener, EventListenerOptions};
use gloo::file::{File, FileList};
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use wasm_bindgen::JsCast as _;
use web_sys::{DragEvent, HtmlInputElement};

use crate::browser::bridge;
use crate::browser::dropped::Dropped;
use crate::page::state::notice::{Notice, Taking};
use crate::page::state::trainer::Trainer;

/// What takes files in.
#[derive(Clone, Copy)]
struct Intake {
    import: fn(Trainer, Vec<File>),
    import_dropped: fn(Trainer, Dropped),
    take_in_offered: fn(Trainer, Taking),
}

#[wasm_split(runs, fallible, wasm_split_path = leptos::wasm_split)]
fn intake() -> Result<Intake, SplitLoaderError> {
    Ok(Intake {
        import: Trainer::import,
        import_dropped: Trainer::import_dropped,
        take_in_offered: Trainer::take_in_offered,
    })
}

fn with_intake(trainer: Trainer, act: impl FnOnce(Intake) + 'static) {
    wasm_bindgen_futures::spawn_local(async move {
        let intake = match bridge::arrive().await {
            Ok(()) => intake().await,
            Err(error) => Err(error),
        };
        match intake {
            Ok(intake) => act(intake),
            Err(_) => trainer.notify(Notice::problem(
                "What reads files could not be loaded. Check the connection, then try again.",
                [],
            )),
        }
    });
}

/// Takes in what files hold.
pub fn import(trainer: Trainer, files: Vec<File>) {
    if !files.is_empty() {
        with_intake(trainer, move |intake| (intake.import)(trainer, files));
    }
}

/// Takes in the runs of which it was asked what is to become of them.
pub fn take_in_offered(trainer: Trainer, taking: Taking) {
    with_intake(trainer, move |intake| {
        (intake.take_in_offered)(trainer, taking);
    });
}

/// A button that has files chosen.
#[component]
pub fn ImportButton(trainer: Trainer) -> AnyView {
    let choose = move |event: web_sys::Event| {
        let input: Option<HtmlInputElement> =
            event.target().and_then(|target| target.dyn_into().ok());
        if let Some(input) = input {
            let files = input.files().map(FileList::from);
            let files = files.map(|files| files.to_vec()).unwrap_or_default();
            // The same files can then be chosen again.
            input.set_value("");
            import(trainer, files);
        }
    };
    view! {
        <label class="button" title="Runs out of a .kiln.zip, weights of Keras, PyTorch or ONNX, or data to train on; or drop files anywhere">
            "Import"
            <input class="hidden" type="file" multiple on:change=choose />
        </label>
    }
    .into_any()
}

/// Takes in what is dropped anywhere on the page, which never navigates away because of it.
pub fn listen_for_drops(trainer: Trainer) -> [EventListener; 2] {
    let options = EventListenerOptions::enable_prevent_default();
    let over = EventListener::new_with_options(&window(), "dragover", options, |event| {
        event.prevent_default();
    });
    let drop = EventListener::new_with_options(&window(), "drop", options, move |event| {
        event.prevent_default();
        if let Some(event) = event.dyn_ref::<DragEvent>() {
            let dropped = Dropped::of(event);
            if !dropped.is_empty() {
                with_intake(trainer, move |intake| {
                    (intake.import_dropped)(trainer, dropped)
                });
            }
        }
    });
    [over, drop]
}
