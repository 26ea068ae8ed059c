//! How each file of a run is opened, as its exporter says.

use leptos::prelude::*;

use crate::page::parts::snippet::Snippet;
use kiln_run::export::{FORMATS, Format};

/// What stands for the name of a run.
const STEM: &str = "RUN";

/// The files.
pub fn show() -> AnyView {
    view! {
        <p>
            "The name of the run stands where these say "<code>{STEM}</code>". "
            <a href="#/files">"Files"</a>" makes every one of them and says its size."
        </p>
        <dl>{FORMATS.map(entry).into_iter().collect_view()}</dl>
    }
    .into_any()
}

fn entry(format: Format) -> AnyView {
    let about = format.about();
    view! {
        <div>
            <dt><code>{format.file_name(STEM)}</code></dt>
            <dd>
                {about.contents}". Opens with "{about.opens_with}"."
                <div class="snippet">
                    <Snippet language=about.language text=format.snippet(STEM) />
                </div>
            </dd>
        </div>
    }
    .into_any()
}
