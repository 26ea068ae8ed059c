//! Lines of code to copy.

use leptos::prelude::*;

use crate::page::parts::notices::CopyButton;
use kiln_run::export::Language;

/// Lines that are seen at once.
const SHORT_LINES: usize = 3;

/// Lines that open the file; many are shown when asked for.
#[component]
pub fn Snippet(
    /// What they are written in.
    language: Language,
    /// The lines.
    text: String,
) -> AnyView {
    let lines = text.lines().count();
    let code = view! { <pre><code>{text.clone()}</code></pre> };
    let shown = if lines <= SHORT_LINES {
        code.into_any()
    } else {
        let language = match language {
            Language::Python => "Python",
            Language::Shell => "Shell",
            Language::Rust => "Rust",
        };
        view! {
            <details>
                <summary>{format!("{language}, {lines} lines")}</summary>
                {code}
            </details>
        }
        .into_any()
    };
    view! {
        {shown}
        <CopyButton label="Copy" text />
    }
    .into_any()
}
