//! From the open page to a file, step by step.

use kiln_model::preset::Preset;
use leptos::prelude::*;

use super::list::list;

/// Each step: a screen, its address, and what is done there.
const STEPS: [(&str, &str, &str); 9] = [
    (
        "Train",
        "#/train",
        "Press Quick taste. It sets few images and one epoch.",
    ),
    (
        "Train",
        "#/train",
        "Press Start. Loss falls and accuracy rises while the network learns.",
    ),
    (
        "Train",
        "#/train",
        "Press Pause, then Step, to go on one step at a time. Resume goes on. At the end, or on \
         Stop, the network is scored on the test images.",
    ),
    (
        "Runs",
        "#/runs",
        "Find the run in the list: every run is kept there. Change one setting in Train and start \
         another.",
    ),
    (
        "Compare",
        "#/compare",
        "Tick both runs in Runs, then see here in what they differ.",
    ),
    (
        "Sweep",
        "#/sweep",
        "Give a setting several values and press Start the sweep: each becomes a run, and the best \
         stands first.",
    ),
    (
        "Evaluate",
        "#/evaluate",
        "See which digits the network takes for which. Press a cell to see its images.",
    ),
    (
        "Draw",
        "#/draw",
        "Draw a digit. The network says what it is while you draw.",
    ),
    (
        "Files",
        "#/files",
        "Press Download beside a file. Beside it stands what opens it.",
    ),
];

/// What each button under **Settings** sets.
pub fn show_presets() -> AnyView {
    let both = (
        "Run both course runs",
        "Course run 1, then course run 2, with the images that are set.",
    );
    let presets = Preset::ALL.map(|preset| (preset.label(), preset.note()));
    list(presets.into_iter().chain([both]))
}

/// The steps.
pub fn show() -> AnyView {
    let steps = STEPS.map(|(screen, address, text)| {
        view! { <li><a href=address>{screen}</a>": "{text}</li> }
    });
    view! { <ol>{steps}</ol> }.into_any()
}
