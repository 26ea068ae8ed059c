//! The focus stays where the keyboard was.
//!
//! What has the focus may go, as **Start** does when a run starts, the field in which a run was
//! renamed, or a notice. The browser then leaves the focus nowhere, and the next Tab begins at the
//! top of the page. Here it goes to what is nearest to where it was.

use gloo::events::EventListener;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, FocusOptions, HtmlElement, MutationObserver, MutationObserverInit};

/// What can have the focus, but for what is out of sight.
const FOCUSABLE: &str = "button:not([disabled]), a[href], input:not([disabled]), \
     select:not([disabled]), textarea:not([disabled]), summary, h1[tabindex]";

/// Looks after the focus for as long as the page is there.
pub fn keep() {
    // What had the focus, and all that it was in, from the inside out.
    let path = StoredValue::new_local(Vec::<Element>::new());
    let on_focus = EventListener::new(&document(), "focusin", move |event| {
        let target = event.target().and_then(|target| target.dyn_into().ok());
        path.set_value(
            std::iter::successors(target, |inner: &Element| inner.parent_element()).collect(),
        );
    });
    on_focus.forget();
    // Who presses beside everything takes the focus away, and has it put nowhere else later.
    let on_press = EventListener::new(&document(), "pointerdown", move |event| {
        let target: Option<Element> = event.target().and_then(|target| target.dyn_into().ok());
        let pressed = target.and_then(|target| target.closest(FOCUSABLE).ok().flatten());
        if pressed.is_none() {
            path.set_value(Vec::new());
        }
    });
    on_press.forget();
    let on_change = Closure::<dyn FnMut()>::new(move || {
        let nowhere = document()
            .active_element()
            .is_none_or(|active| active.local_name() == "body");
        let is_gone = path.with_value(|path| path.first().is_some_and(|had| !had.is_connected()));
        if nowhere && is_gone {
            let nearest = path.with_value(|path| nearest(path));
            path.set_value(Vec::new());
            if let Some(nearest) = nearest {
                // Whoever has scrolled elsewhere stays there.
                let options = FocusOptions::new();
                options.set_prevent_scroll(true);
                // Something that cannot take the focus leaves it nowhere, as before.
                drop(nearest.focus_with_options(&options));
            }
        }
    });
    let changes = MutationObserverInit::new();
    changes.set_child_list(true);
    changes.set_subtree(true);
    let observed = MutationObserver::new(on_change.as_ref().unchecked_ref()).and_then(|observer| {
        let body = document().body();
        body.map_or(Ok(()), |body| {
            observer.observe_with_options(&body, &changes)
        })
    });
    if let Err(error) = observed {
        wasm_bindgen::throw_val(error);
    }
    on_change.forget();
}

/// Begins at the heading of what will be shown next.
pub fn focus_heading() {
    request_animation_frame(|| {
        let heading = document().query_selector("h1").ok().flatten();
        let heading: Option<HtmlElement> = heading.map(wasm_bindgen::JsCast::unchecked_into);
        // A page without a heading has nothing to focus.
        drop(heading.map(|heading| heading.focus()));
    });
}

/// The first thing that can have the focus in the innermost of these that is still there and has
/// one.
fn nearest(path: &[Element]) -> Option<HtmlElement> {
    path.iter()
        .filter(|element| element.is_connected())
        // Whatever the whole page begins with is not near.
        .take_while(|element| element.local_name() != "body")
        .find_map(|element| element.query_selector(FOCUSABLE).ok().flatten())
        // The selector is a valid one; without a heading there is nowhere to go.
        .or_else(|| document().query_selector("h1[tabindex]").ok().flatten())
        .and_then(|found| found.dyn_into().ok())
}
