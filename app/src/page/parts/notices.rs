//! Notices as a person sees them, and the button that copies.

use gloo::timers::future::TimeoutFuture;
use leptos::prelude::*;

use crate::browser::offline::take_over;
use crate::browser::tab;
use crate::page::parts::import;
use crate::page::state::notice::{Notice, Remedy, Taking};
use crate::page::state::trainer::Trainer;

/// How long a button says that it copied.
const SAID_MS: u32 = 2_000;

/// All notices that were not dismissed.
#[component]
pub fn Notices(trainer: Trainer) -> AnyView {
    view! {
        <div class="notices">
            <For each=move || trainer.library.notices.get() key=|notice| format!("{notice:?}") let(notice)>
                <NoticeRow trainer notice />
            </For>
        </div>
    }
    .into_any()
}

#[component]
fn NoticeRow(trainer: Trainer, notice: Notice) -> AnyView {
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
    .into_any()
}

#[component]
fn RemedyButton(trainer: Trainer, remedy: Remedy, dismiss: impl Fn() + Copy + 'static) -> AnyView {
    let label = match &remedy {
        Remedy::LoadAgain => "Try again".to_owned(),
        Remedy::Answer(_, answer) => answer.label(),
        Remedy::FreeSpace => "Free space".to_owned(),
        Remedy::Undo(_) => "Undo".to_owned(),
        Remedy::MoveHere(_) => "Move training here".to_owned(),
        Remedy::TakeIn(Taking::KeepBoth) => "Keep both".to_owned(),
        Remedy::TakeIn(Taking::Replace) => "Replace".to_owned(),
        Remedy::NewVersion => "Reload".to_owned(),
        Remedy::ShowRuns => {
            return view! { <a class="button" href="#/runs">"Show runs"</a> }.into_any();
        }
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
    let waits = remedy == Remedy::NewVersion;
    let act = move |_| {
        dismiss();
        match remedy {
            Remedy::LoadAgain => trainer.load_again(),
            Remedy::Answer(run, answer) => trainer.answer(run, answer),
            Remedy::FreeSpace => trainer.free_space(),
            Remedy::Undo(deletion) => trainer.library.undo(deletion),
            Remedy::MoveHere(id) => trainer.move_here(id),
            Remedy::TakeIn(taking) => import::take_in_offered(trainer, taking),
            Remedy::NewVersion => wasm_bindgen_futures::spawn_local(take_over()),
            Remedy::Copy(_) | Remedy::DownloadRun | Remedy::ChooseFiles | Remedy::ShowRuns => {}
        }
    };
    let is_held = move || waits && trainer.phase().is_open();
    let why = move || is_held().then_some("A run is open. Stop it first.");
    view! { <button disabled=is_held title=why on:click=act>{label}</button> }
        .into_any()
        .into_any()
}

/// A button that copies a text and says that it did.
#[component]
pub fn CopyButton(
    /// The button's name.
    label: &'static str,
    /// What it copies.
    #[prop(into)]
    text: Signal<String>,
) -> AnyView {
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
    view! { <button class="quiet" on:click=copy>{shown}</button> }.into_any()
}
