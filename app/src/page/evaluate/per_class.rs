//! The measures of each class.

use std::sync::Arc;

use kiln_model::evaluation::Measures;
use leptos::prelude::*;

use super::answers::Answers;
use super::explain::WhatIsThis;
use super::look::Look;
use kiln_run::format;

/// The table.
#[component]
pub fn PerClass(look: Look, answers: Memo<Option<Arc<Answers>>>) -> AnyView {
    let report = Memo::new(move |_| {
        look.ranked
            .with(|ranked| ranked.as_ref().map(|ranked| ranked.report.clone()))
    });
    let names = look.classes();
    let rows = move || {
        let names = names.get();
        let report = report.get();
        let all = report.as_ref().map(|report| report.support.iter().sum());
        let classes = (0..10_usize).map(|class| {
            let measures = report.as_ref().map(|report| report.classes[class]);
            let support = report.as_ref().map(|report| report.support[class]);
            row(names.name(class).to_owned(), support, measures)
        });
        let means = [
            ("Macro", report.as_ref().map(|report| report.macro_mean)),
            (
                "Weighted",
                report.as_ref().map(|report| report.weighted_mean),
            ),
        ];
        let means = means.map(|(name, measures)| row(name.to_owned(), all, measures));
        (classes.collect_view(), means)
    };
    let explained = move || {
        let accuracy = answers.with(|answers| {
            let accuracy = answers.as_ref()?.confusion.accuracy();
            accuracy.map(format::percent)
        });
        let f1 = report.with(|report| report.as_ref()?.macro_mean.f1.map(format::percent));
        let or_nothing = |text: Option<String>| text.unwrap_or_else(|| format::NOTHING.to_owned());
        format!(
            "Metric: one number that summarises results. Different metrics can rank the same \
             models differently. Here accuracy is {}, the mean F1 {}.",
            or_nothing(accuracy),
            or_nothing(f1)
        )
    };
    view! {
        <section class="panel class-panel" aria-label="Per class">
            <h2>"Per class"</h2>
            <div class="scroll" tabindex="0" role="group" aria-label="Per class">
                <table class="per-class">
                    <caption class="hidden">"Per class"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Class"</th>
                            <th scope="col" class="number">"Support"</th>
                            <th scope="col" class="number">"Precision"</th>
                            <th scope="col" class="number">"Recall"</th>
                            <th scope="col" class="number">"F1"</th>
                            <th scope="col" class="number">"AUROC"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            <WhatIsThis about="Metric" text=Signal::derive(explained) />
        </section>
    }
    .into_any()
}

fn row(name: String, support: Option<u32>, measures: Option<Measures>) -> AnyView {
    let measures = measures.unwrap_or_default();
    let nothing = || format::NOTHING.to_owned();
    let share = |share: Option<f64>| share.map_or_else(nothing, format::percent);
    let cells = [
        support.map_or_else(nothing, |support| format::count(support.into())),
        share(measures.precision),
        share(measures.recall),
        share(measures.f1),
        area(measures.auroc),
    ];
    let cells = cells.map(|cell| view! { <td class="number">{cell}</td> });
    view! { <tr><th scope="row">{name}</th>{cells}</tr> }.into_any()
}

/// An area under a curve, with four decimals.
pub fn area(area: Option<f64>) -> String {
    area.map_or_else(|| format::NOTHING.to_owned(), |area| format!("{area:.4}"))
}
