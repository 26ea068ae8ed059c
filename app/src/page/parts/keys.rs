//! Keys that do what a press on a control does: [`crate::keymap`] says which. What listens to them
//! is not needed for the first paint, and arrives after it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HashChangeEvent, HtmlElement, HtmlInputElement, KeyboardEvent};

use crate::browser::remembered;
use crate::keymap::{Act, Control, Place, Pressed, meaning, takes_text};
use crate::page::route::Route;
use crate::page::state::trainer::Trainer;

const KEY: &str = "kiln.single_keys";

/// Whether keys that are pressed by themselves do anything; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct SingleKeys(RwSignal<bool>);

impl SingleKeys {
    /// As the last visit left it; at first they do.
    pub fn new() -> Self {
        Self(RwSignal::new(remembered::get(KEY).unwrap_or(true)))
    }

    /// Whether they do.
    pub fn are_on(self) -> bool {
        self.0.get()
    }

    /// Has them do something, or nothing.
    pub fn set(self, are_on: bool) {
        self.0.set(are_on);
        // Where the browser keeps nothing, the choice lasts as long as the page.
        remembered::set(KEY, &are_on);
    }
}

/// Listens to keys for as long as the listeners are there.
pub fn listen(trainer: Trainer, single: SingleKeys) -> [EventListener; 3] {
    // What the address named before Help was opened.
    let before_help = Rc::new(RefCell::new(None::<String>));
    // Whether the filter is to have the focus once its screen is there.
    let wants_filter = Rc::new(Cell::new(false));

    let on_navigation = EventListener::new(&window(), "hashchange", {
        let (before_help, wants_filter) = (Rc::clone(&before_help), Rc::clone(&wants_filter));
        move |event| {
            if !matches!(Route::current(), Route::Runs) {
                wants_filter.set(false);
            }
            let left = event.unchecked_ref::<HashChangeEvent>().old_url();
            let left = left.find('#').map_or("", |start| &left[start..]);
            let is_left = !matches!(Route::named_by(left), Route::Help(_));
            if is_left && matches!(Route::current(), Route::Help(_)) {
                before_help.replace(Some(left.to_owned()));
            }
        }
    });
    // A screen that is opened begins at its heading, as soon as it is there.
    let on_focus = EventListener::new(&document(), "focusin", {
        let wants_filter = Rc::clone(&wants_filter);
        move |event| {
            let is_heading = element(event).is_some_and(|target| target.local_name() == "h1");
            // The heading may still be that of the screen that is left.
            if is_heading && wants_filter.get() && focus_filter() {
                // Where the heading that was left had the focus, the new one is given it twice.
                let wanted = Rc::clone(&wants_filter);
                request_animation_frame(move || {
                    request_animation_frame(move || wanted.set(false));
                });
            }
        }
    });
    let options = EventListenerOptions::enable_prevent_default();
    let on_key = EventListener::new_with_options(&document(), "keydown", options, move |event| {
        // What a browser fills in by itself comes as a key that is none.
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        let are_single_on = untrack(|| single.are_on());
        let Some(act) = pressed(event, are_single_on) else {
            return;
        };
        let has_acted = match act {
            Act::Press(control) => press(control),
            Act::Back(slider) => step(slider, -1.0),
            Act::On(slider) => step(slider, 1.0),
            Act::Filter(screen) => {
                focus_filter() || {
                    wants_filter.set(true);
                    press(Control::Tab(screen))
                }
            }
            Act::Undo => {
                trainer.library.undo_last();
                // What a person typed may be undone with it.
                false
            }
            Act::Close => close_menu() || leave_help(before_help.take()),
        };
        if has_acted {
            event.prevent_default();
        }
    });
    [on_navigation, on_focus, on_key]
}

/// What the key means that is pressed.
fn pressed(event: &KeyboardEvent, are_single_on: bool) -> Option<Act> {
    let pressed = Pressed {
        name: &event.key(),
        with_ctrl: event.ctrl_key() || event.meta_key(),
        with_alt: event.alt_key(),
        with_shift: event.shift_key(),
        is_repeated: event.repeat(),
        place: place(event),
    };
    meaning(&pressed, are_single_on)
}

/// Where a key is pressed.
fn place(event: &Event) -> Place {
    // The selector is a valid one.
    let dialog = document().query_selector("dialog[open]").ok().flatten();
    let is_field = element(event).is_some_and(|target| {
        let kind = target.get_attribute("type").unwrap_or_default();
        let is_editable = target
            .dyn_ref::<HtmlElement>()
            .is_some_and(HtmlElement::is_content_editable);
        is_editable || takes_text(&target.local_name(), &kind)
    });
    match dialog {
        Some(_) => Place::Dialog,
        None if is_field => Place::Field,
        None => Place::Elsewhere,
    }
}

fn element(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// The first control of this name that can be used now.
fn usable<T: JsCast>(control: Control) -> Option<T> {
    let selector = format!("[data-control=\"{}\"]:not(:disabled)", control.name());
    // The selector is a valid one.
    let found = document().query_selector(&selector).ok().flatten()?;
    found.dyn_into().ok()
}

/// Presses a control and says whether there is one.
fn press(control: Control) -> bool {
    let found: Option<HtmlElement> = usable(control);
    found.map(|control| control.click()).is_some()
}

/// Moves a slider and says whether there is one. Beyond its ends it never goes.
fn step(slider: Control, by: f64) -> bool {
    let Some(slider) = usable::<HtmlInputElement>(slider) else {
        return false;
    };
    let before = slider.value_as_number();
    slider.set_value_as_number(before + by);
    if slider.value_as_number() != before
        && let Ok(moved) = Event::new("input")
    {
        // Whoever listens cannot refuse it.
        drop(slider.dispatch_event(&moved));
    }
    true
}

/// Closes a menu that is open, goes to what opens it, and says whether there was one.
fn close_menu() -> bool {
    // The selectors are valid ones.
    let menu = document().query_selector("details.menu[open]").ok();
    let Some(menu) = menu.flatten() else {
        return false;
    };
    drop(menu.remove_attribute("open"));
    let summary = menu.query_selector("summary").ok().flatten();
    if let Some(summary) = summary.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
        drop(summary.focus());
    }
    true
}

/// Goes back to where Help was opened, and says whether that is known.
fn leave_help(before: Option<String>) -> bool {
    // Where an address cannot be set, Help stays.
    let go = |before: String| window().location().set_hash(&before).is_ok();
    matches!(Route::current(), Route::Help(_)) && before.is_some_and(go)
}

/// Moves the focus to the filter of the list of runs and says whether there is one in sight.
fn focus_filter() -> bool {
    let filter: Option<HtmlElement> = usable(Control::Filter);
    filter.is_some_and(|filter| {
        // In a drawer that is closed it takes no focus.
        drop(filter.focus());
        document().active_element().as_ref() == Some(&filter)
    })
}
