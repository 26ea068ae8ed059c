//! What a screen reader hears of a run: each state at once, and how far it is now and then.

use leptos::prelude::*;

use crate::page::state::trainer::{Phase, Trainer};
use kiln_run::format;

/// Shortest time between two sentences about the same state.
const SAY_EVERY_MS: f64 = 15_000.0;

/// The polite live region of the page.
#[component]
pub fn Announcer(trainer: Trainer, phase: Memo<Phase>) -> AnyView {
    let said = RwSignal::new(String::new());
    let epochs_done = Memo::new(move |_| {
        trainer
            .run
            .with(|run| run.as_ref().map_or(0, |run| run.history().epochs.len()))
    });
    Effect::new(move |before: Option<(Phase, f64)>| {
        epochs_done.track();
        let (phase, now) = (phase.get(), js_sys::Date::now());
        match before {
            Some((earlier, said_ms)) if earlier == phase => {
                let epoch = (now - said_ms >= SAY_EVERY_MS).then(|| epoch(trainer));
                match epoch.flatten() {
                    Some(sentence) => {
                        said.set(sentence);
                        (phase, now)
                    }
                    None => (phase, said_ms),
                }
            }
            _ => {
                said.set(format!("Run: {}", phase.word()));
                (phase, now)
            }
        }
    });
    view! { <p class="hidden" role="status">{said}</p> }.into_any()
}

/// What the last epoch came to, as a sentence.
fn epoch(trainer: Trainer) -> Option<String> {
    trainer.run.with_untracked(|run| {
        let run = run.as_ref()?;
        let quality = run.history().epochs.last()?.value;
        Some(format!(
            "Epoch {} of {} done: training loss {:.4}, accuracy {}",
            run.history().epochs.len(),
            run.config().epochs,
            quality.loss,
            format::percent(quality.accuracy)
        ))
    })
}
