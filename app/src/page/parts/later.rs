//! A part of a view that comes a moment after the rest.

use gloo::timers::callback::Timeout;
use leptos::prelude::*;

/// Shows its children in a task of their own, so that a view of many parts opens part by part and
/// a press in between is answered.
#[component]
pub fn Later(children: ChildrenFn) -> AnyView {
    let is_due = RwSignal::new(false);
    let timeout = Timeout::new(0, move || is_due.set(true));
    // Goes with the view: what is no longer there is not built.
    StoredValue::new_local(timeout);
    (move || is_due.get().then(|| children())).into_any()
}
