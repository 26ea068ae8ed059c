//! What runs that stand side by side said to the test images.

use std::sync::Arc;

use kiln_model::config::Config;
use kiln_model::dataset::Part;
use kiln_model::evaluation::{Comparison, Predictions};
use leptos::prelude::*;

use super::gallery::{Gallery, Images, Item};
use super::matrix::Matrix;
use super::per_class::area;
use super::plot::{Line, Plot, ZoomCorner};
use super::scored::test_answers;
use crate::page::state::trainer::Trainer;
use kiln_run::classes::Classes;
use kiln_run::evaluation::curves::Window;
use kiln_run::evaluation::matrix::difference;
use kiln_run::evaluation::ranked::Micro;
use kiln_run::format;
use kiln_run::protocol::RunId;

/// A run that was scored.
#[derive(Clone, Debug, PartialEq)]
struct Scored {
    name: String,
    colour: &'static str,
    config: Config,
    classes: Classes,
    predictions: Arc<Predictions>,
    micro: Micro,
}

/// What there is of the runs.
#[derive(Clone, Debug, Default, PartialEq)]
struct Found {
    scored: Vec<Scored>,
    /// Runs without answers.
    missing: Vec<(RunId, String)>,
    /// Why answers could not be read.
    failed: Vec<String>,
    is_done: bool,
}

/// Curves of all runs; of two also how they differ.
#[component]
pub fn Versus(trainer: Trainer, ids: Signal<Vec<RunId>>) -> AnyView {
    let library = trainer.library;
    let found = RwSignal::new(Found::default());
    let reads = StoredValue::new(0_u32);
    let kept = Memo::new(move |_| {
        let ids = ids.get();
        library.records.with(|records| {
            let known = |id: &RunId| {
                let record = records.iter().find(|record| record.identity.id == *id)?;
                Some((*id, record.status))
            };
            ids.iter().filter_map(known).collect::<Vec<_>>()
        })
    });
    Effect::new(move |_| {
        library.answered.track();
        let ids: Vec<RunId> = kept.get().into_iter().map(|(id, _)| id).collect();
        let read = reads.try_update_value(|reads| {
            *reads += 1;
            *reads
        });
        let is_waited_for = move || reads.try_get_value() == read;
        wasm_bindgen_futures::spawn_local(async move {
            if let Some(all) = find(trainer, &ids, is_waited_for).await {
                found.try_set(all);
            }
        });
    });
    let missing = move || {
        found.with(|found| {
            found
                .missing
                .iter()
                .map(|(id, name)| {
                    let address = format!("#/evaluate?run={}", id.0);
                    view! {
                        <p class="hint">
                            {format!("What {name} says to the test images is not kept: ")}
                            <a href=address>"score it in Evaluate"</a> "."
                        </p>
                    }
                })
                .collect_view()
        })
    };
    let failed = move || {
        found.with(|found| {
            found
                .failed
                .iter()
                .map(|why| view! { <p class="error">{why.clone()}</p> })
                .collect_view()
        })
    };
    let count = Memo::new(move |_| found.with(|found| found.scored.len()));
    let curves = move || (count.get() > 0).then(|| view! { <Curves found /> });
    let pair = Memo::new(move |_| {
        found.with(|found| match found.scored.as_slice() {
            [a, b] if ids.with(Vec::len) == 2 => Some((a.clone(), b.clone())),
            _ => None,
        })
    });
    let two = move || pair.get().map(|(a, b)| view! { <Two trainer a b /> });
    let waiting = move || {
        found
            .with(|found| !found.is_done)
            .then(|| view! { <p class="hint">"Reading what the runs said to the test images."</p> })
    };
    view! {
        <section class="versus" aria-label="On the test images">
            <h2>"On the test images"</h2>
            {waiting}
            {missing}
            {failed}
            {two}
            {curves}
        </section>
    }
    .into_any()
}

/// Reads the answers of all runs and works their curves out; nothing where nobody waits any more.
async fn find(trainer: Trainer, ids: &[RunId], is_waited_for: impl Fn() -> bool) -> Option<Found> {
    let library = trainer.library;
    let mut found = Found {
        is_done: true,
        ..Found::default()
    };
    for id in ids {
        let Some(record) = library.record_untracked(*id) else {
            continue;
        };
        let name = record.identity.name.clone();
        let answers = match library.store() {
            Some(store) => test_answers(trainer, &*store, *id).await,
            None => Ok(None),
        };
        let predictions = match answers {
            Ok(Some(predictions)) => predictions,
            Ok(None) => {
                found.missing.push((*id, name));
                continue;
            }
            Err(error) => {
                let why = format!("What {name} said could not be read: {error}.");
                found.failed.push(why);
                continue;
            }
        };
        let ranked = trainer.examiner.rank(&predictions).await;
        if !is_waited_for() {
            return None;
        }
        let micro = match ranked {
            Ok(ranked) => ranked.micro,
            Err(why) => {
                found.failed.push(why);
                continue;
            }
        };
        found.scored.push(Scored {
            name,
            colour: record.identity.css_colour(),
            config: record.config,
            classes: record.identity.classes,
            predictions: Arc::new(predictions),
            micro,
        });
    }
    is_waited_for().then_some(found)
}

/// The path of a curve, and what it comes to.
type Drawn<'a> = (Option<&'a str>, Option<f64>);

/// Classes of the style sheet that tell runs apart beside their colours.
const DASHES: [&str; 3] = ["run", "run dashed", "run dotted"];

#[component]
fn Curves(found: RwSignal<Found>) -> AnyView {
    let window = RwSignal::new(Window::Whole);
    let lines = move |of: fn(&Micro, Window) -> Drawn| {
        Memo::new(move |_| {
            let window = window.get();
            found.with(|found| {
                let line = |(index, run): (usize, &Scored)| {
                    let (path, measure) = of(&run.micro, window);
                    Line {
                        path: path.unwrap_or_default().to_owned(),
                        kind: DASHES[index % DASHES.len()],
                        colour: Some(run.colour),
                        name: Some(format!("{} {}", run.name, area(measure))),
                    }
                };
                found
                    .scored
                    .iter()
                    .enumerate()
                    .map(line)
                    .collect::<Vec<_>>()
            })
        })
    };
    let precision_recall =
        lines(|micro, _| (micro.precision_recall.as_deref(), micro.average_precision));
    let roc = lines(|micro, window| {
        let path = micro.roc.as_ref().map(|roc| roc.within(window));
        (path, micro.auroc)
    });
    let summary = |what: &'static str, lines: Memo<Vec<Line>>| {
        Signal::derive(move || {
            let names = lines.with(|lines| {
                let names = lines.iter().filter_map(|line| line.name.clone());
                names.collect::<Vec<_>>().join(", ")
            });
            format!("{what}: {names}.")
        })
    };
    view! {
        <div class="evaluate-grid">
            <section class="panel half" aria-label="Precision–recall of the runs">
                <h2>"Precision–recall, micro"</h2>
                <p class="hint">"Beside the names: average precision."</p>
                <Plot
                    summary=summary("Precision over recall of all classes in one", precision_recall)
                    lines=precision_recall.into()
                    window=Signal::stored(Window::Whole)
                    axes=("Recall", "Precision")
                />
            </section>
            <section class="panel half" aria-label="ROC of the runs">
                <h2>"ROC, micro"</h2>
                <div class="toolbar">
                    <ZoomCorner window />
                    <span>"Beside the names: AUROC."</span>
                </div>
                <Plot
                    summary=summary("ROC curves of all classes in one", roc)
                    lines=roc.into()
                    window=window.into()
                    axes=("False-positive rate", "True-positive rate")
                />
            </section>
        </div>
    }
    .into_any()
}

/// Whose right answers are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    OnlyA,
    OnlyB,
}

/// Two runs, image by image.
#[component]
fn Two(trainer: Trainer, a: Scored, b: Scored) -> AnyView {
    let comparison = match Comparison::new(&a.predictions, &b.predictions) {
        Ok(comparison) => comparison,
        Err(error) => {
            let why = format!("These runs cannot be compared image by image: {error}.");
            return view! { <p class="error">{why}</p> }.into_any();
        }
    };
    let cells = difference(&comparison.difference, &a.classes);
    let names = Signal::stored(a.classes.clone());
    let picked = RwSignal::new(None::<Right>);
    let title = format!("A is {}, B is {}", a.name, b.name);
    let images = |indices: &[usize], wrong: &Scored| Images {
        config: wrong.config,
        part: Part::Test,
        classes: wrong.classes.clone(),
        items: indices
            .iter()
            .filter_map(|index| Item::of(&wrong.predictions, *index))
            .collect(),
    };
    let only_a = images(&comparison.only_a_right, &b);
    let only_b = images(&comparison.only_b_right, &a);
    let choice = |right: Right, text: &str, images: &Images| {
        let text = format!("{text}: {}", format::count(images.items.len() as u64));
        let press = move |_| picked.set((picked.get_untracked() != Some(right)).then_some(right));
        view! {
            <button aria-pressed=move || (picked.get() == Some(right)).to_string() on:click=press>
                {text}
            </button>
        }
    };
    let choices = (
        choice(Right::OnlyA, "A right, B wrong", &only_a),
        " · ",
        choice(Right::OnlyB, "B right, A wrong", &only_b),
    );
    let gallery = move || {
        let images = match picked.get()? {
            Right::OnlyA => only_a.clone(),
            Right::OnlyB => only_b.clone(),
        };
        Some(if images.items.is_empty() {
            view! { <p class="hint">"There is no such image."</p> }.into_any()
        } else {
            view! { <Gallery trainer images=Signal::stored(images) /> }.into_any()
        })
    };
    view! {
        <div class="evaluate-grid">
            <section class="panel matrix-panel" aria-label="Confusion matrix, A − B">
                <h2>"Confusion matrix, A − B"</h2>
                <p class="hint">{title}</p>
                <div class="matrix-frame" tabindex="0" role="group" aria-label="Confusion matrix, A − B">
                    <span class="axis-name">"true"</span>
                    <span class="axis-name across">"predicted"</span>
                    <Matrix caption="Confusion matrix, A − B" names cells=Signal::stored(cells) />
                </div>
            </section>
            <section class="panel cell-panel" aria-label="Images on which the runs differ">
                <h2>"Where they differ"</h2>
                <p class="differ">{choices}</p>
                <p class="hint">"Press one to see the images, with what the wrong run took them for."</p>
                {gallery}
            </section>
        </div>
    }
    .into_any()
}
