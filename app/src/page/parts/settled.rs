//! What holds for the whole page and is not needed for its first paint: it arrives right after.

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::keys::{self, SingleKeys};
use super::{double_press, focus, import, offline};
use crate::page::state::trainer::Trainer;

/// Has it arrive. Where it does not, whatever is pressed acts all the same, and the code of the
/// trainer, which comes with it, is missed and told of.
pub fn settle(trainer: Trainer, single: SingleKeys) {
    let listeners = StoredValue::new_local(None);
    wasm_bindgen_futures::spawn_local(async move {
        if let Ok(arrived) = arriving().await {
            listeners.set_value(Some(arrived(trainer, single)));
        }
    });
    on_cleanup(move || listeners.dispose());
}

type Settled = fn(Trainer, SingleKeys) -> Vec<gloo::events::EventListener>;

#[wasm_split(work, fallible, wasm_split_path = leptos::wasm_split)]
fn arriving() -> Result<Settled, SplitLoaderError> {
    Ok(|trainer, single| {
        focus::keep();
        offline::keep(trainer);
        let mut listeners = vec![double_press::listen()];
        listeners.extend(keys::listen(trainer, single));
        listeners.extend(import::listen_for_drops(trainer));
        listeners
    })
}
