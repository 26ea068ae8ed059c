//! The links to all screens.

use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, MouseEvent};

use super::parts::run_cells::compare_address;
use super::screens::Shared;
use crate::keymap::Control;

/// The screens that are worked in, in the order of their keys.
const SCREENS: [&str; 8] = [
    "Train", "Runs", "Compare", "Evaluate", "Data", "Draw", "Files", "Sweep",
];
/// Those that a narrow bar has no room for.
const MORE: [&str; 4] = ["Compare", "Data", "Files", "Sweep"];

/// A bar of links, of which a narrow one has some in a menu; `place` is the screen that is shown.
#[component]
pub fn Views(shared: Shared, place: Memo<&'static str>) -> AnyView {
    let link = move |name: &'static str| {
        let current = move || (place.get() == name).then_some("page");
        let address = move || match name {
            "Compare" => compare_address(shared.trainer),
            _ => format!("#/{}", name.to_lowercase()),
        };
        // A hand that comes near will mostly press.
        let expect = move || {
            if name != "Train" {
                shared.expect(name);
            }
        };
        view! {
            <a href=address aria-current=current data-control=Control::Tab(name).name()
                on:pointerenter=move |_| expect() on:focus=move |_| expect()>{name}</a>
        }
        .into_any()
    };
    let links = |names: &[&'static str]| names.iter().copied().map(link).collect_view();
    let is_within = move || MORE.contains(&place.get()).then_some("page");
    view! {
        <nav aria-label="Views">
            {links(&SCREENS)}
            <details class="menu more">
                <summary aria-current=is_within>"More"</summary>
                <div on:click=close>{links(&MORE)}</div>
            </details>
        </nav>
    }
    .into_any()
}

/// Closes the menu that was pressed in.
fn close(event: MouseEvent) {
    let inside: Option<Element> = event
        .current_target()
        .and_then(|target| target.dyn_into().ok());
    // The selector is a valid one.
    let menu = inside.and_then(|inside| inside.closest("details").ok().flatten());
    if let Some(menu) = menu {
        drop(menu.remove_attribute("open"));
    }
}
