//! What came of a sweep: its runs across their settings, how important each setting is, and a table.

use kiln_model::event::State;
use kiln_run::format;
use kiln_run::protocol::RunId;
use kiln_run::record::Record;
use kiln_run::run::Status;
use kiln_run::settings;
use kiln_run::sweep::{Parallel, importances, loss};
use leptos::prelude::*;

use super::chart::Chart;
use crate::page::state::trainer::Trainer;

/// A place from which on a correlation says something.
const STRONG: f64 = 0.5;
/// Most runs that are compared at once from here.
const COMPARED: usize = 4;

#[component]
pub fn Results(trainer: Trainer, chosen: RwSignal<Option<String>>) -> AnyView {
    let library = trainer.library;
    let tags = Memo::new(move |_| {
        library.records.with(|records| {
            let mut tags: Vec<String> = Vec::new();
            for tag in records
                .iter()
                .rev()
                .flat_map(|record| &record.identity.tags)
            {
                if !tags.contains(tag) {
                    tags.push(tag.clone());
                }
            }
            tags
        })
    });
    let shown = Memo::new(move |_| {
        let tags = tags.get();
        chosen
            .get()
            .filter(|tag| tags.contains(tag))
            .or_else(|| tags.first().cloned())
    });
    let records = Memo::new(move |_| {
        let tag = shown.get();
        library.records.with(|records| {
            let is_of = |record: &&Record| {
                let mut tags = record.identity.tags.iter();
                tag.as_ref().is_some_and(|tag| tags.any(|one| one == tag))
            };
            records.iter().filter(is_of).cloned().collect::<Vec<_>>()
        })
    });
    let parallel = Memo::new(move |_| records.with(|records| Parallel::of(records)));
    // Stretches of axes by what they are of: an axis more does not move the others' filters.
    let stretches = RwSignal::new(Vec::<(&'static str, (f64, f64))>::new());
    let within = Memo::new(move |_| {
        let stretches = stretches.get();
        parallel.with(|parallel| {
            let of_axis = |label: &str| {
                let found = stretches.iter().find(|(other, _)| *other == label);
                found.map(|(_, stretch)| *stretch)
            };
            let asked: Vec<_> = parallel
                .axes
                .iter()
                .map(|axis| of_axis(axis.label))
                .collect();
            let lines = parallel.lines.iter().filter(|line| line.is_within(&asked));
            lines.map(|line| line.id).collect::<Vec<RunId>>()
        })
    });
    let choice = move || {
        let options = tags.get().into_iter().map(|tag| {
            let is_chosen = shown.get_untracked().as_ref() == Some(&tag);
            view! { <option value=tag.clone() selected=is_chosen>{tag.clone()}</option> }
        });
        let options = options.collect_view();
        let change = move |event| {
            stretches.set(Vec::new());
            chosen.set(Some(event_target_value(&event)));
        };
        view! {
            <label>
                "Sweep"
                <select aria-label="Sweep" prop:value=move || shown.get() on:change=change>{options}</select>
            </label>
        }
    };
    let has_runs = Memo::new(move |_| !records.with(Vec::is_empty));
    view! {
        <section class="results" aria-label="Results">
            <Show when=move || has_runs.get() fallback=|| view! {
                <p class="muted">"Runs of a sweep will stand here. Those of `kiln sweep` do too: import its .kiln.zip files, or drop its folder here."</p>
            }>
                <div class="head">{choice}</div>
                <Chart parallel stretches within />
                <div class="columns-of-two">
                    <Important records />
                    <Best trainer within />
                </div>
                <Table records within />
            </Show>
        </section>
    }
    .into_any()
}

/// How much each setting has to do with the loss.
#[component]
fn Important(records: Memo<Vec<Record>>) -> AnyView {
    let found = Memo::new(move |_| {
        records.with(|records| {
            // One that is not that far yet says nothing.
            let runs = records.iter().filter(|record| {
                loss(record).is_some() || record.status == Status::Session(State::Failed)
            });
            let runs = runs.map(|record| (record.config, loss(record)));
            importances(&runs.collect::<Vec<_>>())
        })
    });
    let row = |one: kiln_run::sweep::Importance| {
        let says = match one.correlation {
            rho if rho <= -STRONG => "more is better",
            rho if rho >= STRONG => "less is better",
            _ => "",
        };
        let share = one.correlation.abs();
        view! {
            <tr>
                <th scope="row">{one.label}</th>
                <td class="number">{format!("{:+.2}", one.correlation).replace('-', "\u{2212}")}</td>
                <td><meter min="0" max="1" value=share aria-hidden="true"></meter>" "{says}</td>
            </tr>
        }
    };
    view! {
        <section>
            <h2>"Importance"</h2>
            <p class="hint">"Spearman's rank correlation of each setting with the validation loss, over the runs of the sweep that have one, whatever their epochs; one that failed counts as the worst. It does not see what two settings do together, and words have no order."</p>
            <Show when=move || !found.with(Vec::is_empty) fallback=|| view! { <p class="muted">"No setting that is a number differs yet."</p> }>
                <table>
                    <caption class="hidden">"Importance of settings"</caption>
                    <thead><tr><th scope="col">"Setting"</th><th scope="col" class="number">"ρ"</th><th scope="col">"Strength"</th></tr></thead>
                    <tbody>{move || found.get().into_iter().map(row).collect_view()}</tbody>
                </table>
            </Show>
        </section>
    }
    .into_any()
}

/// What can be done with the best of those in sight.
#[component]
fn Best(trainer: Trainer, within: Memo<Vec<RunId>>) -> AnyView {
    let best = Memo::new(move |_| {
        let id = within.with(|ids| ids.first().copied())?;
        trainer.library.record(id)
    });
    let compared = Memo::new(move |_| within.with(|ids| ids.len().min(COMPARED)));
    let compare = move || {
        let ids = within.with(|ids| {
            let ids = ids.iter().take(COMPARED).map(|id| id.0.to_string());
            ids.collect::<Vec<_>>()
        });
        format!("#/compare?runs={}", ids.join(","))
    };
    let text = move || {
        let record = best.get()?;
        let quality = record.summary.best.filter(|_| loss(&record).is_some())?;
        Some(format!(
            "{}: validation loss {}, accuracy {}.",
            record.identity.name,
            format::loss(quality.loss),
            format::percent(quality.accuracy)
        ))
    };
    let take = move |_| {
        if let Some(record) = best.get_untracked() {
            trainer.take_shared(record.config);
        }
    };
    view! {
        <section>
            <h2>"Best"</h2>
            <p>{text}</p>
            <div class="buttons">
                <Show when=move || { compared.get() > 1 }>
                    <a class="button" href=compare>{move || format!("Compare the best {}", compared.get())}</a>
                </Show>
                <a class="button" href="#/train" on:click=take>"Train with its settings"</a>
            </div>
        </section>
    }
    .into_any()
}

/// The runs, the best first, with the settings in which they differ.
#[component]
fn Table(records: Memo<Vec<Record>>, within: Memo<Vec<RunId>>) -> AnyView {
    let differing = Memo::new(move |_| {
        records.with(|records| {
            let lines: Vec<_> = records.iter().map(settings::lines).collect();
            let Some(first) = lines.first() else {
                return Vec::new();
            };
            let differs = |index: &usize| {
                let text = &first[*index].text;
                lines.iter().any(|line| line[*index].text != *text)
            };
            let differing = (0..first.len()).filter(differs);
            differing
                .map(|index| (index, first[index].label))
                .collect::<Vec<_>>()
        })
    });
    let heads = move || {
        let heads = differing.get().into_iter();
        heads
            .map(|(_, label)| view! { <th scope="col">{label}</th> })
            .collect_view()
    };
    let row = move |(rank, record): (usize, Record)| {
        let lines = settings::lines(&record);
        let cells = differing
            .get()
            .into_iter()
            .map(|(index, _)| view! { <td>{lines[index].text.clone()}</td> })
            .collect_view();
        let best = record.summary.best;
        let test = record.summary.test;
        let some = |text: Option<String>| text.unwrap_or_else(|| format::NOTHING.to_owned());
        view! {
            <tr>
                <td class="number">{rank + 1}</td>
                <th scope="row"><a href=format!("#/evaluate?run={}", record.identity.id.0)>{record.identity.name.clone()}</a></th>
                <td class="number">{some(best.map(|best| format::loss(best.loss)))}</td>
                <td class="number">{some(best.map(|best| format::percent(best.accuracy)))}</td>
                <td class="number">{some(test.map(|test| format::percent(test.quality.accuracy)))}</td>
                {cells}
                <td>{record.status.label()}</td>
            </tr>
        }
    };
    let rows = move || {
        let ids = within.get();
        let rows = records.with(|records| {
            let found = ids.iter().filter_map(|id| {
                let mut records = records.iter();
                records.find(|record| record.identity.id == *id).cloned()
            });
            found.collect::<Vec<_>>()
        });
        rows.into_iter().enumerate().map(row).collect_view()
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Runs of the sweep">
            <table>
                <caption class="hidden">"Runs of the sweep, the best first"</caption>
                <thead>
                    <tr>
                        <th scope="col" class="number">"Rank"</th>
                        <th scope="col">"Run"</th>
                        <th scope="col" class="number" aria-sort="ascending">"Validation loss"</th>
                        <th scope="col" class="number">"Validation accuracy"</th>
                        <th scope="col" class="number">"Test accuracy"</th>
                        {heads}
                        <th scope="col">"Status"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}
