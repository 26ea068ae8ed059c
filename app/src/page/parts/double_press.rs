//! A double click is one press.
//!
//! A button may make way for another one where it stood, as **Start** does for **Cancel**, or become
//! another, as **Pause** does. The second click of a double click was meant for the first button, as it
//! was called then, and presses no other.

use gloo::events::{EventListener, EventListenerOptions, EventListenerPhase};
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event, UiEvent};

/// Listens for clicks before any button does.
pub fn listen() -> EventListener {
    let pressed = StoredValue::new_local(None);
    EventListener::new_with_options(
        &document(),
        "click",
        EventListenerOptions {
            phase: EventListenerPhase::Capture,
            passive: false,
        },
        move |event| {
            let now = control(event);
            let before = pressed.get_value();
            // Of the clicks that follow one another at one place, counted from 1; 0 from a keyboard.
            let count = event.dyn_ref::<UiEvent>().map_or(0, UiEvent::detail);
            if count > 1 && now != before {
                event.stop_propagation();
                event.prevent_default();
            } else {
                pressed.set_value(now);
            }
        },
    )
}

/// The button or link that was clicked, and what it is called.
fn control(event: &Event) -> Option<(Element, Option<String>)> {
    let target: Element = event.target()?.dyn_into().ok()?;
    // The selector is a valid one.
    let control = target.closest("button, a").ok().flatten()?;
    let name = control
        .get_attribute("aria-label")
        .or_else(|| control.text_content());
    Some((control, name))
}
