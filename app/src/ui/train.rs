//! The Train route: settings, progress, charts, result.

use kiln_model::event::{Quality, Score, State};
use kiln_model::history::{History, Measured};
use kiln_model::preset::Preset;
use leptos::prelude::*;

use super::chart::{Chart, Curve, Style, Subject};
use super::controls::{PlanLine, RunButtons, Settings};
use super::trainer::{Loading, Phase, Trainer};
use crate::device::Backend;
use crate::format;
use crate::run::{Run, Weights};
use crate::series::Point;

/// A first run on the CPU that takes longer than this is offered a shorter one.
const LONG_SECS: f64 = 180.0;

/// The route.
#[component]
pub fn Train(trainer: Trainer) -> impl IntoView {
    view! {
        <div class="train">
            <aside class="rail">
                <details class="sheet" open=true>
                    <summary>"Settings"</summary>
                    <Settings trainer />
                    <PlanLine trainer />
                </details>
                <div class="run-bar">
                    <RunButtons trainer />
                    <Progress trainer />
                </div>
            </aside>
            <div class="main">
                <h1 tabindex="-1">"Train"</h1>
                <Opening trainer />
                <Result trainer />
                <Charts trainer />
            </div>
        </div>
    }
}

/// What a person sees before there is anything to chart.
#[component]
fn Opening(trainer: Trainer) -> impl IntoView {
    let has_steps = Memo::new(move |_| {
        trainer
            .run
            .with(|run| run.as_ref().is_some_and(|run| run.steps_done() > 0))
    });
    let device = move || match trainer.chosen.get() {
        None => (false, "Looking for a GPU".to_owned()),
        Some(_) if !trainer.is_open.get() => (false, "Starting the trainer".to_owned()),
        Some(chosen) => (true, device_name(trainer, chosen.backend)),
    };
    let data = move || match trainer.loading.get() {
        Loading::Bytes(loaded, total) => (
            false,
            format!(
                "Loading MNIST: {:.1} of {:.1} MB",
                loaded as f64 / 1e6,
                total as f64 / 1e6
            ),
        ),
        Loading::Done => (
            true,
            "MNIST: 60\u{2009}000 training and 10\u{2009}000 test images".to_owned(),
        ),
        Loading::Failed(loaded) => (
            false,
            format!("MNIST stopped loading at {:.1} MB", loaded as f64 / 1e6),
        ),
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
    let line = move |(done, text): (bool, String)| {
        view! { <li class:done=done>{text}</li> }
    };
    view! {
        <Show when=move || !has_steps.get()>
            <section class="opening">
                <p class="lead">"Kiln trains a digit recogniser in this tab. Nothing is uploaded."</p>
                <ul class="checklist">
                    {move || line(device())}
                    {move || line(data())}
                    {move || line(step())}
                </ul>
                <Show when=move || is_long.get()>
                    <button on:click=move |_| trainer.take_preset(Preset::QuickTaste)>
                        "Use Quick taste"
                    </button>
                </Show>
                <progress
                    class:done=move || trainer.loading.get() == Loading::Done
                    aria-label="Loading MNIST"
                    max=kiln_model::mnist::GZIP_BYTES
                    value=move || match trainer.loading.get() {
                        Loading::Bytes(loaded, _) | Loading::Failed(loaded) => loaded,
                        Loading::Done => kiln_model::mnist::GZIP_BYTES,
                    }
                ></progress>
            </section>
        </Show>
    }
}

/// The backend with its adapter, as the top bar shows it too.
pub fn device_name(trainer: Trainer, backend: Backend) -> String {
    match trainer.adapter.get() {
        Some(adapter) => format!("{} · {}", backend.label(), adapter.name),
        None => backend.label().to_owned(),
    }
}

/// Where the run is, in words, under the buttons.
#[component]
fn Progress(trainer: Trainer) -> impl IntoView {
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
    view! { <p class="progress-text">{text}</p> }
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
        Phase::Session(State::Failed) => format!("Failed · {text}"),
        Phase::Interrupted => format!("Interrupted · {text}"),
        _ => text,
    }
}

/// What a fingerprint says, and what not.
const FINGERPRINT: &str = "Made of every training loss. The same settings on the CPU give the same \
    in any browser tab; on a GPU, or outside a browser, sums are made in other orders.";

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
fn Result(trainer: Trainer) -> impl IntoView {
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
    move || {
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
    }
}

#[component]
fn Charts(trainer: Trainer) -> impl IntoView {
    let hovered = RwSignal::new(None);
    let is_live = Signal::derive(move || trainer.phase() == Phase::Session(State::Running));
    let curves = move |curves: fn(&History) -> Vec<Curve>| {
        Signal::derive(move || {
            trainer.run.with(|run| {
                let run = run.as_ref();
                run.map(|run| curves(run.history())).unwrap_or_default()
            })
        })
    };
    let marks = Signal::derive(move || {
        trainer.run.with(|run| {
            let edits = run.iter().flat_map(|run| &run.history().edits);
            edits
                .map(|edit| (f64::from(edit.moment.step), edit.value.describe()))
                .collect::<Vec<_>>()
        })
    });
    let loss = Subject {
        title: "Loss",
        write: format::loss,
        top: None,
    };
    let accuracy = Subject {
        title: "Accuracy",
        write: format::percent,
        top: Some(1.0),
    };
    let speed = Subject {
        title: "Images/s",
        write: |value| format::count(value.round() as u64),
        top: None,
    };
    let rate = Subject {
        title: "Learning rate",
        write: format::significant,
        top: None,
    };
    let norm = Subject {
        title: "Gradient norm",
        write: format::significant,
        top: None,
    };
    let losses = curves(|history| qualities(history, |quality| quality.loss));
    let accuracies = curves(|history| qualities(history, |quality| quality.accuracy));
    let speeds = curves(|history| {
        let points = points(&history.throughput, |rate| *rate);
        vec![Curve::new("Images/s", Style::Solid, points)]
    });
    let rates = curves(|history| {
        let points = points(&history.steps, |step| step.learning_rate);
        vec![Curve::new("Learning rate", Style::Solid, points)]
    });
    let norms = curves(|history| {
        let points = points(&history.steps, |step| step.gradient_norm);
        vec![Curve::new("Gradient norm", Style::Smoothed, points)]
    });
    view! {
        <div class="charts">
            <Chart subject=loss curves=losses marks is_live hovered />
            <Chart subject=accuracy curves=accuracies marks is_live hovered />
            <Chart subject=speed curves=speeds marks is_live hovered />
            <Chart subject=rate curves=rates marks is_live hovered />
            <Chart subject=norm curves=norms marks is_live hovered />
        </div>
    }
}

/// Training and validation by one figure of both.
fn qualities(history: &History, figure: fn(&Quality) -> f64) -> Vec<Curve> {
    let training = points(&history.steps, |step| figure(&step.quality));
    let validation = points(&history.validations, figure);
    vec![
        Curve::new("Training", Style::Smoothed, training),
        Curve::new("Validation", Style::Dotted, validation),
    ]
}

/// Measurements over their steps.
fn points<T>(measured: &[Measured<T>], figure: impl Fn(&T) -> f64) -> Vec<Point> {
    measured
        .iter()
        .map(|measured| (f64::from(measured.moment.step), figure(&measured.value)))
        .collect()
}
