//! The Sweep route: what is to differ, how it is searched, and what came of it.

mod chart;
mod form;
mod progress;
mod results;
mod turns;

use leptos::prelude::*;

use crate::page::parts::import::ImportButton;
use crate::page::state::trainer::Trainer;
use form::Form;
use progress::Progress;
use results::Results;
use turns::Turns;

/// The route.
#[component]
pub fn SweepView(trainer: Trainer) -> AnyView {
    let turns = Turns::new(trainer);
    // The sweep that is looked at, by its tag.
    let chosen = RwSignal::new(turns.latest());
    view! {
        <div class="sweep">
            <div class="head">
                <h1 tabindex="-1">"Sweep"</h1>
                <ImportButton trainer />
                <Progress trainer turns />
            </div>
            <div class="sweep-body">
                <Form trainer turns chosen />
                <Results trainer chosen />
            </div>
        </div>
    }
    .into_any()
}
