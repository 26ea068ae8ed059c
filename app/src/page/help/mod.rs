//! The Help route: how Kiln is used, what its keys and figures mean, where its runs are.

mod beyond;
mod charts;
mod files;
mod keys;
mod list;
mod storage;
mod terms;
mod tour;

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

use crate::page::parts::keys::SingleKeys;

/// A section.
struct Section {
    /// What an address calls it.
    name: &'static str,
    title: &'static str,
    show: fn(SingleKeys) -> AnyView,
}

const SECTIONS: [Section; 11] = [
    Section {
        name: "tour",
        title: "A one-minute tour",
        show: |_| tour::show(),
    },
    Section {
        name: "presets",
        title: "Presets",
        show: |_| tour::show_presets(),
    },
    Section {
        name: "keys",
        title: "Keys",
        show: keys::show,
    },
    Section {
        name: "terms",
        title: "What the words mean",
        show: |_| terms::show(),
    },
    Section {
        name: "charts",
        title: "How to read the charts",
        show: |_| charts::show(),
    },
    Section {
        name: "sweep",
        title: "Sweeps",
        show: |_| beyond::show_sweep(),
    },
    Section {
        name: "files",
        title: "How to open the files",
        show: |_| files::show(),
    },
    Section {
        name: "kiln",
        title: "Beyond this tab",
        show: |_| beyond::show_kiln(),
    },
    Section {
        name: "storage",
        title: "Where runs are kept",
        show: |_| storage::show(),
    },
    Section {
        name: "offline",
        title: "Without a network",
        show: |_| storage::show_offline(),
    },
    Section {
        name: "privacy",
        title: "Nothing is uploaded",
        show: |_| storage::show_privacy(),
    },
];

/// The route, at the section that the address names.
#[component]
pub fn Help(single_keys: SingleKeys, #[prop(into)] about: Signal<Option<String>>) -> AnyView {
    Effect::new(move |_| {
        if let Some(name) = about.get() {
            go_to(&name);
        }
    });
    let links = SECTIONS.iter().map(|Section { name, title, .. }| {
        let address = format!("#/help?about={name}");
        // Whoever has scrolled on is at the same address still.
        view! { <li><a href=address on:click=move |_| go_to(name)>{*title}</a></li> }
    });
    let sections = SECTIONS.iter().map(|section| {
        view! {
            <section aria-labelledby=id(section.name)>
                <h2 id=id(section.name) tabindex="-1">{section.title}</h2>
                {(section.show)(single_keys)}
            </section>
        }
    });
    view! {
        <div class="help">
            <h1 tabindex="-1">"Help"</h1>
            <ul class="contents" aria-label="Contents">{links.collect_view()}</ul>
            {sections.collect_view()}
        </div>
    }
    .into_any()
}

/// The id of a section's heading.
fn id(name: &str) -> String {
    format!("help-{name}")
}

/// Begins at a section, after the heading of the screen had the focus; where there is none of this
/// name, it stays there.
fn go_to(name: &str) {
    let id = id(name);
    request_animation_frame(move || {
        let heading = document().get_element_by_id(&id);
        if let Some(heading) = heading.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
            heading.scroll_into_view();
            // A heading takes the focus.
            drop(heading.focus());
        }
    });
}
