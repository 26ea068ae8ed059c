//! The Train route: settings, progress, charts, result.

use crate::page::parts::device::device_and_speed;
use kiln_model::event::{Score, State};
use kiln_model::history::Measured;
use kiln_model::preset::Preset;
use leptos::prelude::*;

mod controls;

use crate::page::parts::charts::Charts;
use crate::page::parts::device::{data_text, device_name};
use crate::page::parts::listing::Listing;
use crate::page::parts::notices::CopyButton;
use crate::page::parts::run_list::{DRAWER, RunList};
use crate::page::parts::share::Share;
use crate::page::parts::view::View;
use crate::page::state::trainer::{Loading, Phase, Trainer};
use controls::Settings;
use controls::buttons::{PlanLine, Queue, RunButtons};
use kiln_run::device::Backend;
use kiln_run::format;
use kiln_run::run::{Run, Weights};

/// A first run on the CPU that takes longer than this is offered a shorter one.
const LONG_SECS: f64 = 60.0;

/// The route.
#[component]
pub fn Train(trainer: Trainer, view: View, listing: Listing, share: Share) -> AnyView {
    let link = Signal::derive(move || {
        let here = window().location().href().unwrap_or_default();
        // What stands behind a ? is nobody else's: a trainer's token.
        let page = here.split(['#', '?']).next().unwrap_or_default();
        format!("{page}{}", share.address().unwrap_or_default())
    });
    view! {
        <div class="train">
            <aside class="rail">
                <details class="sheet" open=true>
                    <summary>"Settings"</summary>
                    <Settings trainer />
                    <PlanLine trainer />
                    <CopyButton label="Copy link to settings" text=link />
                </details>
                <div class="run-bar">
                    <RunButtons trainer />
                    <Progress trainer />
                    <Queue trainer />
                </div>
            </aside>
            <div class="main">
                <h1 tabindex="-1">"Train"</h1>
                <Opening trainer />
                <Result trainer />
                <button class="drawer-button" popovertarget=DRAWER>"Runs"</button>
                <Charts trainer runs=trainer.library.shown view />
            </div>
            <RunList trainer listing />
        </div>
    }
    .into_any()
}

/// What a person sees before there is anything to chart.
#[component]
fn Opening(trainer: Trainer) -> AnyView {
    let has_steps = Memo::new(move |_| {
        trainer
            .run
            .with(|run| run.as_ref().is_some_and(|run| run.steps_done() > 0))
    });
    let device = move || match trainer.chosen.get() {
        None => (false, "Looking for a GPU".to_owned()),
        Some(_) if !trainer.is_open.get() => (false, "Starting the trainer".to_owned()),
        Some(chosen) => (true, device_and_speed(trainer, chosen.backend)),
    };
    let why_no_gpu = move || {
        let chosen = trainer.chosen.get()?;
        chosen.reason.map(|reason| reason.to_string())
    };
    let data = move || {
        let is_there = trainer.loading.get() == Loading::Done;
        (is_there, data_text(trainer))
    };
    let estimate = move || trainer.estimated_secs(&trainer.config.get());
    let is_long = Memo::new(move |_| {
        trainer.phase() == Phase::Ready
            && trainer.backend() == Some(Backend::Cpu)
            && estimate().is_some_and(|secs| secs > LONG_SECS)
    });
    let step = move || match trainer.phase() {
        Phase::Preparing if !trainer.is_ready() => (false, "Will start when ready".to_owned()),
        Phase::Preparing if trainer.backend() == Some(Backend::WebGpu) => (
            false,
            "Warming up: compiling GPU programs, first time only".to_owned(),
        ),
        Phase::Preparing => (false, "Warming up".to_owned()),
        Phase::Ready => {
            let device = trainer
                .backend()
                .map(|backend| device_name(trainer, backend));
            let about = estimate().map(|secs| format!("about {}", format::duration(secs)));
            let parts = [Some("Ready".to_owned()), device, about];
            (
                true,
                parts.into_iter().flatten().collect::<Vec<_>>().join(" · "),
            )
        }
        _ => (false, "Start a run".to_owned()),
    };
    let place = move || match trainer.backend() {
        Some(Backend::Native) => "on this machine",
        _ => "in this tab",
    };
    let line = move |(done, text): (bool, String)| {
        view! { <li class:done=done>{text}</li> }
    };
    view! {
        <Show when=move || !has_steps.get()>
            <section class="opening">
                <p class="lead">"Kiln trains a digit recogniser "{place}". Nothing is uploaded."</p>
                <ul class="checklist">
                    {move || line(device())}
                    {move || line(data())}
                    {move || line(step())}
                </ul>
                {move || why_no_gpu().map(|why| view! { <p class="hint">{why}</p> })}
                <Show when=move || is_long.get()>
                    <button on:click=move |_| trainer.take_preset(Preset::QuickTaste)>
                        "Use Quick taste"
                    </button>
                </Show>
                <progress
                    class:done=move || trainer.loading.get() == Loading::Done
                    aria-label=move || {
                        format!("Loading {}", trainer.sources.used.with(|used| used.name.clone()))
                    }
                    max=move || trainer.sources.bytes()
                    value=move || match trainer.loading.get() {
                        Loading::Bytes(loaded, _) | Loading::Failed(loaded) => loaded,
                        Loading::Done => trainer.sources.bytes(),
                    }
                ></progress>
            </section>
        </Show>
    }
    .into_any()
}

/// Where the run is, in words, under the buttons.
#[component]
fn Progress(trainer: Trainer) -> AnyView {
    let text = move || {
        let phase = trainer.phase();
        trainer.run.with(|run| match (phase, run) {
            (Phase::Loading, _) => "Loading".to_owned(),
            (Phase::Ready, _) => "Ready".to_owned(),
            (Phase::Preparing, _) if !trainer.is_ready() => "Will start when ready".to_owned(),
            (_, Some(run)) => describe(phase, run),
            (_, None) => String::new(),
        })
    };
    view! { <p class="progress-text">{text}</p> }.into_any()
}

fn describe(phase: Phase, run: &Run) -> String {
    let plan = run.plan();
    let step = run.steps_done();
    let epoch = (step.saturating_sub(1) / plan.steps_per_epoch + 1).min(plan.epochs);
    let mut text = format!(
        "Epoch {epoch}/{} · step {}/{}",
        plan.epochs,
        format::count(step.into()),
        format::count(plan.total_steps().into())
    );
    if let Some(measuring) = run.measuring() {
        let what = if run.is_scoring() {
            "Scoring test"
        } else {
            "Validating"
        };
        text = format!(
            "{what}: {} of {} images",
            format::count(measuring.images.into()),
            format::count(measuring.total.into())
        );
    } else if phase == Phase::Session(State::Running)
        && let Some(rate) = run.images_per_sec()
    {
        let images = plan.images_after(plan.total_steps()) - plan.images_after(step);
        text += &format!(" · {} left", format::duration(images as f64 / rate));
    }
    match phase {
        Phase::Session(State::Paused) => format!("Paused · {text}"),
        Phase::Session(State::Stopped) => format!("Stopped · {text}"),
        Phase::Session(State::Finished) => format!("Finished · {text}"),
        Phase::Session(State::Failed) => match run.failure() {
            Some(failure) => format!("Failed · {failure} · {text}"),
            None => format!("Failed · {text}"),
        },
        Phase::Interrupted => format!("Interrupted · {text}"),
        _ => text,
    }
}

/// What a fingerprint says, and what not.
const FINGERPRINT: &str = "Made of every training loss. The same settings on the CPU give the same \
    on any machine, in any browser or outside of one; on a GPU, sums are made in other orders.";

/// What the result shows.
#[derive(Clone, PartialEq)]
struct Scored {
    name: String,
    score: Score,
    weights_step: Option<u32>,
    fingerprint: Option<String>,
    stopped_early: Option<Measured<u32>>,
}

/// The score on the test images.
#[component]
fn Result(trainer: Trainer) -> AnyView {
    let score = Memo::new(move |_| {
        trainer.run.with(|run| {
            let run = run.as_ref()?;
            let score = run.history().score?.value;
            Some(Scored {
                name: run.identity.name.clone(),
                score,
                weights_step: run.weights_step(Weights::Best),
                fingerprint: run.history().fingerprint(),
                stopped_early: run.stopped_early(),
            })
        })
    });
    (move || {
        score.get().map(|scored| {
            let Scored {
                name,
                score,
                weights_step,
                fingerprint,
                stopped_early,
            } = scored;
            let weights = weights_step.map(|step| {
                format!(
                    ", scored with the best weights, those of step {}",
                    format::count(step.into())
                )
            });
            let early = stopped_early.map(|early| {
                format!(
                    "Stopped early at step {}: validation has not improved since step {}.",
                    format::count(early.moment.step.into()),
                    format::count(early.value.into())
                )
            });
            let wrong = score.images - score.correct;
            view! {
                <section class="result" aria-label="Test result">
                    <div>
                        <h2>"Test accuracy"</h2>
                        <strong>{format::percent(score.quality.accuracy)}</strong>
                    </div>
                    <p>
                        {format!(
                            "{} wrong of {} · test loss {}",
                            format::count(wrong.into()),
                            format::count(score.images.into()),
                            format::loss(score.quality.loss),
                        )}
                        <br />
                        <span class="muted">{name}{weights}</span>
                        {early.map(|early| view! { <br /><span class="muted">{early}</span> })}
                        {fingerprint
                            .map(|fingerprint| {
                                view! {
                                    <br />
                                    <span class="muted" title=FINGERPRINT>
                                        "Fingerprint " <code>{fingerprint}</code>
                                    </span>
                                }
                            })}
                    </p>
                    <a class="button" href="#/files">"Download"</a>
                </section>
            }
        })
    })
    .into_any()
}
