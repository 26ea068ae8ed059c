//! The trainer in the process that the page came from, where there is one.

use leptos::prelude::window;

use super::RELAY;

/// What the query of the page's address begins with where there is such a trainer; its token follows.
const KEY: &str = "?trainer=";

/// The name of the worker that passes messages on to it; nothing where the page came from elsewhere.
pub fn relay() -> Option<String> {
    let query = window().location().search().ok()?;
    Some([RELAY, query.strip_prefix(KEY)?].concat())
}
