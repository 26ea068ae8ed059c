//! Where runs are, how they leave and come back, and what never leaves.

use leptos::prelude::*;

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

/// What never leaves.
pub fn show_privacy() -> AnyView {
    view! {
        <p>
            "Kiln loads its program and its images from the server of this page, and sends nothing. Training, your drawings and your files stay in this tab. There is no account and no cookie, and the page counts no visits. A copied link to settings holds settings alone."
        </p>
    }
    .into_any()
}
