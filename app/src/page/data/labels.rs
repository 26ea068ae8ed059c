//! How many images of each class there are.

use crate::page::parts::device::waiting;
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::histogram::Histogram;
use kiln_model::spec::CLASSES;
use leptos::prelude::*;

use crate::page::state::trainer::Trainer;
use kiln_run::classes::Classes;
use kiln_run::data::fairness;
use kiln_run::format;
use kiln_run::protocol::{Answer, Question};

/// Two buttons of which one is pressed.
pub(super) fn segment(
    label: &'static str,
    is_second: bool,
    chosen: RwSignal<bool>,
) -> impl IntoView {
    view! {
        <button
            aria-pressed=move || (chosen.get() == is_second).to_string()
            on:click=move |_| chosen.set(is_second)
        >
            {label}
        </button>
    }
}

/// How often each class occurs in each part.
#[component]
pub(super) fn Labels(trainer: Trainer, config: Memo<Option<Config>>) -> AnyView {
    let in_percent = RwSignal::new(false);
    let again = Trigger::new();
    let answer = LocalResource::new(move || {
        again.track();
        let config = config.get();
        async move {
            let question = Question::Labels { config: config? };
            Some(trainer.examiner.ask(question).await)
        }
    });
    let shown = move || match answer.get().flatten() {
        None => waiting(trainer),
        Some(Ok(Answer::Labels(counts))) => {
            let parts = counts.map(|counts| Histogram {
                counts: counts.map(|count| count as usize),
            });
            let names = trainer.sources.used.with(|used| used.classes.clone());
            view! { <LabelTable parts names in_percent /> }.into_any()
        }
        Some(Ok(_)) => ().into_any(),
        Some(Err(reason)) => view! {
            <div role="alert">
                <p class="error">{reason}</p>
                <button on:click=move |_| again.notify()>"Try again"</button>
            </div>
        }
        .into_any(),
    };
    let noun = Memo::new(move |_| trainer.sources.used.with(|used| used.classes.noun()));
    let heading = move || format!("Images of each {}", noun.get());
    view! {
        <section class="panel" aria-labelledby="labels">
            <header>
                <h2 id="labels">{heading}</h2>
                <div class="segments" role="group" aria-label="Figures">
                    {segment("Count", false, in_percent)} {segment("%", true, in_percent)}
                </div>
            </header>
            <div class="labels">{shown}</div>
        </section>
    }
    .into_any()
}

/// A table whose cells are bars too.
#[component]
pub(super) fn LabelTable(
    parts: [Histogram; 3],
    names: Classes,
    in_percent: RwSignal<bool>,
) -> AnyView {
    let figure = move |part: Histogram, class: usize| {
        if in_percent.get() {
            part.share(class)
                .map_or_else(|| format::NOTHING.to_owned(), format::percent)
        } else {
            format::count(part.counts[class] as u64)
        }
    };
    let rows = (0..CLASSES)
        .map(|class| {
            let cells = parts.map(|part| {
                let most = part.counts[part.largest()].max(1);
                let length = 100.0 * part.counts[class] as f64 / most as f64;
                view! {
                    <td>
                        <span>{move || figure(part, class)}</span>
                        <i prop:style=format!("width:{length:.1}%")></i>
                    </td>
                }
            });
            view! { <tr><th scope="row">{names.name(class).to_owned()}</th>{cells}</tr> }
        })
        .collect_view();
    let heads = Part::ALL.map(|part| view! { <th scope="col">{part.label()}</th> });
    let all = parts.map(|part| {
        let images = format::count(part.images() as u64);
        view! { <td>{images}</td> }
    });
    let sentences = Part::ALL
        .into_iter()
        .zip(parts)
        .map(|(part, histogram)| {
            view! {
                <dt>{part.label()}</dt>
                <dd>{fairness(&histogram, &names)}</dd>
            }
        })
        .collect_view();
    view! {
        <table class="bars">
            <caption class="hidden">{format!("Images of each {}", names.noun())}</caption>
            <thead>
                <tr>
                    <th scope="col">{if names.are_digits() { "Digit" } else { "Class" }}</th>
                    {heads}
                </tr>
            </thead>
            <tbody>
                {rows}
                <tr class="total">
                    <th scope="row">"All"</th>
                    {all}
                </tr>
            </tbody>
        </table>
        <dl>{sentences}</dl>
    }
    .into_any()
}
