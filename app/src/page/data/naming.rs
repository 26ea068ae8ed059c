//! What data is called, and its classes: a form that is opened where they are to be changed.

use kiln_model::spec::CLASSES;
use leptos::prelude::*;

use crate::browser::store::OwnData;
use crate::page::state::trainer::Trainer;
use kiln_run::classes::{CLASS_LETTERS, Classes};
use kiln_run::run::names::NAME_LETTERS;

/// The form; `is_open` goes off when it is done with.
#[component]
pub(super) fn Naming(trainer: Trainer, own: OwnData, is_open: RwSignal<bool>) -> AnyView {
    let name = RwSignal::new(own.name.clone());
    let classes = RwSignal::new(own.classes.names().clone());
    let problem = RwSignal::new(None::<String>);
    let first = NodeRef::<leptos::html::Input>::new();
    Effect::new(move |_| {
        if let Some(first) = first.get() {
            // A field that is there takes the focus.
            drop(first.focus());
        }
    });
    let take = move |names: &Classes| classes.set(names.names().clone());
    let known = Classes::known(&own.summary.labels_sha256);
    let offered = known.map(|known| {
        view! {
            <button type="button" on:click=move |_| take(&known)>
                "Fashion-MNIST’s names"
            </button>
        }
    });
    let fields = (0..CLASSES)
        .map(|class| {
            view! {
                <label>
                    {class}
                    <input
                        type="text"
                        maxlength=CLASS_LETTERS
                        aria-label=format!("Name of class {class}")
                        prop:value=move || classes.with(|classes| classes[class].clone())
                        on:input=move |event| {
                            classes.update(|classes| classes[class] = event_target_value(&event));
                        }
                    />
                </label>
            }
        })
        .collect_view();
    let save = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let given = name.get_untracked();
        if given.trim().is_empty() {
            return problem.set(Some("The data needs a name.".to_owned()));
        }
        match classes.with_untracked(Classes::typed) {
            Ok(names) => {
                is_open.set(false);
                trainer.name_data(own.clone(), &given, names);
            }
            Err(error) => problem.set(Some(error.to_string())),
        }
    };
    let on_key = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            is_open.set(false);
        }
    };
    view! {
        <form class="naming" aria-label="Names" on:submit=save on:keydown=on_key>
            <label class="name">
                "Name"
                <input
                    node_ref=first
                    type="text"
                    maxlength=NAME_LETTERS
                    aria-label="Name of the data"
                    prop:value=name
                    on:input=move |event| name.set(event_target_value(&event))
                />
            </label>
            <fieldset>
                <legend>"What its ten classes are called, wherever they are shown"</legend>
                {fields}
            </fieldset>
            {move || {
                problem.get().map(|problem| view! { <p class="error" role="alert">{problem}</p> })
            }}
            <div class="buttons">
                <button class="primary" type="submit">"Save"</button>
                <button type="button" on:click=move |_| is_open.set(false)>"Cancel"</button>
                {offered}
                <button type="button" class="quiet" on:click=move |_| take(&Classes::default())>
                    "Digits"
                </button>
            </div>
        </form>
    }
    .into_any()
}
