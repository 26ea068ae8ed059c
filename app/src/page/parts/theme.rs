//! System, light or dark; the document applies the choice before its first paint.

use leptos::prelude::*;

use crate::browser::remembered;
use crate::keymap::Control;

/// Where the document's own script looks too.
const KEY: &str = "kiln.theme";

/// Goes from System to Light to Dark and round again.
#[component]
pub fn ThemeButton() -> AnyView {
    let kept: String = remembered::get(KEY).unwrap_or_default();
    let theme = RwSignal::new(match kept.as_str() {
        "light" => "light",
        "dark" => "dark",
        _ => "system",
    });
    let next = move |_| {
        let chosen = match theme.get() {
            "system" => "light",
            "light" => "dark",
            _ => "system",
        };
        theme.set(chosen);
        // Where the browser keeps nothing, the choice lasts as long as the page.
        remembered::set(KEY, &chosen);
        if let Some(root) = document().document_element() {
            drop(root.set_attribute("data-theme", chosen));
        }
    };
    let name = move || format!("Theme: {}", theme.get());
    view! {
        <button
            class="quiet icon"
            aria-label=name
            title=name
            data-control=Control::Theme.name()
            on:click=next
        >
            {move || match theme.get() {
                "light" => "☼",
                "dark" => "☾",
                _ => "◐",
            }}
        </button>
    }
    .into_any()
}
