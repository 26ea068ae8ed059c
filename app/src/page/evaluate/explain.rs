//! What the figures mean, in a few words each.

use leptos::prelude::*;

/// A text that is folded away until it is asked for.
#[component]
pub fn WhatIsThis(
    /// What it is about, for who does not see where it stands.
    about: &'static str,
    /// The text.
    text: Signal<String>,
) -> AnyView {
    view! {
        <details class="what">
            <summary>"What is this?" <span class="hidden">{format!(" {about}")}</span></summary>
            <p>{text}</p>
        </details>
    }
    .into_any()
}
