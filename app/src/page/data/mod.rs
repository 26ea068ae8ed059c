//! The Data route: what is trained on, how often each digit occurs, what the images look like, and
//! data of one's own.

mod labels;
mod naming;
mod network;
mod own;
mod samples;

use crate::page::data::labels::Labels;
use crate::page::data::own::Own;
use crate::page::data::samples::Samples;
use kiln_model::config::Config;
use leptos::prelude::*;

use crate::page::parts::later::Later;
use crate::page::state::trainer::Trainer;
use network::Network;

/// The route.
#[component]
pub fn DataView(trainer: Trainer) -> AnyView {
    // What the parts are made of, of all settings; nothing until the data is there.
    let config = Memo::new(move |_| {
        let set = trainer.config.get();
        let data = trainer.data.get()?;
        Some(Config {
            training_images: set.training_images.min(data.training_images),
            validation_split: set.validation_split,
            validate_on: set.validate_on,
            ..Config::default()
        })
    });
    let is_over = RwSignal::new(false);
    view! {
        <div
            class="data"
            class:over=is_over
            on:dragover=move |_| is_over.set(true)
            on:dragleave=move |_| is_over.set(false)
            on:drop=move |_| is_over.set(false)
        >
            <h1 tabindex="-1">"Data"</h1>
            <Own trainer />
            <div class="columns-of-two">
                <Labels trainer config />
                <Later><Samples trainer config /></Later>
            </div>
            <Later><Network trainer /></Later>
        </div>
    }
    .into_any()
}
