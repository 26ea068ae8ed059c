//! What can be done with the run, as its state has it, and the runs that wait.

use kiln_model::config::Config;
use kiln_model::event::{Command, State};
use leptos::prelude::*;

use crate::keymap::Control;
use crate::page::state::trainer::{Phase, Trainer};
use kiln_run::format;
use kiln_run::order::Queued;

const START: &str = Control::Start.name();
const PAUSE: &str = Control::Pause.name();
const STEP: &str = Control::Step.name();
const STOP: &str = Control::Stop.name();

/// Queues the course's two runs.
#[component]
pub(super) fn CourseButton(trainer: Trainer) -> AnyView {
    let images = move || {
        let images = trainer.config.with(|config| config.training_images);
        format!(
            "Run 1, then run 2, with {} images",
            format::count(images.into())
        )
    };
    view! {
        <button
            class="preset"
            aria-label="Run both course runs"
            aria-describedby="preset-both"
            on:click=move |_| trainer.run_course()
        >
            "Both"
            <span class="tip">
                <strong>"Run both course runs"</strong>
                <span id="preset-both">{images}</span>
            </span>
        </button>
    }
    .into_any()
}

/// The runs that wait for the open one to end.
#[component]
pub fn Queue(trainer: Trainer) -> AnyView {
    let rows = move || {
        let queue = trainer.queue.get();
        let row = |(index, queued): (usize, Queued)| {
            let config = queued.config;
            let name = queued.name.map_or_else(
                || {
                    let noun = if config.epochs == 1 {
                        "epoch"
                    } else {
                        "epochs"
                    };
                    format!("{} {noun}, batch {}", config.epochs, config.batch_size)
                },
                str::to_owned,
            );
            let label = format!("Remove {name} from the queue");
            let remove = move |_| {
                trainer.queue.update(|queue| {
                    if index < queue.len() {
                        queue.remove(index);
                    }
                });
            };
            view! {
                <li>
                    {name}
                    <button class="quiet icon" aria-label=label title="Remove" on:click=remove>"✕"</button>
                </li>
            }
        };
        let is_empty = queue.is_empty();
        let rows = queue.into_iter().enumerate().map(row).collect_view();
        (!is_empty).then(|| view! { <ol class="queue" aria-label="Queue">{rows}</ol> })
    };
    let can_begin = move || !trainer.queue.with(Vec::is_empty) && !trainer.phase().is_open();
    view! {
        {rows}
        {move || {
            can_begin()
                .then(|| {
                    view! { <button on:click=move |_| trainer.begin_next()>"Start the queue"</button> }
                })
        }}
    }
    .into_any()
}

/// Steps and time that the settings ask for.
#[component]
pub fn PlanLine(trainer: Trainer) -> AnyView {
    let text = move || {
        let config: Config = trainer.config.get();
        let plan = config.plan();
        let steps = format!(
            "{} × {} = {} steps",
            format::count(plan.steps_per_epoch.into()),
            plan.epochs,
            format::count(plan.total_steps().into())
        );
        match trainer.estimated_secs(&config) {
            Some(secs) => format!("{steps} · ≈ {}", format::duration(secs)),
            None => steps,
        }
    };
    view! { <p class="plan">{text}</p> }.into_any()
}

/// The buttons that fit the state.
#[component]
pub fn RunButtons(trainer: Trainer) -> AnyView {
    let phase = Memo::new(move |_| trainer.phase());
    let is_scoring = Memo::new(move |_| trainer.is_scoring());
    let tell = move |command| move |_| trainer.tell(command);
    let start = move |single_step| move |_| trainer.begin(single_step);
    let is_invalid = move || trainer.invalid.with(|invalid| !invalid.is_empty());
    let why = move || is_invalid().then_some("A setting is outside its range.");
    let queue = move || {
        view! {
            <button disabled=is_invalid title=why on:click=move |_| trainer.queue_settings()>
                "Queue"
            </button>
        }
    };
    let buttons = move || {
        match phase.get() {
        Phase::Loading
        | Phase::Ready
        | Phase::Session(State::Failed) => view! {
            <button class="primary" data-control=START disabled=is_invalid title=why on:click=start(false)>"Start"</button>
            <button data-control=STEP disabled=is_invalid title=why on:click=start(true)>"Step"</button>
        }
        .into_any(),
        Phase::Session(State::Stopped | State::Finished) => view! {
            <button class="primary" data-control=START disabled=is_invalid title=why on:click=start(false)>"Start"</button>
            <button data-control=STEP disabled=is_invalid title=why on:click=start(true)>"Step"</button>
            <button
                disabled=move || !trainer.can_continue()
                title=move || (!trainer.can_continue()).then_some("All epochs are done. Raise Epochs to continue.")
                on:click=move |_| trainer.continue_ended()
            >
                "Continue"
            </button>
        }
        .into_any(),
        Phase::Interrupted => view! {
            <button class="primary" data-control=START on:click=move |_| trainer.resume()>"Resume"</button>
            <button on:click=move |_| trainer.keep_interrupted()>"Keep"</button>
            <button class="quiet" on:click=move |_| trainer.delete_interrupted()>"Delete"</button>
        }
        .into_any(),
        Phase::Preparing => view! {
            <button on:click=move |_| trainer.cancel()>"Cancel"</button>
        }
        .into_any(),
        Phase::Session(State::Running) => view! {
            <button class="primary" data-control=PAUSE on:click=tell(Command::Pause)>"Pause"</button>
            <button data-control=STOP on:click=tell(Command::Stop)>"Stop"</button>
            {queue()}
        }
        .into_any(),
        Phase::Session(State::Paused) => {
            let last = if is_scoring.get() {
                view! { <button on:click=tell(Command::SkipScoring)>"Skip scoring"</button> }.into_any()
            } else {
                view! { <button data-control=STOP on:click=tell(Command::Stop)>"Stop"</button> }.into_any()
            };
            view! {
                <button class="primary" data-control=START on:click=tell(Command::Resume)>"Resume"</button>
                <button data-control=STEP on:click=tell(Command::Step)>"Step"</button>
                {last}
                {queue()}
            }
            .into_any()
        }
        Phase::Session(State::Finishing) => view! {
            <button data-control=PAUSE on:click=tell(Command::Pause)>"Pause"</button>
            <button on:click=tell(Command::SkipScoring)>"Skip scoring"</button>
            {queue()}
        }
        .into_any(),
    }
    };
    view! { <div class="buttons" role="group" aria-label="Run">{buttons}</div> }.into_any()
}
