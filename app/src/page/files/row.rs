//! One file of a run.

use futures::future::{AbortHandle, abortable};
use gloo::file::ObjectUrl;
use leptos::prelude::*;

use super::sizes::Sizes;
use crate::browser::download;
use crate::page::parts::snippet::Snippet;
use crate::page::state::trainer::Trainer;
use kiln_run::export::{Format, Group};
use kiln_run::format;
use kiln_run::protocol::{RunId, Weight};
use kiln_run::run::Weights;

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

/// The row: what the file is, what opens it and how, and a button that makes it.
#[component]
pub fn FileRow(
    trainer: Trainer,
    id: RunId,
    name: String,
    which: RwSignal<Weights>,
    sizes: Sizes,
    format: Format,
) -> AnyView {
    let about = format.about();
    let file = format.file_name(&name);
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
                        if about.group == Group::Whole {
                            trainer.library.note_saved(&[id]);
                        }
                        Making::Saved(blob.size())
                    }
                    Err(reason) => Making::Failed(reason),
                });
            }
        });
    };
    let size = Memo::new(move |_| sizes.of(format));
    let known = move || match (making.get(), size.get()) {
        (Making::Part(done), _) => format!("{:.0}\u{2009}%", 100.0 * done),
        (Making::Nothing, Some(Ok(weight))) => format::bytes(weight.bytes),
        (Making::Nothing, Some(Err(reason))) => reason,
        _ => String::new(),
    };
    // Alone what a person has asked for is read out.
    let said = move || match making.get() {
        Making::Nothing | Making::Part(_) => String::new(),
        Making::Saved(bytes) => format!("Saved, {}", format::bytes(bytes)),
        Making::Failed(reason) => reason,
    };
    let reread = move || match size.get() {
        Some(Ok(Weight {
            is_identical: Some(is_identical),
            ..
        })) => Some(if is_identical {
            view! {
                <small class="good" title="Kiln has read it again: every bit of it is the run's">
                    "✓ re-read, identical"
                </small>
            }
        } else {
            view! {
                <small class="error" title="Kiln has read it again, and it is not what the run is">
                    "✕ re-read, differs"
                </small>
            }
        }),
        _ => None,
    };
    let has_failed = move || matches!(making.get(), Making::Failed(_));
    let cannot = move || matches!(size.get(), Some(Err(_)));
    let is_making = move || matches!(making.get(), Making::Part(_));
    view! {
        <tr>
            <th scope="row">
                {file.clone()}
                <small>{about.contents}</small>
            </th>
            <td>{about.opens_with}</td>
            <td class="snippet"><Snippet language=about.language text=format.snippet(&name) /></td>
            <td>
                <button
                    aria-label=format!("Download {file}")
                    aria-busy=move || is_making().to_string()
                    disabled=move || cannot() && !is_making()
                    on:click=make
                >
                    "Download"
                </button>
                <small class="muted">{known}</small>
                <small role="status" class:error=has_failed class:muted=move || !has_failed()>{said}</small>
                {reread}
            </td>
        </tr>
    }
    .into_any()
}
