//! Run, split and epoch, above everything.

use gloo::timers::callback::Interval;
use kiln_model::dataset::Part;
use leptos::prelude::*;

use super::look::Look;
use crate::keymap::Control;
use crate::page::parts::run_choice::RunChoice;
use kiln_run::format;

/// How long each epoch is shown when they follow one another by themselves.
const PLAY_MS: u32 = 700;
const SPLITS: [Part; 2] = [Part::Test, Part::Validation];

/// The controls.
#[component]
pub fn Controls(look: Look) -> AnyView {
    view! {
        <div class="toolbar" role="group" aria-label="What is evaluated">
            <RunChoice trainer=look.trainer chosen=look.run choose=move |id| look.choose(id) />
            <SplitChoice look />
            <EpochScrubber look />
        </div>
    }
    .into_any()
}

#[component]
fn SplitChoice(look: Look) -> AnyView {
    let options = SPLITS.map(|part| {
        let label = part.label();
        view! { <option value=label selected=move || look.part.get() == part>{label}</option> }
    });
    let choose = move |event| {
        let label = event_target_value(&event);
        if let Some(part) = SPLITS.into_iter().find(|part| part.label() == label) {
            look.part.set(part);
        }
    };
    view! {
        <label>
            "Split"
            <select
                aria-label="Split"
                prop:value=move || look.part.get().label()
                on:change=choose
            >
                {options}
            </select>
        </label>
    }
    .into_any()
}

#[component]
fn EpochScrubber(look: Look) -> AnyView {
    let last = Memo::new(move |_| look.steps.with(|steps| steps.len().saturating_sub(1)));
    let place = Memo::new(move |_| look.place());
    let go_to = move |place: usize| {
        if let Some(step) = look.steps.with_untracked(|steps| steps.get(place).copied()) {
            look.go_to(step);
        }
    };
    let text = move || {
        look.epoch().map_or(format::NOTHING.to_owned(), |epoch| {
            let text = format!("{epoch:.2}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        })
    };
    let is_empty = Memo::new(move |_| look.steps.with(Vec::is_empty));
    let title = move || {
        is_empty
            .get()
            .then_some("No validation of this run is kept.")
    };
    let filled = move || {
        let share = place.get() as f64 / last.get().max(1) as f64;
        format!("{}%", 100.0 * share)
    };
    let is_playing = RwSignal::new(false);
    // Ticks end with what is told here.
    let ticks = StoredValue::new_local(None::<Interval>);
    Effect::new(move |_| {
        let playing = is_playing.get().then(|| {
            Interval::new(PLAY_MS, move || {
                let next = place.get_untracked() + 1;
                if next <= last.get_untracked() {
                    go_to(next);
                } else {
                    is_playing.set(false);
                }
            })
        });
        ticks.set_value(playing);
    });
    on_cleanup(move || ticks.dispose());
    let play = move |_| {
        let starts = !is_playing.get_untracked();
        if starts {
            let at_end = place.get_untracked() == last.get_untracked();
            go_to(if at_end { 0 } else { place.get_untracked() });
        }
        is_playing.set(starts);
    };
    view! {
        <div class="scrubber" title=title>
            <span>"Epoch"</span>
            <input
                type="range"
                aria-label="Epoch"
                data-control=Control::Epoch.name()
                aria-valuetext=move || format!("epoch {}", text())
                min="0"
                prop:max=move || last.get().to_string()
                step="1"
                prop:value=move || place.get().to_string()
                style=("--filled", filled)
                disabled=is_empty
                on:input=move |event| {
                    if let Ok(place) = event_target_value(&event).parse() {
                        go_to(place);
                    }
                }
            />
            <output>{text}</output>
            <button disabled=move || last.get() == 0 on:click=play>
                {move || if is_playing.get() { "Stop playing" } else { "Play" }}
            </button>
        </div>
    }
    .into_any()
}
