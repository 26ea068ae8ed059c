//! The Draw route: a digit is drawn, and networks say what it is while it is drawn.

mod asker;
mod canvas;
mod maps;
mod networks;
mod pad;
mod predictions;

use crate::page::route::Route;
use kiln_model::preset::Preset;
use kiln_model::spec::PIXELS;
use leptos::prelude::*;

use crate::page::state::trainer::Trainer;
use asker::{Answered, Asker};
use kiln_run::protocol::{Question, RunId};
use maps::Layers;
use networks::{MOST, chosen, networks, runs_with_weights};
use pad::{Image, Pad};
use predictions::Predictions;

pub use pad::Board;

/// The route, for the runs that the address names.
#[component]
pub fn Draw(trainer: Trainer, board: Board, #[prop(into)] ids: Signal<Vec<RunId>>) -> AnyView {
    let asked = RwSignal::new(Vec::new());
    Effect::new(move |_| asked.set(ids.get()));
    let chosen = chosen(trainer, asked.into());
    let has_any = Memo::new(move |_| !chosen.with(Vec::is_empty));
    (move || {
        let content = if has_any.get() {
            view! { <Desk trainer board chosen /> }.into_any()
        } else {
            view! { <NoModel trainer /> }.into_any()
        };
        view! {
            <div class="draw">
                <div class="head">
                    <h1 tabindex="-1">"Draw"</h1>
                    <Picker trainer asked chosen />
                </div>
                {content}
            </div>
        }
    })
    .into_any()
}

#[component]
fn NoModel(trainer: Trainer) -> AnyView {
    let train = move |_| {
        trainer.take_preset(Preset::QuickTaste);
        trainer.begin(false);
        // Where an address cannot be set there is no page either.
        drop(window().location().set_hash("#/train"));
    };
    let content = move || {
        if trainer.awaits_new() {
            view! {
                <p>"The first run is being prepared. Its weights come a few seconds after its first step."</p>
                <a class="button" href="#/train">"Train"</a>
            }
            .into_any()
        } else if trainer.library.is_read.get() {
            view! {
                <p>"No trained model yet."</p>
                <button class="primary" on:click=train>"Quick taste"</button>
            }
            .into_any()
        } else {
            view! { <p>"Reading the kept runs."</p> }.into_any()
        }
    };
    view! { <section class="nothing">{content}</section> }.into_any()
}

/// Ticks the runs that look at the pad; the address follows, so that it can be kept.
#[component]
fn Picker(trainer: Trainer, asked: RwSignal<Vec<RunId>>, chosen: Memo<Vec<RunId>>) -> AnyView {
    let library = trainer.library;
    let able = Memo::new(move |_| runs_with_weights(library));
    let is_full = Memo::new(move |_| chosen.with(Vec::len) >= MOST);
    let pick = move |id: RunId, is_picked: bool| {
        let mut ids = chosen.get_untracked();
        ids.retain(|other| *other != id);
        if is_picked {
            ids.push(id);
        }
        let list: Vec<String> = ids.iter().map(|id| id.0.to_string()).collect();
        Route::refine("Draw", &format!("#/draw?runs={}", list.join(",")));
        asked.set(ids);
    };
    let row = move |id: RunId| {
        let name = move || library.record(id).map(|record| record.identity.name);
        let is_picked = Memo::new(move |_| chosen.with(|chosen| chosen.contains(&id)));
        let is_too_many = move || is_full.get() && !is_picked.get();
        let is_only = move || is_picked.get() && chosen.with(Vec::len) == 1;
        let why = move || {
            let most = is_too_many().then_some("Four runs at most.");
            most.or(is_only().then_some("One run has to look."))
        };
        view! {
            <li>
                <label title=why>
                    <input
                        type="checkbox"
                        prop:checked=is_picked
                        disabled=move || is_too_many() || is_only()
                        on:change=move |event| pick(id, event_target_checked(&event))
                    />
                    {name}
                </label>
            </li>
        }
    };
    let is_of_use = Memo::new(move |_| able.with(Vec::len) > 1);
    view! {
        <Show when=move || is_of_use.get()>
            <details class="menu">
                <summary class="button">"Runs that look"</summary>
                <ul class="columns">
                    <For each=move || able.get() key=|id| *id children=row />
                </ul>
            </details>
        </Show>
    }
    .into_any()
}

#[component]
fn Desk(trainer: Trainer, board: Board, chosen: Memo<Vec<RunId>>) -> AnyView {
    let networks = networks(trainer, chosen);
    let image = RwSignal::new(None::<Image>);
    let trouble = RwSignal::new(None::<String>);
    let again = Trigger::new();
    let picked = RwSignal::new(None::<RunId>);
    let looks = Memo::new(move |_| {
        networks.with(|networks| {
            let mut able = networks.iter().filter(|network| network.taken().is_some());
            let picked = picked.get();
            let first = able.clone().next();
            let picked = able.find(|network| Some(network.id) == picked);
            picked.or(first).map(|network| network.id)
        })
    });

    let predictions = Asker::new(trainer.examiner);
    Effect::new(move |_| {
        again.track();
        let (runs, weights) = networks.with(|networks| {
            let able = networks.iter().filter_map(|network| {
                let taken = network.taken()?;
                Some((network.id, taken.values.clone()))
            });
            able.unzip::<_, _, Vec<_>, Vec<_>>()
        });
        match image.get() {
            Some(image) if !runs.is_empty() => {
                let pixels = image.to_vec();
                predictions.ask(runs, Question::Classify { weights, pixels });
            }
            _ => predictions.forget(),
        }
    });
    let maps = Asker::new(trainer.examiner);
    Effect::new(move |_| {
        again.track();
        let weights = networks.with(|networks| {
            let id = looks.get()?;
            let network = networks.iter().find(|network| network.id == id)?;
            Some((id, network.taken()?.values.clone()))
        });
        match (image.get(), weights) {
            (Some(image), Some((id, weights))) => {
                let pixels = image.to_vec();
                maps.ask(vec![id], Question::Maps { weights, pixels });
            }
            _ => maps.forget(),
        }
    });
    wake(trainer);

    let reason = move |asker: Asker| {
        asker.answered.with(|answered| match answered {
            Some(Answered {
                answer: Err(reason),
                ..
            }) => Some(reason.clone()),
            _ => None,
        })
    };
    let alert = move || {
        let unanswered = reason(predictions).or_else(|| reason(maps));
        let text = trouble.get().or_else(|| unanswered.clone())?;
        let button = unanswered.map(|_| {
            view! { <button on:click=move |_| again.notify()>"Try again"</button> }
        });
        Some(view! { <div class="notice" role="alert"><p>{text}</p>{button}</div> })
    };
    view! {
        <svg class="tints" aria-hidden="true" inner_html=TINTS></svg>
        {alert}
        <div class="desk">
            <section class="paper" aria-label="Drawing">
                <Pad board trainer image trouble />
            </section>
            <Predictions board networks asker=predictions />
        </div>
        <Layers networks looks picked asker=maps />
    }
    .into_any()
}

/// Colours for canvases, which hold black of some opacity: `style.css` gives them the theme's.
const TINTS: &str = r#"
    <filter id="tint-ink" color-interpolation-filters="sRGB" x="0" y="0" width="1" height="1">
        <feFlood/><feComposite in2="SourceAlpha" operator="in"/>
    </filter>
    <filter id="tint-ember" color-interpolation-filters="sRGB" x="0" y="0" width="1" height="1">
        <feFlood/><feComposite in2="SourceAlpha" operator="in"/>
    </filter>
"#;

/// Has the examiner's worker start and load its data while the first stroke is drawn.
fn wake(trainer: Trainer) {
    wasm_bindgen_futures::spawn_local(async move {
        let question = Question::Classify {
            weights: Vec::new(),
            pixels: vec![0; PIXELS],
        };
        // What is wrong is told with the first answer that is wanted.
        drop(trainer.examiner.ask(question).await);
    });
}
