//! Things a person should know, with the next step; they stay until dismissed.

use leptos::prelude::*;

use super::trainer::Trainer;

/// One notice.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    text: String,
    remedy: Option<Remedy>,
}

/// What a person can do about it.
#[derive(Clone, Debug, PartialEq)]
pub enum Remedy {
    /// Load the data again.
    LoadAgain,
    /// Begin again with this learning rate, or leave it.
    RestartWith(f64),
    /// Copy these details.
    Copy(String),
}

impl Notice {
    /// Something to know; nothing is wrong.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            remedy: None,
        }
    }

    /// Something went wrong.
    pub fn problem(text: impl Into<String>, remedy: Remedy) -> Self {
        Self {
            text: text.into(),
            remedy: Some(remedy),
        }
    }
}

/// All notices that were not dismissed.
#[component]
pub fn Notices(trainer: Trainer) -> impl IntoView {
    view! {
        <div class="notices">
            <For each=move || trainer.notices.get() key=|notice| notice.text.clone() let(notice)>
                <NoticeRow trainer notice />
            </For>
        </div>
    }
}

#[component]
fn NoticeRow(trainer: Trainer, notice: Notice) -> impl IntoView {
    let role = if notice.remedy.is_some() {
        "alert"
    } else {
        "status"
    };
    let shown = StoredValue::new(notice.clone());
    let dismiss = move || trainer.dismiss(&shown.get_value());
    let remedy = notice.remedy.map(|remedy| match remedy {
        Remedy::LoadAgain => view! {
            <button on:click=move |_| { dismiss(); trainer.load_again(); }>"Try again"</button>
        }
        .into_any(),
        Remedy::RestartWith(rate) => view! {
            <button on:click=move |_| { dismiss(); trainer.restart_with(rate); }>
                {format!("Restart with {rate}")}
            </button>
            <button class="quiet" on:click=move |_| dismiss()>"Keep as failed"</button>
        }
        .into_any(),
        Remedy::Copy(details) => {
            view! { <CopyButton label="Copy details" text=details /> }.into_any()
        }
    });
    view! {
        <div class="notice" role=role>
            <p>{notice.text}</p>
            {remedy}
            <button class="quiet icon" aria-label="Dismiss" title="Dismiss" on:click=move |_| dismiss()>
                "✕"
            </button>
        </div>
    }
}

/// A button that copies a text and says that it did.
#[component]
pub fn CopyButton(
    /// The button's name.
    label: &'static str,
    /// What it copies.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    let shown = RwSignal::new(label);
    let copy = move |_| {
        let copied = window().navigator().clipboard().write_text(&text);
        wasm_bindgen_futures::spawn_local(async move {
            let copied = wasm_bindgen_futures::JsFuture::from(copied).await;
            shown.set(if copied.is_ok() {
                "Copied"
            } else {
                "Not allowed to copy"
            });
        });
    };
    view! { <button class="quiet" on:click=copy>{shown}</button> }
}
