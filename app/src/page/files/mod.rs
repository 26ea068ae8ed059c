//! The Files route: what a run leaves, what opens it and how.

mod chosen;
mod row;
mod sizes;

use crate::page::route::Route;
use leptos::prelude::*;

use crate::page::parts::import::ImportButton;
use crate::page::parts::last_saved::LastSaved;
use crate::page::parts::run_choice::RunChoice;
use crate::page::state::trainer::Trainer;
use chosen::Chosen;
use kiln_model::spec::PARAMETER_COUNT;
use kiln_run::export::{FORMATS, Group};
use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::run::Weights;
use row::FileRow;
use sizes::Sizes;

/// What files are for, and what stands above them.
const GROUPS: [(Group, &str); 5] = [
    (Group::Whole, "Everything"),
    (Group::Model, "The trained network"),
    (Group::Figures, "What was measured"),
    (Group::Tools, "For other trackers"),
    (Group::Reports, "To read"),
];

/// The route, for the run that the address names.
#[component]
pub fn Files(trainer: Trainer, #[prop(into)] asked: Signal<Option<RunId>>) -> AnyView {
    let chosen = Chosen::new(trainer, asked);
    keep_address(chosen);
    let which = RwSignal::new(Weights::default());
    let sizes = Sizes::new(trainer, chosen, which);
    let name = Memo::new(move |_| {
        let record = trainer.library.record(chosen.id.get()?)?;
        Some((record.identity.id, record.identity.name))
    });
    let body = move || match name.get() {
        Some((id, name)) => {
            let rows = move |group: Group, title: &'static str| {
                let formats = FORMATS
                    .into_iter()
                    .filter(move |format| format.about().group == group);
                let name = &name;
                let rows = formats
                    .map(|format| {
                        view! { <FileRow trainer id name=name.clone() which sizes format /> }
                    })
                    .collect_view();
                view! {
                    <tbody>
                        <tr class="group">
                            <th scope="rowgroup" colspan="4">{title}</th>
                        </tr>
                        {rows}
                    </tbody>
                }
            };
            let groups = GROUPS.map(|(group, title)| rows(group, title));
            view! {
                <Choices trainer chosen which />
                <table>
                    <caption class="hidden">"Files of the run"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"File"</th>
                            <th scope="col">"Opens with"</th>
                            <th scope="col">"How"</th>
                            <th scope="col"><span class="hidden">"Download"</span></th>
                        </tr>
                    </thead>
                    {groups}
                </table>
            }
            .into_any()
        }
        None => view! { <NoFiles trainer /> }.into_any(),
    };
    view! {
        <div class="files">
            <div class="head">
                <h1 tabindex="-1">"Files"</h1>
                {move || name.with(Option::is_some).then(|| view! { <RunChoice trainer chosen=chosen.id choose=move |id| chosen.pick(id) /> })}
                <ImportButton trainer />
            </div>
            {body}
        </div>
    }
    .into_any()
}

/// Has the address name what is looked at, so that it can be kept and passed on.
fn keep_address(chosen: Chosen) {
    Effect::new(move |_| {
        if let Some(id) = chosen.id.get() {
            Route::refine("Files", &format!("#/files?run={}", id.0));
        }
    });
}

#[component]
fn NoFiles(trainer: Trainer) -> AnyView {
    let text = move || {
        if trainer.library.is_read.get() {
            "The weights and figures of a run will be here once it was kept for the first time."
        } else {
            "Reading the kept runs."
        }
    };
    view! {
        <section class="nothing">
            <p>{text}</p>
            <a class="button" href="#/train">"Train"</a>
        </section>
    }
    .into_any()
}

/// What is in the files: of a run under way what was kept last, and which weights.
#[component]
fn Choices(trainer: Trainer, chosen: Chosen, which: RwSignal<Weights>) -> AnyView {
    let kept_step = Memo::new(move |_| chosen.kept_step());
    let under_way = move || {
        kept_step.get().map(|step| {
            format!(
                " It is not over: a file has what there was at step {}, where it was kept last.",
                format::count(step.into())
            )
        })
    };
    let choices = [(Weights::Best, "Best"), (Weights::Last, "Last")].map(|(weights, label)| {
        let step = Memo::new(move |_| chosen.weights_step(weights));
        let step = move || {
            let step = step.get()?;
            Some(format!(" · step {}", format::count(step.into())))
        };
        view! {
            <label>
                <input
                    type="radio"
                    name="weights"
                    aria-label=label
                    prop:checked=move || which.get() == weights
                    on:change=move |_| which.set(weights)
                />
                {label}
                <span class="muted">{step}</span>
            </label>
        }
    });
    view! {
        <p class="muted">
            {format!("{} parameters.", format::count(PARAMETER_COUNT as u64))}
            " Everything is made in this tab." {under_way} " "
            {move || chosen.id.get().map(|id| view! { <LastSaved trainer id /> })}
        </p>
        <fieldset class="weights">
            <legend>"Weights"</legend>
            {choices}
        </fieldset>
    }
    .into_any()
}
