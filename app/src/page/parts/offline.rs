//! Says that the page needs no network any more, and that there is a newer version of it.

use gloo::timers::future::TimeoutFuture;
use leptos::prelude::*;

use crate::browser::offline::{self, Offline};
use crate::page::state::notice::{Notice, Remedy};
use crate::page::state::trainer::Trainer;

/// How long it says that it works offline now.
const SAID_MS: u32 = 6_000;

/// Has the page kept, once all that is wanted first is there.
pub fn keep(trainer: Trainer) {
    let is_begun = StoredValue::new(false);
    Effect::new(move |_| {
        if trainer.is_ready() && !is_begun.get_value() {
            is_begun.set_value(true);
            wasm_bindgen_futures::spawn_local(offline::keep(move |told| tell(trainer, told)));
        }
    });
}

fn tell(trainer: Trainer, told: Offline) {
    match told {
        Offline::Kept => {
            let notice = Notice::info("Works offline now.");
            trainer.notify(notice.clone());
            wasm_bindgen_futures::spawn_local(async move {
                TimeoutFuture::new(SAID_MS).await;
                trainer.library.dismiss(&notice);
            });
        }
        Offline::NewVersion => trainer.notify(Notice::info_with(
            "A new version is there. Reload when your run is done.",
            [Remedy::NewVersion],
        )),
    }
}
