//! The address of the settings: it follows them, and whoever opens it has them.
//!
//! It never starts a run, and it takes the place of the address before, so that **Back** leaves the
//! page as it would without.

use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::page::parts::view::View;
use crate::page::route::Route;
use crate::page::state::notice::Notice;
use crate::page::state::trainer::Trainer;
use kiln_model::config::Config;
use kiln_run::share::{self, Shared};
use kiln_run::sight::Sight;

/// Where the settings are.
const ADDRESS: &str = "#/train";
/// How long settings stay as they are before the address follows.
const REST_MS: u32 = 300;

/// Writes and reads the query of settings, which nobody waits for before the first paint.
#[derive(Clone, Copy)]
struct Query {
    write: fn(&Config, &Sight) -> Option<String>,
    read: fn(&str) -> Option<Shared>,
}

#[wasm_split(work, fallible, wasm_split_path = leptos::wasm_split)]
fn query() -> Result<Query, SplitLoaderError> {
    Ok(Query {
        write: |config, sight| share::write(config, sight),
        read: |query| share::read(query),
    })
}

/// Whether the address names settings.
pub fn is_named() -> bool {
    let hash = window().location().hash().unwrap_or_default();
    hash.strip_prefix(ADDRESS)
        .is_some_and(|rest| rest.starts_with('?'))
}

/// What the address is to say; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Share {
    trainer: Trainer,
    view: View,
    /// Nothing until its code is there.
    query: RwSignal<Option<Query>>,
    /// What was written last, which need not be read.
    written: StoredValue<String>,
    pause: StoredValue<Option<Timeout>, ThisThread>,
}

impl Share {
    /// Reads what the address says once that can be read, and has it follow the settings while Train
    /// is looked at. A start that was asked for before waits for what the address says.
    pub fn new(trainer: Trainer, view: View, route: RwSignal<Route>, starts: bool) -> Self {
        let share = Self {
            trainer,
            view,
            query: RwSignal::new(None),
            written: StoredValue::new(String::new()),
            pause: StoredValue::new_local(None),
        };
        wasm_bindgen_futures::spawn_local(async move {
            // Without it the page is as it is with a plain address.
            if let Ok(arrived) = query().await {
                share.query.set(Some(arrived));
                share.take();
            }
            if starts {
                trainer.begin(false);
            }
        });
        Effect::new(move |_| {
            let is_train = route.with(|route| *route == Route::Train);
            let address = share.address().filter(|_| is_train);
            // Once the hand rests: browsers refuse an address that changes with every move of a slider.
            share.pause.set_value(address.map(|address| {
                Timeout::new(REST_MS, move || {
                    if route.with_untracked(|route| *route == Route::Train) {
                        share.write(&address);
                    }
                })
            }));
        });
        share
    }

    /// Takes up what the address says, unless the page has written it.
    pub fn take(self) {
        let Some(Query { read, .. }) = self.query.get_untracked() else {
            return;
        };
        let hash = window().location().hash().unwrap_or_default();
        let is_written = self.written.with_value(|written| *written == hash);
        let asked = hash
            .strip_prefix(ADDRESS)
            .and_then(|rest| rest.strip_prefix('?'));
        let Some(shared) = asked.filter(|_| !is_written).and_then(read) else {
            return;
        };
        self.view.set_sight(shared.sight);
        self.trainer.take_shared(shared.config);
        if !shared.remarks.is_empty() {
            self.trainer.notify(Notice::info(shared.remarks.join(" ")));
        }
    }

    /// The address of the settings, without what comes before the `#`.
    pub fn address(self) -> Option<String> {
        let Query { write, .. } = self.query.get()?;
        let config = self.trainer.next.get();
        Some(match write(&config, &self.view.sight()) {
            Some(query) => format!("{ADDRESS}?{query}"),
            None => ADDRESS.to_owned(),
        })
    }

    fn write(self, address: &str) {
        Route::refine(Route::Train.name(), address);
        let hash = window().location().hash().unwrap_or_default();
        self.written.set_value(hash);
    }
}
