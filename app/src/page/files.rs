//! The Files route: what a run leaves, with its true size, what opens it and how.

use gloo::file::{Blob, ObjectUrl};
use leptos::prelude::*;

use crate::page::parts::notices::CopyButton;
use crate::page::state::trainer::Trainer;
use kiln_run::export::Format;
use kiln_run::format;
use kiln_run::run::{Run, Weights};

/// The route.
#[component]
pub fn Files(trainer: Trainer) -> impl IntoView {
    // The files of a long run take a while to be made: of one under way once for each visit here,
    // as soon as it was kept at all.
    let changes = Memo::new(move |_| {
        let kept = trainer.kept.get().map(|(id, _)| id);
        trainer.run.with(|run| {
            let run = run.as_ref()?;
            let is_open = run.status().is_open();
            let len = (!is_open).then(|| run.history().len());
            let is_kept = kept == Some(run.identity.id);
            Some((run.identity.clone(), is_open, is_kept, len))
        })
    });
    let leaves = move || {
        // Read, and not only tracked: a memo that nobody reads follows nothing.
        changes.with(|_| ());
        trainer.run.with_untracked(|run| {
            let run = run.as_ref().filter(|run| run.steps_done() > 0)?;
            if run.status().is_open() {
                run.as_kept().filter(|kept| kept.steps_done() > 0)
            } else {
                Some(run.clone())
            }
        })
    };
    view! {
        <div class="files">
            <h1 tabindex="-1">"Files"</h1>
            {move || match leaves() {
                Some(run) => view! { <RunFiles run /> }.into_any(),
                None => view! { <NoFiles /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn NoFiles() -> impl IntoView {
    view! {
        <section class="nothing">
            <p>"The weights and figures of a run will be here once it was kept for the first time."</p>
            <a class="button" href="#/train">"Train"</a>
        </section>
    }
}

#[component]
fn RunFiles(run: Run) -> impl IntoView {
    let name = run.identity.name.clone();
    let under_way = run.status().is_open().then(|| {
        format!(
            " It is not over: this is what it was at step {}. Open Files again for what came since.",
            format::count(run.steps_done().into())
        )
    });
    let weights = RwSignal::new(Weights::default());
    let choices = [(Weights::Best, "Best"), (Weights::Last, "Last")].map(|(which, label)| {
        let step = run.weights_step(which);
        let step = step.map(|step| format!(" · step {}", format::count(step.into())));
        view! {
            <label>
                <input
                    type="radio"
                    name="weights"
                    aria-label=label
                    prop:checked=move || weights.get() == which
                    on:change=move |_| weights.set(which)
                />
                {label}
                <span class="muted">{step}</span>
            </label>
        }
    });
    let rows = move || {
        Format::ALL.map(|format| view! { <FileRow run=run.clone() which=weights.get() format /> })
    };
    view! {
        <p class="muted">
            "Run " <strong>{name}</strong>
            ": 34\u{2009}826 parameters. Everything is made in this tab."
            {under_way}
        </p>
        <fieldset class="weights">
            <legend>"Weights"</legend>
            {choices}
        </fieldset>
        <table>
            <caption class="hidden">"Files of the run"</caption>
            <thead>
                <tr>
                    <th scope="col">"File"</th>
                    <th scope="col" class="number">"Size"</th>
                    <th scope="col">"Opens with"</th>
                    <th scope="col">"In Python"</th>
                    <th scope="col"><span class="hidden">"Download"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[component]
fn FileRow(run: Run, which: Weights, format: Format) -> impl IntoView {
    let name = format.file_name(&run);
    let snippet = format.snippet(&run);
    let (size, download) = match format.write(&run, which) {
        Ok(bytes) => {
            let size = format::bytes(bytes.len() as u64);
            let blob = Blob::new_with_options(bytes.as_slice(), Some(format.media_type()));
            let url = ObjectUrl::from(blob);
            let link = view! {
                <a
                    class="button"
                    href=url.to_string()
                    download=name.clone()
                    aria-label=format!("Download {name}")
                >
                    "Download"
                </a>
            };
            // The link must work for as long as it is shown.
            let url = StoredValue::new_local(url);
            on_cleanup(move || url.dispose());
            (size, link.into_any())
        }
        Err(error) => (
            "–".to_owned(),
            view! { <p class="error">{error.to_string()}</p> }.into_any(),
        ),
    };
    view! {
        <tr>
            <th scope="row">
                {name}
                <small>{format.contents()}</small>
            </th>
            <td class="number">{size}</td>
            <td>{format.opens_with()}</td>
            <td class="snippet">
                <code>{snippet.clone()}</code>
                <CopyButton label="Copy" text=snippet />
            </td>
            <td>{download}</td>
        </tr>
    }
}
