//! Which data there is, and how more of it comes in.

use crate::page::parts::FIXED;
use crate::page::parts::device::data_text;
use crate::page::parts::import::import;
use gloo::file::{File, FileList};
use kiln_model::mnist;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlInputElement;

use crate::browser::store::OwnData;
use crate::page::state::sources::Outcome;
use crate::page::state::trainer::{Loading, Trainer};
use kiln_run::data::{Source, counts, label};
use kiln_run::format;

/// The data in use, the data that is kept, and where more comes in.
#[component]
pub(super) fn Own(trainer: Trainer) -> AnyView {
    let sources = trainer.sources;
    let is_fixed = Memo::new(move |_| trainer.phase().is_open());
    let is_checking = move || sources.outcome.get() == Outcome::Checking;
    let choose = move |event: web_sys::Event| {
        let input: Option<HtmlInputElement> =
            event.target().and_then(|target| target.dyn_into().ok());
        if let Some(input) = input {
            let files: Vec<File> = input
                .files()
                .map(|files| FileList::from(files).to_vec())
                .unwrap_or_default();
            // The same files can then be chosen again.
            input.set_value("");
            import(trainer, files);
        }
    };
    let outcome = move || match sources.outcome.get() {
        Outcome::Nothing => ().into_any(),
        Outcome::Checking => view! { <p role="status">"Checking the files"</p> }.into_any(),
        Outcome::Taken(text) => view! { <p role="status">{text}</p> }.into_any(),
        Outcome::Refused(text) => view! { <p class="error" role="alert">{text}</p> }.into_any(),
    };
    let row = move |source: Source, details: String, own: Option<OwnData>| {
        view! { <SourceRow trainer source details is_kept=own.is_some() is_fixed /> }
    };
    let rows = move || {
        let mnist = format!(
            "{} training and {} test images",
            format::count(mnist::TRAINING_IMAGES.into()),
            format::count(mnist::TEST_IMAGES.into())
        );
        let mut rows = vec![row(Source::mnist(), mnist, None)];
        for own in sources.kept.get() {
            let mut details = vec![counts(&own.summary), format::bytes(own.bytes)];
            if own.summary.is_test_cut_off {
                details.push("last seventh is the test set".to_owned());
            }
            details.push(own.files.join(", "));
            let source = Source {
                name: own.name.clone(),
                hash: own.summary.hash.clone(),
            };
            rows.push(row(source, details.join(" · "), Some(own)));
        }
        rows
    };
    let removed = move || {
        let own = sources.removed.get()?;
        let hash = own.summary.hash.clone();
        let runs = trainer
            .library
            .records
            .with(|records| records.iter().filter(|run| run.data == hash).count());
        let mut text = format!("Removed {}.", own.name);
        if runs > 0 {
            text += &format!(" Runs that cannot go on without it: {runs}.");
        }
        Some(view! {
            <p role="status">
                {text}
                <button on:click=move |_| trainer.bring_data_back()>"Undo"</button>
            </p>
        })
    };
    let progress = move || {
        (trainer.loading.get() != Loading::Done)
            .then(|| view! { <p role="status">{data_text(trainer)}</p> })
    };
    view! {
        <section class="panel sources" aria-label="Data in use">
            <ul>{rows}</ul>
            <div class="import">
                <label
                    class="button"
                    class:disabled=is_fixed
                    title=move || is_fixed.get().then_some(FIXED)
                >
                    "Import"
                    <input
                        class="hidden"
                        type="file"
                        multiple
                        disabled=move || is_fixed.get() || is_checking()
                        on:change=choose
                    />
                </label>
                <p class="hint">
                    "Or drop files here: idx images and labels, one pair or two, gzipped or not; 28 × 28 pixels, labels 0 to 9, at most 600\u{2009}000 images. They stay in this browser."
                </p>
            </div>
            <div class="outcome">{progress} {outcome} {removed}</div>
        </section>
    }
    .into_any()
}

/// Data that can be used.
#[component]
pub(super) fn SourceRow(
    trainer: Trainer,
    source: Source,
    details: String,
    is_kept: bool,
    is_fixed: Memo<bool>,
) -> AnyView {
    let used = trainer.sources.used;
    let hash = source.hash.clone();
    let is_used = Memo::new(move |_| used.with(|used| used.hash == hash));
    let shown = label(&source.name, &source.hash);
    let (name, digits) = match shown.split_once(" · ") {
        Some((name, digits)) => (name.to_owned(), Some(digits.to_owned())),
        None => (shown.clone(), None),
    };
    let hash = StoredValue::new(source.hash);
    let label = if is_kept {
        format!("Use {shown}")
    } else {
        "Use MNIST again".to_owned()
    };
    let text = if is_kept { "Use" } else { "Use MNIST again" };
    let button = move || {
        if is_used.get() {
            view! { <strong class="in-use">"In use"</strong> }.into_any()
        } else {
            view! {
                <button
                    aria-label=label.clone()
                    disabled=is_fixed
                    title=move || is_fixed.get().then_some(FIXED)
                    on:click=move |_| trainer.switch_data(hash.get_value())
                >
                    {text}
                </button>
            }
            .into_any()
        }
    };
    let remove = is_kept.then(|| {
        view! {
            <button
                class="quiet"
                aria-label=format!("Remove {shown}")
                disabled=is_used
                title=move || is_used.get().then_some("In use. Use other data to remove it.")
                on:click=move |_| trainer.remove_data(hash.get_value())
            >
                "Remove"
            </button>
        }
    });
    view! {
        <li class:used=is_used>
            <p>
                <strong>{name}</strong>
                " "
                {digits.map(|digits| view! { <code>{digits}</code> })}
                <small>{details}</small>
            </p>
            {button}
            {remove}
        </li>
    }
    .into_any()
}
