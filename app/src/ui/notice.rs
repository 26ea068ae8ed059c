//! Things a person should know, with the next step; they stay until dismissed.

use gloo::timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::library::Deletion;
use super::trainer::Trainer;
use crate::protocol::RunId;
use crate::tab;

/// How long a button says that it copied.
const SAID_MS: u32 = 2_000;

/// One notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    text: String,
    is_problem: bool,
    remedies: Vec<Remedy>,
}

/// What a person can do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Remedy {
    /// Load the data again.
    LoadAgain,
    /// Show where other data can be chosen.
    ChooseFiles,
    /// Begin again with this learning rate.
    RestartWith(f64),
    /// Leave the failed run as it is.
    KeepAsFailed,
    /// Copy these details.
    Copy(String),
    /// Go on from the last checkpoint; the button's name.
    Resume(&'static str),
    /// Go on from the last checkpoint, on the CPU.
    ContinueOnCpu,
    /// End the run as far as it got.
    Stop,
    /// Show the run's files.
    DownloadRun,
    /// Forget ended runs.
    FreeSpace,
    /// Bring deleted runs back.
    Undo(Deletion),
    /// Go on here with a run that another tab trains.
    MoveHere(RunId),
}

impl Notice {
    /// Something to know; nothing is wrong.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_problem: false,
            remedies: Vec::new(),
        }
    }

    /// Something to know, with what can be done about it.
    pub fn info_with(text: impl Into<String>, remedies: impl Into<Vec<Remedy>>) -> Self {
        Self {
            remedies: remedies.into(),
            ..Self::info(text)
        }
    }

    /// Whether it offers to do this.
    pub fn offers(&self, remedy: &Remedy) -> bool {
        self.remedies.contains(remedy)
    }

    /// Something went wrong.
    pub fn problem(text: impl Into<String>, remedies: impl Into<Vec<Remedy>>) -> Self {
        Self {
            text: text.into(),
            is_problem: true,
            remedies: remedies.into(),
        }
    }

    /// Whether it asks what to do with a run that cannot go on.
    pub fn asks_about_run(&self) -> bool {
        self.remedies.iter().any(|remedy| match remedy {
            Remedy::RestartWith(_)
            | Remedy::KeepAsFailed
            | Remedy::Resume(_)
            | Remedy::ContinueOnCpu
            | Remedy::Stop => true,
            Remedy::LoadAgain
            | Remedy::Copy(_)
            | Remedy::DownloadRun
            | Remedy::FreeSpace
            | Remedy::ChooseFiles
            | Remedy::Undo(_)
            | Remedy::MoveHere(_) => false,
        })
    }
}

/// All notices that were not dismissed.
#[component]
pub fn Notices(trainer: Trainer) -> impl IntoView {
    view! {
        <div class="notices">
            <For each=move || trainer.library.notices.get() key=|notice| format!("{notice:?}") let(notice)>
                <NoticeRow trainer notice />
            </For>
        </div>
    }
}

#[component]
fn NoticeRow(trainer: Trainer, notice: Notice) -> impl IntoView {
    let role = if notice.is_problem { "alert" } else { "status" };
    let shown = StoredValue::new(notice.clone());
    let dismiss = move || trainer.library.dismiss(&shown.get_value());
    let remedies = notice
        .remedies
        .into_iter()
        .map(|remedy| view! { <RemedyButton trainer remedy dismiss /> })
        .collect_view();
    view! {
        <div class="notice" role=role>
            <p>{notice.text}</p>
            {remedies}
            <button class="quiet icon" aria-label="Dismiss" title="Dismiss" on:click=move |_| dismiss()>
                "✕"
            </button>
        </div>
    }
}

#[component]
fn RemedyButton(
    trainer: Trainer,
    remedy: Remedy,
    dismiss: impl Fn() + Copy + 'static,
) -> impl IntoView {
    let label = match &remedy {
        Remedy::LoadAgain => "Try again".to_owned(),
        Remedy::RestartWith(rate) => format!("Restart with {rate}"),
        Remedy::KeepAsFailed => "Keep as failed".to_owned(),
        Remedy::Resume(label) => (*label).to_owned(),
        Remedy::ContinueOnCpu => "Continue on CPU".to_owned(),
        Remedy::Stop => "Stop".to_owned(),
        Remedy::FreeSpace => "Free space".to_owned(),
        Remedy::Undo(_) => "Undo".to_owned(),
        Remedy::MoveHere(_) => "Move training here".to_owned(),
        Remedy::Copy(details) => {
            return view! { <CopyButton label="Copy details" text=details.clone() /> }.into_any();
        }
        Remedy::DownloadRun => {
            return view! { <a class="button" href="#/files">"Download run"</a> }.into_any();
        }
        Remedy::ChooseFiles => {
            return view! { <a class="button" href="#/data">"Choose files"</a> }.into_any();
        }
    };
    let act = move |_| {
        dismiss();
        match remedy {
            Remedy::LoadAgain => trainer.load_again(),
            Remedy::RestartWith(rate) => trainer.restart_with(rate),
            Remedy::Resume(_) => trainer.resume(),
            Remedy::ContinueOnCpu => trainer.resume_on_cpu(),
            Remedy::Stop => trainer.keep_interrupted(),
            Remedy::FreeSpace => trainer.free_space(),
            Remedy::Undo(deletion) => trainer.library.undo(deletion),
            Remedy::MoveHere(id) => trainer.move_here(id),
            Remedy::KeepAsFailed => trainer.begin_next(),
            Remedy::Copy(_) | Remedy::DownloadRun | Remedy::ChooseFiles => {}
        }
    };
    view! { <button on:click=act>{label}</button> }.into_any()
}

/// A button that copies a text and says that it did.
#[component]
pub fn CopyButton(
    /// The button's name.
    label: &'static str,
    /// What it copies.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    let shown = RwSignal::new(label);
    let copy = move |_| {
        let text = text.get_untracked();
        wasm_bindgen_futures::spawn_local(async move {
            shown.set(if tab::copy(&text).await {
                "Copied"
            } else {
                "Not allowed to copy"
            });
            TimeoutFuture::new(SAID_MS).await;
            // The button may be gone by then.
            shown.try_set(label);
        });
    };
    view! { <button class="quiet" on:click=copy>{shown}</button> }
}
