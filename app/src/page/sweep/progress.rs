//! How far the sweep is that was begun last.

use leptos::prelude::*;

use super::turns::Turns;
use crate::page::state::trainer::Trainer;

/// Says it, and has the sweep rest or go on.
#[component]
pub fn Progress(trainer: Trainer, turns: Turns) -> AnyView {
    let state = Memo::new(move |_| {
        let begun = turns.begun().filter(|_| trainer.library.is_read.get())?;
        let (done, all) = begun.done(trainer);
        Some((begun.name, done, all))
    });
    let is_done = move || state.get().is_none_or(|(_, done, all)| done == all);
    let text = move || {
        let (name, done, all) = state.get()?;
        Some(match (done == all, turns.is_under_way()) {
            (true, _) => format!("{name} is done: {all} runs."),
            (false, true) => format!("{name}: {done} of {all} runs."),
            (false, false) => format!("{name} rests: {done} of {all} runs."),
        })
    };
    let can_pause = Memo::new(move |_| !is_done() && turns.is_under_way());
    let can_go_on = Memo::new(move |_| !is_done() && turns.can_go_on());
    view! {
        <div class="head">
            <p role="status">{text}</p>
            <Show when=move || can_pause.get()>
                <button title="The run that is open goes on to its end." on:click=move |_| turns.pause()>"Pause the sweep"</button>
            </Show>
            <Show when=move || can_go_on.get()>
                <button class="primary" on:click=move |_| turns.go_on()>"Go on with the sweep"</button>
            </Show>
        </div>
    }
    .into_any()
}
