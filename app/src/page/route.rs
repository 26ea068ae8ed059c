//! The views of the page and their addresses.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use kiln_run::protocol::RunId;

/// A view, with what its address names.
#[derive(Clone, Debug, PartialEq)]
pub enum Route {
    /// Settings and charts.
    Train,
    /// All runs.
    Runs,
    /// Runs side by side.
    Compare(Vec<RunId>),
    /// What is trained on.
    Data,
    /// What networks say to a drawing.
    Draw(Vec<RunId>),
    /// What a run's network says to every image, of a run and after so many epochs.
    Evaluate(Option<RunId>, Option<f64>),
    /// What a run leaves, of a run.
    Files(Option<RunId>),
    /// Runs that differ in some settings.
    Sweep,
    /// How Kiln is used, at a section.
    Help(Option<String>),
}

impl Route {
    /// What the address names.
    pub fn current() -> Self {
        Self::named_by(&window().location().hash().unwrap_or_default())
    }

    /// What an address names from its `#` on; an unknown one means Train.
    pub fn named_by(hash: &str) -> Self {
        let (path, query) = hash.split_once('?').unwrap_or((hash, ""));
        match path {
            "#/runs" => Self::Runs,
            "#/compare" => Self::Compare(ids(query)),
            "#/data" => Self::Data,
            "#/draw" => Self::Draw(ids(query)),
            "#/evaluate" => Self::Evaluate(
                run(query),
                value(query, "epoch=").and_then(|epoch| epoch.parse().ok()),
            ),
            "#/files" => Self::Files(run(query)),
            "#/sweep" => Self::Sweep,
            "#/help" => Self::Help(value(query, "about=").map(str::to_owned)),
            _ => Self::Train,
        }
    }

    /// Has the address name more of the screen of this name, with nothing to go back through. Where it
    /// names another by now it stays: a person has gone on, and the page is about to hear of it.
    pub fn refine(name: &'static str, address: &str) {
        if Self::current().name() != name {
            return;
        }
        if let Ok(history) = window().history() {
            // Where the address cannot change, it names what it named before.
            drop(history.replace_state_with_url(&JsValue::NULL, "", Some(address)));
        }
    }

    /// The name a person reads.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Train => "Train",
            Self::Runs => "Runs",
            Self::Compare(_) => "Compare",
            Self::Data => "Data",
            Self::Draw(_) => "Draw",
            Self::Evaluate(..) => "Evaluate",
            Self::Files(_) => "Files",
            Self::Sweep => "Sweep",
            Self::Help(_) => "Help",
        }
    }
}

/// The runs of a query such as `runs=1,2`; what is no number is left out.
fn ids(query: &str) -> Vec<RunId> {
    let list = value(query, "runs=").unwrap_or_default();
    // Some programs write a comma in an address as %2C.
    list.replace("%2C", ",")
        .split(',')
        .filter_map(|id| id.parse().ok().map(RunId))
        .collect()
}

/// The run of a query such as `run=1`.
fn run(query: &str) -> Option<RunId> {
    value(query, "run=")?.parse().ok().map(RunId)
}

/// What follows a key such as `run=` in a query.
fn value<'a>(query: &'a str, key: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.strip_prefix(key))
}
