//! The Files route: what a run leaves, what opens it and how.

use futures::future::{AbortHandle, abortable};
use gloo::file::ObjectUrl;
use leptos::prelude::*;

use crate::browser::download;
use crate::page::parts::notices::CopyButton;
use crate::page::state::trainer::Trainer;
use kiln_run::export::{FORMATS, Format};
use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::run::Weights;

/// The route.
#[component]
pub fn Files(trainer: Trainer) -> AnyView {
    // Of a run under way, what was kept last is what leaves.
    let shown = Memo::new(move |_| {
        trainer.kept.track();
        trainer.run.with(|run| {
            let run = run.as_ref().filter(|run| run.steps_done() > 0)?;
            let is_open = run.status().is_open();
            let is_there = !is_open || run.checkpoint().is_some();
            is_there.then(|| (run.identity.id, run.identity.name.clone()))
        })
    });
    let rows = move |(id, name): (RunId, String)| {
        let which = RwSignal::new(Weights::default());
        view! { <RunFiles trainer id name which /> }
    };
    view! {
        <div class="files">
            <h1 tabindex="-1">"Files"</h1>
            {move || match shown.get() {
                Some(shown) => rows(shown).into_any(),
                None => view! { <NoFiles /> }.into_any(),
            }}
        </div>
    }
    .into_any()
}

#[component]
fn NoFiles() -> AnyView {
    view! {
        <section class="nothing">
            <p>"The weights and figures of a run will be here once it was kept for the first time."</p>
            <a class="button" href="#/train">"Train"</a>
        </section>
    }
    .into_any()
}

#[component]
fn RunFiles(trainer: Trainer, id: RunId, name: String, which: RwSignal<Weights>) -> AnyView {
    // Where an open run was kept last.
    let kept_step = Memo::new(move |_| {
        trainer.kept.track();
        trainer.run.with(|run| {
            let run = run.as_ref().filter(|run| run.status().is_open())?;
            run.checkpoint().map(|kept| kept.outline.step)
        })
    });
    let under_way = move || {
        kept_step.get().map(|step| {
            format!(
                " It is not over: a file has what there was at step {}, where it was kept last.",
                format::count(step.into())
            )
        })
    };
    let choices = [(Weights::Best, "Best"), (Weights::Last, "Last")].map(|(weights, label)| {
        let step = Memo::new(move |_| {
            trainer.kept.track();
            trainer.run.with(|run| run.as_ref()?.weights_step(weights))
        });
        let step = move || {
            let step = step.get()?;
            Some(format!(" · step {}", format::count(step.into())))
        };
        view! {
            <label>
                <input
                    type="radio"
                    name="weights"
                    aria-label=label
                    prop:checked=move || which.get() == weights
                    on:change=move |_| which.set(weights)
                />
                {label}
                <span class="muted">{step}</span>
            </label>
        }
    });
    let rows = FORMATS
        .iter()
        .map(|format| view! { <FileRow trainer id name=name.clone() which format=*format /> })
        .collect_view();
    view! {
        <p class="muted">
            "Run " <strong>{name.clone()}</strong>
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
                    <th scope="col">"Opens with"</th>
                    <th scope="col">"In Python"</th>
                    <th scope="col"><span class="hidden">"Download"</span></th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq)]
enum Making {
    /// It was not asked for.
    Nothing,
    /// So much of it is made, 0 to 1.
    Part(f64),
    /// So many bytes were saved.
    Saved(u64),
    /// Why it could not be made: a sentence.
    Failed(String),
}

#[component]
fn FileRow(
    trainer: Trainer,
    id: RunId,
    name: String,
    which: RwSignal<Weights>,
    format: Format,
) -> AnyView {
    let (file, snippet) = (format.file_name(&name), format.snippet(&name));
    let making = RwSignal::new(Making::Nothing);
    let work = StoredValue::new_local(None::<AbortHandle>);
    on_cleanup(move || {
        work.try_update_value(|work| work.take().map(|work| work.abort()));
    });
    let saved = file.clone();
    let make = move |_| {
        if matches!(making.get_untracked(), Making::Part(_)) {
            return;
        }
        making.set(Making::Part(0.0));
        let saved = saved.clone();
        let progress = move |done| making.set(Making::Part(done));
        let made = trainer.make_file(id, format, which.get_untracked(), progress);
        let (made, handle) = abortable(made);
        work.set_value(Some(handle));
        wasm_bindgen_futures::spawn_local(async move {
            // Whoever leaves the screen leaves the file too.
            if let Ok(made) = made.await {
                making.set(match made {
                    Ok(blob) => {
                        download::save_blob(&saved, ObjectUrl::from(blob.clone()));
                        Making::Saved(blob.size())
                    }
                    Err(reason) => Making::Failed(reason),
                });
            }
        });
    };
    let said = move || match making.get() {
        Making::Nothing => String::new(),
        Making::Part(done) => format!("{:.0}\u{2009}%", 100.0 * done),
        Making::Saved(bytes) => format!("Saved, {}", format::bytes(bytes)),
        Making::Failed(reason) => reason,
    };
    let is_making = move || matches!(making.get(), Making::Part(_));
    view! {
        <tr>
            <th scope="row">
                {file.clone()}
                <small>{format.about().contents}</small>
            </th>
            <td>{format.about().opens_with}</td>
            <td class="snippet">
                <code>{snippet.clone()}</code>
                <CopyButton label="Copy" text=snippet />
            </td>
            <td>
                <button aria-label=format!("Download {file}") aria-busy=move || is_making().to_string() on:click=make>
                    "Download"
                </button>
                <small role="status" class:error=move || matches!(making.get(), Making::Failed(_))>{said}</small>
            </td>
        </tr>
    }
    .into_any()
}
