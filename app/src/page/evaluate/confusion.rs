//! The confusion matrix and the images in its cells.

use std::sync::Arc;

use kiln_model::evaluation::{Confusion, images_of};
use leptos::prelude::*;

use super::answers::Answers;
use super::explain::WhatIsThis;
use super::gallery::{Gallery, Images, Item};
use super::look::Look;
use super::matrix::{Matrix, Place};
use crate::browser::download;
use crate::page::state::notice::Notice;
use kiln_run::classes::Classes;
use kiln_run::evaluation::matrix::{Scale, cells, csv, headline, images, size, svg};
use kiln_run::format;

/// Matrix and images, side by side.
#[component]
pub fn Confused(look: Look, answers: Memo<Option<Arc<Answers>>>) -> AnyView {
    let scale = RwSignal::new(Scale::default());
    let picked = RwSignal::new(None::<Place>);
    let confusion = Memo::new(move |_| {
        answers.with(|answers| {
            answers
                .as_ref()
                .map_or_else(Confusion::default, |answers| answers.confusion.clone())
        })
    });
    let names = look.classes();
    let shown = Memo::new(move |_| {
        confusion.with(|confusion| names.with(|names| cells(confusion, scale.get(), names)))
    });
    let scales = Scale::ALL.map(|choice| {
        view! {
            <button
                aria-pressed=move || (scale.get() == choice).to_string()
                on:click=move |_| scale.set(choice)
            >
                {choice.label()}
            </button>
        }
    });
    let explained = move || {
        confusion.with(|confusion| {
            format!(
                "Which {} are taken for which. The diagonal is right: here {} of {}.",
                names.with(Classes::nouns),
                format::count(confusion.correct().into()),
                format::count(confusion.images().into())
            )
        })
    };
    view! {
        <section class="panel matrix-panel" aria-label="Confusion matrix">
            <header>
                <h2>"Confusion matrix"</h2>
                <p class="headline">{move || confusion.with(headline)}</p>
            </header>
            <div class="toolbar">
                <div class="segments three" role="group" aria-label="Cells">{scales}</div>
                <Save look answers confusion scale />
            </div>
            <div class="matrix-frame">
                <span class="axis-name">"true"</span>
                <span class="axis-name across">"predicted"</span>
                <Matrix caption="Confusion matrix" names=names.into() cells=shown.into() picked />
            </div>
            <WhatIsThis about="Confusion matrix" text=Signal::derive(explained) />
        </section>
        <section class="panel cell-panel" aria-label="Images of the cell">
            <CellImages look answers picked />
        </section>
    }
    .into_any()
}

#[component]
fn Save(
    look: Look,
    answers: Memo<Option<Arc<Answers>>>,
    confusion: Memo<Confusion>,
    scale: RwSignal<Scale>,
) -> AnyView {
    let trainer = look.trainer;
    let names = look.classes();
    let title = move || {
        let answers = answers.get_untracked();
        let run = answers
            .as_ref()
            .and_then(|answers| trainer.library.record_untracked(answers.run));
        let name = run.map_or_else(|| "run".to_owned(), |record| record.identity.name);
        let part = answers.map_or("", |answers| answers.part.label());
        (name, part)
    };
    let file = move |ending: &str| {
        let (name, part) = title();
        format!("{name}.confusion-{}.{ending}", part.to_lowercase())
    };
    let as_csv = move |_| {
        let text = confusion.with_untracked(|confusion| {
            csv(confusion, scale.get_untracked(), &names.get_untracked())
        });
        download::save(&file("csv"), "text/csv", text.as_bytes());
    };
    let as_png = move |_| {
        let (name, part) = title();
        let names = names.get_untracked();
        let title = format!("{name} · {part}");
        let drawing = confusion
            .with_untracked(|confusion| svg(confusion, scale.get_untracked(), &title, &names));
        let size = size(&names);
        let file = file("png");
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(reason) = download::save_as_png(&file, &drawing, size).await {
                trainer.notify(Notice::info(format!(
                    "The picture could not be made: {reason}. The CSV says the same."
                )));
            }
        });
    };
    view! {
        <button class="quiet" on:click=as_png>"PNG"</button>
        <button class="quiet" on:click=as_csv>"CSV"</button>
    }
    .into_any()
}

#[component]
fn CellImages(
    look: Look,
    answers: Memo<Option<Arc<Answers>>>,
    picked: RwSignal<Option<Place>>,
) -> AnyView {
    let names = look.classes();
    let found = Memo::new(move |_| {
        let answers = answers.get()?;
        let (label, answer) = picked.get()?;
        let indices = images_of(&answers.predictions, label, answer);
        let items = indices
            .into_iter()
            .filter_map(|index| Item::of(&answers.predictions, index));
        Some(Images {
            config: answers.config,
            part: answers.part,
            classes: names.get(),
            items: items.collect(),
        })
    });
    let heading = move || {
        let (label, answer) = picked.get()?;
        let count = found.with(|found| found.as_ref().map_or(0, |found| found.items.len()));
        let rightly = if label == answer { ", rightly" } else { "" };
        let what = names.with(|names| {
            let [label, answer] = [label, answer].map(|class| names.name(class.into()));
            format!("{label} taken for {answer}{rightly}")
        });
        Some(format!("{what}: {}", images(count)))
    };
    let is_any = Memo::new(move |_| {
        found.with(|found| found.as_ref().is_some_and(|found| !found.items.is_empty()))
    });
    let shown = Signal::derive(move || {
        found.get().unwrap_or_else(|| Images {
            config: kiln_model::config::Config::default(),
            part: kiln_model::dataset::Part::Test,
            classes: Classes::default(),
            items: Vec::new(),
        })
    });
    let trainer = look.trainer;
    view! {
        <h2 aria-live="polite">
            {move || heading().unwrap_or_else(|| "Images of a cell".to_owned())}
        </h2>
        {move || {
            if is_any.get() {
                view! { <Gallery trainer images=shown /> }.into_any()
            } else if picked.get().is_some() {
                view! { <p class="hint">"There is no such image."</p> }.into_any()
            } else {
                view! { <p class="hint">"Press a cell of the matrix to see its images."</p> }.into_any()
            }
        }}
    }
    .into_any()
}
