//! A chart as files. What makes them arrives apart: nobody waits for it before the first paint.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};

use crate::browser::download;
use crate::page::parts::chart::strands::{Sights, strands};
use crate::page::parts::view::View;
use crate::page::state::notice::Notice;
use crate::page::state::trainer::Trainer;
use kiln_run::export::write_chart;
use kiln_run::figure::svg::{SIZE, svg};
use kiln_run::figure::{Frame, Strand};
use kiln_run::protocol::RunId;
use kiln_run::series::{Axis, Subject};

/// A file, or why there is none.
type Written = Result<Vec<u8>, String>;

/// Makes the files.
#[derive(Clone, Copy)]
struct Make {
    svg: fn(&[Strand], &Frame, Subject, Axis) -> String,
    csv: fn(Trainer, &[RunId], Subject) -> Written,
}

#[wasm_split(work, fallible, wasm_split_path = leptos::wasm_split)]
fn chart_files() -> Result<Make, SplitLoaderError> {
    Ok(Make {
        svg: |strands, frame, subject, axis| svg(strands, frame, subject, axis),
        csv: |trainer, ids, subject| {
            let written = trainer.with_histories(ids, |runs| write_chart(runs, subject));
            written.map_err(|error| error.to_string())
        },
    })
}

/// What a chart is saved as.
#[derive(Clone, Copy)]
enum File {
    Png,
    Svg,
    Csv,
}

impl File {
    const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Csv => "csv",
        }
    }
}

pub(super) fn menu(
    trainer: Trainer,
    subject: Subject,
    view: View,
    sights: Memo<Arc<Sights>>,
    frame: Memo<Frame>,
    has_table: RwSignal<bool>,
    section: NodeRef<leptos::html::Section>,
) -> AnyView {
    let save = move |file: File| {
        let name = subject.title().to_lowercase().replace([' ', '/'], "-");
        let name = format!("{name}.{}", file.extension());
        let axis = view.axis.get_untracked();
        let (drawn, ids) = sights.with_untracked(|sights| {
            let drawn: Vec<Strand> = strands(sights).cloned().collect();
            let ids = sights.iter().flat_map(|sight| sight.ids.clone());
            (drawn, ids.collect::<Vec<RunId>>())
        });
        let frame = frame.get_untracked();
        wasm_bindgen_futures::spawn_local(async move {
            let Ok(make) = chart_files().await else {
                return trainer.notify(Notice::info(format!(
                    "{name} could not be made. Check the connection, then try again."
                )));
            };
            let drawing = || (make.svg)(&drawn, &frame, subject, axis);
            let failed = match file {
                File::Svg => {
                    download::save(&name, "image/svg+xml", drawing().as_bytes());
                    None
                }
                File::Png => {
                    let saved = download::save_as_png(&name, &drawing(), SIZE).await;
                    saved.err().map(|reason| {
                        format!("The picture could not be made: {reason}. The SVG shows the same.")
                    })
                }
                File::Csv => match (make.csv)(trainer, &ids, subject) {
                    Ok(bytes) => {
                        download::save(&name, "text/csv", &bytes);
                        None
                    }
                    Err(reason) => Some(format!("{name} could not be written: {reason}.")),
                },
            };
            if let Some(failed) = failed {
                trainer.notify(Notice::info(failed));
            }
        });
    };
    let fill_screen = move |_| {
        if let Some(section) = section.get_untracked() {
            // A browser that refuses leaves the chart as it is.
            drop(section.request_fullscreen());
        }
    };
    let title = subject.title();
    view! {
        <details class="menu">
            <summary aria-label=format!("{title}: more") title="More">"⋯"</summary>
            <div>
                <button class="quiet" on:click=move |_| save(File::Png)>"PNG"</button>
                <button class="quiet" on:click=move |_| save(File::Svg)>"SVG"</button>
                <button class="quiet" on:click=move |_| save(File::Csv)>"CSV"</button>
                <button
                    class="quiet"
                    aria-pressed=move || has_table.get().to_string()
                    on:click=move |_| has_table.update(|has| *has = !*has)
                >
                    "Table"
                </button>
                <button class="quiet" on:click=fill_screen>"Full screen"</button>
            </div>
        </details>
    }
    .into_any()
}
