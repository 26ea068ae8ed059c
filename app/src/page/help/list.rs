//! Terms with what they mean.

use leptos::prelude::*;

/// A list of terms, each with its meaning.
pub fn list(terms: impl IntoIterator<Item = (&'static str, &'static str)>) -> AnyView {
    let rows = terms.into_iter().map(|(term, meaning)| {
        view! { <div><dt>{term}</dt><dd>{meaning}</dd></div> }
    });
    view! { <dl>{rows.collect_view()}</dl> }.into_any()
}
