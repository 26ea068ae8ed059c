//! The Train route: settings, progress, charts, result.

use kiln_model::event::State;
use leptos::prelude::*;

use super::chart::{Chart, Curve, Style, Subject};
use super::controls::{PlanLine, RunButtons, Settings};
use super::trainer::{Loading, Phase, Trainer};
use crate::device::Backend;
use crate::format;
use crate::run::{Measured, Run};

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
    let step = move || match trainer.phase() {
        Phase::Preparing if !trainer.is_ready() => (false, "Will start when ready".to_owned()),
        Phase::Preparing if trainer.backend() == Some(Backend::WebGpu) => (
            false,
            "Warming up: compiling GPU programs, first time only".to_owned(),
        ),
        Phase::Preparing => (false, "Warming up".to_owned()),
        Phase::Ready => {
            let estimate = trainer.estimated_secs(&trainer.config.get());
            let about = estimate.map(|secs| format!(" · about {}", format::duration(secs)));
            (true, format!("Ready{}", about.unwrap_or_default()))
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
        Phase::Crashed => format!("The trainer stopped · {text}"),
        _ => text,
    }
}

/// The score on the test images.
#[component]
fn Result(trainer: Trainer) -> impl IntoView {
    let score = Memo::new(move |_| {
        trainer.run.with(|run| {
            let run = run.as_ref()?;
            run.history()
                .score
                .map(|score| (run.name.clone(), score.value))
        })
    });
    move || {
        score.get().map(|(name, score)| {
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
                        <span class="muted">{name}", scored with the last weights"</span>
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
    let points = |measured: &[Measured<_>], value: fn(&_) -> f64| {
        measured
            .iter()
            .map(|measured| (f64::from(measured.moment.step), value(&measured.value)))
            .collect::<Vec<_>>()
    };
    let qualities = move |value: fn(&kiln_model::event::Quality) -> f64| {
        Signal::derive(move || {
            trainer.run.with(|run| {
                let Some(run) = run else { return Vec::new() };
                let history = run.history();
                vec![
                    Curve {
                        name: "Training",
                        style: Style::Smoothed,
                        points: points(&history.steps, value),
                    },
                    Curve {
                        name: "Validation",
                        style: Style::Dotted,
                        points: points(&history.validations, value),
                    },
                ]
            })
        })
    };
    let throughput = Signal::derive(move || {
        trainer.run.with(|run| {
            let points = run.as_ref().map(|run| {
                let rates = run.history().throughput.iter();
                rates
                    .map(|rate| (f64::from(rate.moment.step), rate.value))
                    .collect()
            });
            vec![Curve {
                name: "Images/s",
                style: Style::Solid,
                points: points.unwrap_or_default(),
            }]
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
    view! {
        <div class="charts">
            <Chart subject=loss curves=qualities(|quality| quality.loss) is_live hovered />
            <Chart subject=accuracy curves=qualities(|quality| quality.accuracy) is_live hovered />
            <Chart subject=speed curves=throughput is_live hovered />
        </div>
    }
}
