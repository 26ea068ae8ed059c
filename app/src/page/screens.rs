//! The screens but Train. Their code is in parts of the page's module that arrive when a screen of
//! theirs is first opened.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use super::compare::Compare;
use super::data::DataView;
use super::draw::{Board, Draw};
use super::evaluate::Evaluate;
use super::files::Files;
use super::help::Help;
use super::parts::focus::focus_heading;
use super::parts::keys::SingleKeys;
use super::parts::listing::Listing;
use super::parts::view::View;
use super::route::Route;
use super::runs::Runs;
use super::state::trainer::Trainer;
use super::sweep::SweepView;
use crate::browser::bridge;

/// What screens are made with, and what of theirs outlives a visit.
#[derive(Clone, Copy)]
pub struct Shared {
    /// What the page knows.
    pub trainer: Trainer,
    /// How charts are looked at.
    pub view: View,
    /// How runs are listed.
    pub listing: Listing,
    /// What was drawn.
    pub board: Board,
    /// What the address names.
    pub route: RwSignal<Route>,
    /// Whether keys that are pressed by themselves do anything.
    pub single_keys: SingleKeys,
    arrived: StoredValue<HashMap<&'static str, Make>>,
    /// Whether the person has gone anywhere yet.
    has_moved: StoredValue<bool>,
}

/// Makes a screen.
type Make = fn(Shared) -> AnyView;

type Arrival = Result<Make, SplitLoaderError>;

impl Shared {
    /// Screens of which none was opened yet.
    pub fn new(
        trainer: Trainer,
        view: View,
        listing: Listing,
        route: RwSignal<Route>,
        single_keys: SingleKeys,
    ) -> Self {
        Self {
            trainer,
            view,
            listing,
            board: Board::new(),
            route,
            single_keys,
            arrived: StoredValue::new(HashMap::new()),
            has_moved: StoredValue::new(false),
        }
    }

    /// Shows what the address names by now, and begins at its heading.
    pub fn go(self) {
        self.has_moved.set_value(true);
        self.route.set(Route::current());
        focus_heading();
    }

    /// Has a screen's code arrive, which is about to be opened.
    pub fn expect(self, name: &'static str) {
        wasm_bindgen_futures::spawn_local(async move {
            // Where it does not arrive, whoever opens the screen is told.
            drop(self.arrive(name).await);
        });
    }

    async fn arrive(self, name: &'static str) -> Arrival {
        // Nearly every screen asks a worker something.
        bridge::arrive().await?;
        let make = match name {
            "Runs" => runs().await,
            "Compare" => compare().await,
            "Data" => data().await,
            "Draw" => draw().await,
            "Evaluate" => evaluate().await,
            "Sweep" => sweep().await,
            "Help" => help().await,
            _ => files().await,
        }?;
        self.arrived
            .try_update_value(|arrived| arrived.insert(name, make));
        Ok(make)
    }
}

/// The screen of this name, as soon as its code is there.
#[component]
pub fn Screen(shared: Shared, name: &'static str) -> AnyView {
    let here = shared
        .arrived
        .with_value(|arrived| arrived.get(name).copied());
    let outcome = RwSignal::new(here.map(Ok));
    let ask = move || {
        outcome.set(None);
        wasm_bindgen_futures::spawn_local(async move {
            let arrival = shared.arrive(name).await;
            let is_left = outcome.try_set(Some(arrival.map_err(|_| ()))).is_some();
            if !is_left && shared.has_moved.get_value() {
                focus_heading();
            }
        });
    };
    if here.is_none() {
        ask();
    }
    (move || match outcome.get() {
        Some(Ok(make)) => make(shared),
        Some(Err(())) => view! {
            <div class="arriving">
                <h1 tabindex="-1">{name}</h1>
                <section class="nothing" role="alert">
                    <p>"This screen could not be loaded. Check the connection, then try again. If that does not help, reload the page."</p>
                    <button on:click=move |_| {
                        shared.has_moved.set_value(true);
                        ask();
                    }>"Try again"</button>
                </section>
            </div>
        }
        .into_any(),
        None => view! { <div class="arriving"><p role="status">"Loading"</p></div> }.into_any(),
    })
    .into_any()
}

#[wasm_split(runs, fallible, wasm_split_path = leptos::wasm_split)]
fn runs() -> Arrival {
    Ok(|shared| {
        let Shared {
            trainer, listing, ..
        } = shared;
        view! { <Runs trainer listing /> }.into_any()
    })
}

#[wasm_split(runs, fallible, wasm_split_path = leptos::wasm_split)]
fn compare() -> Arrival {
    Ok(|shared| {
        let Shared {
            trainer,
            view,
            route,
            ..
        } = shared;
        let ids = Signal::derive(move || match route.get() {
            Route::Compare(ids) => ids,
            _ => Vec::new(),
        });
        view! { <Compare trainer view ids /> }.into_any()
    })
}

#[wasm_split(study, fallible, wasm_split_path = leptos::wasm_split)]
fn data() -> Arrival {
    Ok(|shared| view! { <DataView trainer=shared.trainer /> }.into_any())
}

#[wasm_split(study, fallible, wasm_split_path = leptos::wasm_split)]
fn draw() -> Arrival {
    Ok(|shared| {
        let Shared {
            trainer,
            board,
            route,
            ..
        } = shared;
        let ids = Signal::derive(move || match route.get() {
            Route::Draw(ids) => ids,
            _ => Vec::new(),
        });
        view! { <Draw trainer board ids /> }.into_any()
    })
}

#[wasm_split(study, fallible, wasm_split_path = leptos::wasm_split)]
fn evaluate() -> Arrival {
    Ok(|shared| {
        let Shared { trainer, route, .. } = shared;
        let asked = Signal::derive(move || match route.get() {
            Route::Evaluate(run, epoch) => (run, epoch),
            _ => (None, None),
        });
        view! { <Evaluate trainer asked /> }.into_any()
    })
}

#[wasm_split(runs, fallible, wasm_split_path = leptos::wasm_split)]
fn files() -> Arrival {
    Ok(|shared| {
        let Shared { trainer, route, .. } = shared;
        let asked = Signal::derive(move || match route.get() {
            Route::Files(run) => run,
            _ => None,
        });
        view! { <Files trainer asked /> }.into_any()
    })
}

#[wasm_split(study, fallible, wasm_split_path = leptos::wasm_split)]
fn sweep() -> Arrival {
    Ok(|shared| view! { <SweepView trainer=shared.trainer /> }.into_any())
}

#[wasm_split(runs, fallible, wasm_split_path = leptos::wasm_split)]
fn help() -> Arrival {
    Ok(|shared| {
        let Shared {
            route, single_keys, ..
        } = shared;
        let about = Signal::derive(move || match route.get() {
            Route::Help(about) => about,
            _ => None,
        });
        view! { <Help single_keys about /> }.into_any()
    })
}
