//! Chooses one of all runs.

use leptos::prelude::*;

use crate::page::state::trainer::Trainer;
use kiln_run::format;
use kiln_run::protocol::RunId;

/// A list of all runs, the newest first; one that is gone is chosen no more.
#[component]
pub fn RunChoice(
    trainer: Trainer,
    /// The run that is chosen.
    #[prop(into)]
    chosen: Signal<Option<RunId>>,
    /// Hears of another.
    choose: impl Fn(RunId) + 'static,
) -> AnyView {
    let names = Memo::new(move |_| {
        trainer.library.records.with(|records| {
            let names = records.iter().rev();
            names
                .map(|record| (record.identity.id, record.identity.name.clone()))
                .collect::<Vec<_>>()
        })
    });
    let options = move || {
        let names = names.get();
        let chosen = chosen.get();
        let is_gone = !names.iter().any(|(id, _)| Some(*id) == chosen);
        let nothing = is_gone.then(|| {
            view! { <option value="" selected=true disabled=true>{format::NOTHING}</option> }
        });
        let options = names
            .into_iter()
            .map(|(id, name)| {
                view! { <option value=id.0.to_string() selected=Some(id) == chosen>{name}</option> }
            })
            .collect_view();
        (nothing, options)
    };
    let change = move |event| {
        if let Ok(id) = event_target_value(&event).parse() {
            choose(RunId(id));
        }
    };
    view! {
        <label>
            "Run"
            <select aria-label="Run" on:change=change>{options}</select>
        </label>
    }
    .into_any()
}
