//! Where runs are, how they leave and come back, whether the program is kept, and what never leaves.

use leptos::prelude::*;

use crate::browser::offline::{self, Keeping};

/// Where runs are kept.
pub fn show() -> AnyView {
    view! {
        <p>
            "Runs are kept by this browser, on this computer, in the store that it has for this page: IndexedDB. No other browser, profile or address sees them."
        </p>
        <ul>
            <li>"Whoever clears the site data of this page deletes them."</li>
            <li>"A private window forgets them when it is closed."</li>
            <li>"Safari deletes them after seven days of use without a visit to this page."</li>
            <li>
                "Any browser may delete them when the disk is full, unless it has promised not to. It is asked when the first run is kept; "
                <a href="#/runs">"Runs"</a>" says what it answered, and asks again."
            </li>
        </ul>
        <p>
            "To take a run out, download its "<code>".kiln.zip"</code>" in "<a href="#/files">"Files"</a>
            "; to take out several, tick them in "<a href="#/runs">"Runs"</a>" and press Download there. To bring them back, here or in another browser, press Import, or drop the file anywhere on the page. They can be resumed and continued as before."
        </p>
    }
    .into_any()
}

/// Whether the page needs the network.
pub fn show_offline() -> AnyView {
    let keeping = RwSignal::new(None);
    wasm_bindgen_futures::spawn_local(async move {
        // Help may have been left meanwhile.
        keeping.try_set(Some(offline::keeping().await));
    });
    let text = move || match keeping.get() {
        None => "",
        Some(Keeping::Kept) => {
            "This browser keeps the program and the MNIST images: the page opens, trains, evaluates, imports and saves files without a network. A newer version waits until no run is open."
        }
        Some(Keeping::UnderWay) => {
            "This browser is about to keep the program. Once it has said “Works offline now”, the page needs no network."
        }
        Some(Keeping::Insecure) => {
            "This page came over plain http, where browsers keep no program: it needs the network. Over https, or from localhost, it would not."
        }
        Some(Keeping::Refused) => {
            "This browser does not keep the program, as in private windows or where its storage is blocked or full: the page needs the network. It tries again at the next visit."
        }
    };
    view! { <p>{text}</p> }.into_any()
}

/// What never leaves.
pub fn show_privacy() -> AnyView {
    view! {
        <p>
            "Kiln loads its program and its images from the server of this page, and sends nothing. Training, your drawings and your files stay in this tab. There is no account and no cookie, and the page counts no visits. A copied link to settings holds settings alone."
        </p>
    }
    .into_any()
}
