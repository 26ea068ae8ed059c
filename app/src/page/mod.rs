//! The page: what a person sees and presses.
//!
//! `state` holds all that the page knows and alone talks to the worker; the other files show it.

mod compare;
mod data;
mod draw;
mod evaluate;
mod files;
mod help;
mod parts;
mod route;
mod runs;
mod screens;
mod state;
mod sweep;
mod train;
mod views;

use gloo::events::{EventListener, EventListenerOptions};
use js_sys::Reflect;
use kiln_model::event::{Command, State};
use leptos::prelude::*;

use crate::keymap::Control;
use parts::announcer::Announcer;
use parts::device::device_and_speed;
use parts::keys::SingleKeys;
use parts::listing::Listing;
use parts::notices::Notices;
use parts::settled;
use parts::share::{self, Share};
use parts::theme::ThemeButton;
use parts::view::View;
use route::Route;
use screens::{Screen, Shared};
use state::trainer::{Phase, Trainer};
use train::Train;
use views::Views;

/// Shows the page in place of what the document shows while the program loads.
pub fn mount() {
    console_error_panic_hook::set_once();
    let asked =
        Reflect::get(&window(), &"kilnStartAsked".into()).is_ok_and(|asked| asked.is_truthy());
    if let Some(placeholder) = document().get_element_by_id("placeholder") {
        placeholder.remove();
    }
    mount_to_body(move || view! { <Page starts_at_once=asked /> });
}

#[component]
fn Page(starts_at_once: bool) -> AnyView {
    let waits = starts_at_once && share::is_named();
    let trainer = Trainer::start(starts_at_once && !waits);
    let route = RwSignal::new(Route::current());
    let (view, listing) = (View::new(), Listing::new());
    let single_keys = SingleKeys::new();
    let shared = Shared::new(trainer, view, listing, route, single_keys);
    let share = Share::new(trainer, view, route, waits);
    let on_navigation = EventListener::new(&window(), "hashchange", move |_| {
        share.take();
        shared.go();
    });
    let on_leave = EventListener::new_with_options(
        &window(),
        "beforeunload",
        EventListenerOptions::enable_prevent_default(),
        move |event| {
            if untrack(|| trainer.phase().is_open()) {
                event.prevent_default();
            }
        },
    );
    settled::settle(trainer, single_keys);
    let listeners = StoredValue::new_local([on_navigation, on_leave]);
    on_cleanup(move || listeners.dispose());

    let phase = Memo::new(move |_| trainer.phase());
    Effect::new(move |_| {
        if let Some(root) = document().document_element() {
            // An attribute of this name cannot be refused.
            drop(root.set_attribute("data-state", phase.get().word()));
        }
    });
    let place = Memo::new(move |_| route.with(Route::name));
    view! {
        <header class="top">
            <a class="mark" href="#/train" aria-label="Kiln">
                <Mark />
                <span aria-hidden="true">"Kiln"</span>
            </a>
            <Views shared place />
            <RunChip trainer />
            <Device trainer />
            <ThemeButton />
            <a class="button quiet icon" href="#/help" aria-label="Help" title="Help"
                aria-current=move || (place.get() == "Help").then_some("page")
                data-control=Control::Help.name()
                on:pointerenter=move |_| shared.expect("Help")
                on:focus=move |_| shared.expect("Help")>"?"</a>
            <RunProgress trainer />
        </header>
        <Notices trainer />
        <main>
            {move || match place.get() {
                "Train" => view! { <Train trainer view listing share /> }.into_any(),
                name => view! { <Screen shared name /> }.into_any(),
            }}
        </main>
        <Announcer trainer phase />
    }
    .into_any()
}

/// A small kiln arch with an ember in it.
#[component]
fn Mark() -> AnyView {
    view! {
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
            <path class="arch" d="M4 21V11a8 8 0 0 1 16 0v10M2 21h20"></path>
            <circle class="ember" cx="12" cy="15" r="3"></circle>
        </svg>
    }
    .into_any()
}

/// Share of the run's steps that are done; nothing while no run is open.
fn progress(trainer: Trainer) -> Option<f64> {
    trainer.run.with(|run| {
        let run = run.as_ref().filter(|run| run.status().is_open())?;
        Some(f64::from(run.steps_done()) / f64::from(run.plan().total_steps()))
    })
}

/// The open run, on every route.
#[component]
fn RunChip(trainer: Trainer) -> AnyView {
    let name = Memo::new(move |_| {
        trainer.run.with(|run| {
            run.as_ref()
                .filter(|run| run.status().is_open())
                .map(|run| run.identity.name.clone())
        })
    });
    let share = move || progress(trainer).map(|share| format!("{:.0}\u{2009}%", 100.0 * share));
    let phase = Memo::new(move |_| trainer.phase());
    let pause = move || {
        match phase.get() {
        Phase::Session(State::Paused) => view! {
            <button class="quiet icon" aria-label="Resume run" title="Resume" data-control=Control::Start.name()
                on:click=move |_| trainer.tell(Command::Resume)><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path d="M2 1l9 5-9 5z"></path></svg></button>
        }
        .into_any(),
        Phase::Session(_) => view! {
            <button class="quiet icon" aria-label="Pause run" title="Pause" data-control=Control::Pause.name()
                on:click=move |_| trainer.tell(Command::Pause)><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path d="M2 1h3v10H2zM7 1h3v10H7z"></path></svg></button>
        }
        .into_any(),
        _ => ().into_any(),
    }
    };
    let can_stop = Memo::new(move |_| match phase.get() {
        Phase::Session(State::Running) => true,
        Phase::Session(State::Paused) => !trainer.is_scoring(),
        _ => false,
    });
    let stop = move || {
        can_stop.get().then(|| view! {
            <button class="quiet icon stop" aria-label="Stop run" title="Stop" data-control=Control::Stop.name()
                on:click=move |_| trainer.tell(Command::Stop)><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path d="M2 2h8v8H2z"></path></svg></button>
        })
    };
    (move || {
        name.get().map(|name| {
            view! {
                <div class="chip" class:live=move || phase.get() == Phase::Session(State::Running)>
                    <i aria-hidden="true"></i>
                    <a href="#/train">{name}</a>
                    <span class="share">{share}</span>
                    {pause}
                    {stop}
                </div>
            }
        })
    })
    .into_any()
}

/// What is trained on, and why.
#[component]
fn Device(trainer: Trainer) -> AnyView {
    let text = move || match trainer.chosen.get() {
        None => "Looking for a GPU".to_owned(),
        Some(chosen) => {
            let name = device_and_speed(trainer, chosen.backend);
            match chosen.reason {
                Some(reason) => format!("{name} · {}", reason.short()),
                None => name,
            }
        }
    };
    view! { <p class="device" title=text>{text}</p> }.into_any()
}

/// The thin bar under the top bar.
#[component]
fn RunProgress(trainer: Trainer) -> AnyView {
    let share = Memo::new(move |_| progress(trainer).unwrap_or(0.0));
    view! {
        <div
            class="run-progress"
            role="progressbar"
            aria-label="Run progress"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || format!("{:.0}", 100.0 * share.get())
        >
            <div style:width=move || format!("{}%", 100.0 * share.get())></div>
        </div>
    }
    .into_any()
}
