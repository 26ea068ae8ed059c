//! Every key, and the switch for those that are pressed by themselves.

use leptos::prelude::*;

use crate::keymap::KEYS;
use crate::page::parts::keys::SingleKeys;

/// The table and the switch.
pub fn show(single_keys: SingleKeys) -> AnyView {
    let rows = KEYS.iter().map(|key| {
        view! {
            <tr>
                <th scope="row"><kbd>{key.label()}</kbd></th>
                <td>{key.does}</td>
                <td>{key.place}</td>
            </tr>
        }
    });
    view! {
        <p>
            "A key presses the button that you would press. Where it cannot be pressed now, nothing happens. Single keys do nothing while you type, nor while a dialog is open."
        </p>
        <label class="switch">
            <input
                type="checkbox"
                aria-label="Single-key shortcuts"
                aria-describedby="single-keys"
                prop:checked=move || single_keys.are_on()
                on:change=move |event| single_keys.set(event_target_checked(&event))
            />
            "Single-key shortcuts"
        </label>
        <p class="hint" id="single-keys">
            "Turn them off if you dictate, or if stray keys start things. Ctrl+Z and Esc act all the same."
        </p>
        <div class="scroll" tabindex="0" role="group" aria-label="Keys">
            <table>
                <caption class="hidden">"Keys"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Key"</th>
                        <th scope="col">"What it does"</th>
                        <th scope="col">"Where"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        <p>
            "On a Mac, Cmd does what Ctrl does. In a chart that has the focus, the arrow keys, Home and End move the crosshair, and Esc shows all of it. In Runs, F2 renames a run."
        </p>
    }
    .into_any()
}
