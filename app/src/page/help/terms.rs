//! The words that Evaluate explains with figures, in general.

use leptos::prelude::*;

use super::list::list;

const TERMS: [(&str, &str); 5] = [
    (
        "Experiment management",
        "Write down settings, data, seed and result of every attempt, so you can compare and repeat \
         it. That is the Runs list.",
    ),
    (
        "Metric",
        "One number that summarises results. Different metrics can rank the same models differently.",
    ),
    (
        "Precision and recall",
        "Precision: of images called 7, how many are 7. Recall: of all 7s, how many were found. A \
         stricter threshold usually raises one and lowers the other.",
    ),
    (
        "AUROC",
        "The chance that a random 7 scores higher than a random non-7. 0.5 is guessing, 1 perfect.",
    ),
    (
        "Confusion matrix",
        "Which digits are taken for which. The diagonal is right.",
    ),
];

/// The words.
pub fn show() -> AnyView {
    view! {
        {list(TERMS)}
        <p><a href="#/evaluate">"Evaluate"</a>" says them with the figures of a run."</p>
    }
    .into_any()
}
