//! Several runs in one file.

use futures::future::{AbortHandle, abortable};
use gloo::file::ObjectUrl;
use leptos::prelude::*;

use crate::browser::download;
use crate::page::state::notice::Notice;
use crate::page::state::trainer::Trainer;
use kiln_run::protocol::RunId;

/// A button that saves the runs that are ticked as one archive.
#[component]
pub(super) fn DownloadRuns(trainer: Trainer) -> AnyView {
    let ids = Memo::new(move |_| {
        let shown = trainer.library.shown.get();
        trainer.library.records.with(|records| {
            let ids = records.iter().map(|record| record.identity.id);
            ids.filter(|id| shown.contains(id)).collect::<Vec<RunId>>()
        })
    });
    let done = RwSignal::new(None::<f64>);
    let work = StoredValue::new_local(None::<AbortHandle>);
    on_cleanup(move || {
        work.try_update_value(|work| work.take().map(|work| work.abort()));
    });
    let noun = move || match ids.with(Vec::len) {
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    };
    let make = move |_| {
        if done.get_untracked().is_some() {
            return;
        }
        done.set(Some(0.0));
        let name = format!("{}.kiln.zip", untrack(noun));
        let ids = ids.get_untracked();
        let made = trainer.pack_runs(ids.clone(), move |share| done.set(Some(share)));
        let (made, handle) = abortable(made);
        work.set_value(Some(handle));
        wasm_bindgen_futures::spawn_local(async move {
            // Whoever leaves the screen leaves the file too.
            if let Ok(made) = made.await {
                done.set(None);
                match made {
                    Ok(blob) => {
                        download::save_blob(&name, ObjectUrl::from(blob));
                        trainer.library.note_saved(&ids);
                    }
                    Err(reason) => trainer.notify(Notice::problem(reason, [])),
                }
            }
        });
    };
    let text = move || match done.get() {
        Some(share) => format!("{:.0}\u{2009}%", 100.0 * share),
        None => format!("Download {}", noun()),
    };
    (move || {
        ids.with(|ids| !ids.is_empty()).then(|| {
            view! {
                <button aria-busy=move || done.get().is_some().to_string() on:click=make>
                    {text}
                </button>
            }
        })
    })
    .into_any()
}
