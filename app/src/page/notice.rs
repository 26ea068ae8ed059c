//! Things a person should know, with the next step; they stay until dismissed.

use gloo::timers::future::TimeoutFuture;
use leptos::prelude::*;

use super::library::Deletion;
use super::trainer::Trainer;
use crate::browser::tab;
use kiln_run::protocol::RunId;

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
    /// Do this with a run that cannot go on by itself.
    Answer(RunId, Answer),
    /// Copy these details.
    Copy(String),
    /// Show the run's files.
    DownloadRun,
    /// Forget ended runs.
    FreeSpace,
    /// Bring deleted runs back.
    Undo(Deletion),
    /// Go on here with a run that another tab trains.
    MoveHere(RunId),
}

/// What is to become of a run that cannot go on by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// A new one begins with its settings but for this learning rate.
    RestartWith(f64),
    /// It stays as it is, and the next in the queue begins.
    KeepAsFailed,
    /// It goes on from its last checkpoint; the button's name.
    Resume(&'static str),
    /// It goes on from its last checkpoint, on the CPU.
    ContinueOnCpu,
    /// It ends as far as it got.
    Stop,
}

impl Answer {
    fn label(self) -> String {
        match self {
            Self::RestartWith(rate) => format!("Restart with {rate}"),
            Self::KeepAsFailed => "Keep as failed".to_owned(),
            Self::Resume(label) => label.to_owned(),
            Self::ContinueOnCpu => "Continue on CPU".to_owned(),
            Self::Stop => "Stop".to_owned(),
        }
    }
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

    /// The run of which it asks what is to become; nothing where it asks no such thing.
    pub fn asks_about(&self) -> Option<RunId> {
        self.remedies.iter().find_map(|remedy| match remedy {
            Remedy::Answer(run, _) => Some(*run),
            _ => None,
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
        Remedy::Answer(_, answer) => answer.label(),
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
            Remedy::Answer(run, answer) => trainer.answer(run, answer),
            Remedy::FreeSpace => trainer.free_space(),
            Remedy::Undo(deletion) => trainer.library.undo(deletion),
            Remedy::MoveHere(id) => trainer.move_here(id),
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
