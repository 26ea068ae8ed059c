//! Precision–recall and ROC curves, and what a threshold does on both.

use std::sync::Arc;

use kiln_model::evaluation::Table;
use leptos::prelude::*;

use super::answers::Answers;
use super::explain::WhatIsThis;
use super::look::Look;
use super::per_class::area;
use super::plot::{Line, Plot, ZoomCorner};
use kiln_run::classes::Classes;
use kiln_run::evaluation::curves::Window;
use kiln_run::evaluation::ranked;
use kiln_run::evaluation::threshold::{sentence, share, written};
use kiln_run::format;

/// The class that the curves are about, and the calls of it at the threshold.
#[derive(Clone, Copy)]
pub struct Called {
    class: Memo<usize>,
    names: Memo<Classes>,
    table: Memo<Option<Table>>,
}

impl Called {
    /// Of what is looked at.
    pub fn new(look: Look, answers: Memo<Option<Arc<Answers>>>) -> Self {
        let class = Memo::new(move |_| look.class_now());
        let table = Memo::new(move |_| {
            let answers = answers.get()?;
            Some(Table::at(
                &answers.predictions,
                class.get(),
                look.threshold.get(),
            ))
        });
        Self {
            class,
            names: look.classes(),
            table,
        }
    }

    /// What the class is called.
    fn name(self) -> String {
        self.names
            .with(|names| names.name(self.class.get()).to_owned())
    }
}

/// The precision–recall curve of a class, with its threshold.
#[component]
pub fn PrecisionRecall(look: Look, called: Called) -> AnyView {
    let Called {
        class,
        names,
        table,
    } = called;
    let lines = Memo::new(move |_| {
        let class = class.get();
        let names = names.get();
        look.ranked.with(|ranked| {
            let Some(ranked) = ranked.as_ref() else {
                return Vec::new();
            };
            let line = |path: &Option<String>, kind, name| {
                path.clone().map(|path| Line {
                    path,
                    kind,
                    colour: None,
                    name,
                })
            };
            let classes = &ranked.precision_recall;
            let others = (0..classes.len()).filter(|other| *other != class);
            let mut lines: Vec<Line> = others
                .filter_map(|other| line(&classes[other], "other", None))
                .collect();
            let name = |name: &str, value| Some(format!("{name} {}", area(value)));
            let (chosen, micro) = (&ranked.report.classes[class], &ranked.micro);
            lines.extend(line(
                &micro.precision_recall,
                "micro",
                name("micro", micro.average_precision),
            ));
            lines.extend(line(
                &classes[class],
                "chosen",
                name(names.name(class), chosen.average_precision),
            ));
            lines
        })
    });
    // A mean of such curves is none, a mean of their areas is one.
    let macro_mean = Memo::new(move |_| {
        look.ranked
            .with(|ranked| ranked.as_ref()?.report.macro_mean.average_precision)
    });
    let point = move || {
        let table = table.get()?;
        // Where nothing is called the curve begins, at a precision of 1.
        Some((table.recall()?, table.precision().unwrap_or(1.0)))
    };
    let said = Memo::new(move |_| {
        let table = table.get()?;
        let names = names.get();
        Some(sentence(&table, look.threshold.get(), class.get(), &names))
    });
    let said = move || said.get().unwrap_or_default();
    let summary = move || {
        let legend = lines.with(|lines| legend(lines));
        format!(
            "Precision over recall, each class against the rest. Average precision: {legend}, \
             macro {}. {}",
            area(macro_mean.get()),
            said()
        )
    };
    let explained = move || {
        let (name, several) = names.with(|names| {
            let class = class.get();
            (names.name(class).to_owned(), names.several(class))
        });
        let here = table.get().map_or(String::new(), |table| {
            format!(
                " Here {} and {}.",
                share(table.precision()),
                share(table.recall())
            )
        });
        format!(
            "Precision: of images called {name}, how many are {name}. Recall: of all {several}, \
             how many were found. A stricter threshold usually raises one and lowers the other: \
             drag it.{here}"
        )
    };
    view! {
        <section class="panel half" aria-label="Precision–recall">
            <h2>"Precision–recall"</h2>
            <ThresholdControls look class names />
            <p class="hint">{move || format!("Average precision: macro {}", area(macro_mean.get()))}</p>
            <Plot
                summary=Signal::derive(summary)
                lines=lines.into()
                window=Signal::stored(Window::Whole)
                point=Signal::derive(point)
                axes=("Recall", "Precision")
            />
            <p class="sentence">{said}</p>
            <Calls table called />
            <WhatIsThis about="Precision and recall" text=Signal::derive(explained) />
        </section>
    }
    .into_any()
}

/// What the curves come to, in words.
fn legend(lines: &[Line]) -> String {
    let names = lines.iter().filter_map(|line| line.name.clone());
    names.collect::<Vec<_>>().join(", ")
}

#[component]
fn ThresholdControls(look: Look, class: Memo<usize>, names: Memo<Classes>) -> AnyView {
    let options = (0..10_usize)
        .map(|digit| {
            view! {
                <option value=digit selected=move || class.get() == digit>
                    {move || names.with(|names| names.name(digit).to_owned())}
                </option>
            }
        })
        .collect_view();
    let choose = move |event| look.class.set(event_target_value(&event).parse().ok());
    let problem = RwSignal::new(false);
    let slide = move |event| {
        if let Ok(threshold) = event_target_value(&event).parse() {
            problem.set(false);
            look.threshold.set(threshold);
        }
    };
    let type_in = move |event| {
        let typed: Option<f64> = event_target_value(&event).parse().ok();
        let typed = typed.filter(|threshold| (0.0..=1.0).contains(threshold));
        problem.set(typed.is_none());
        if let Some(threshold) = typed {
            look.threshold.set(threshold);
        }
    };
    let text = move || written(look.threshold.get());
    view! {
        <div class="toolbar">
            <label>
                "Class"
                <select aria-label="Class" prop:value=move || class.get().to_string() on:change=choose>
                    {options}
                </select>
            </label>
            <label class="threshold">
                "Threshold"
                <input
                    type="range"
                    aria-label="Threshold"
                    min="0"
                    max="1"
                    step="0.01"
                    prop:value=text
                    style=("--filled", move || format!("{}%", 100.0 * look.threshold.get()))
                    on:input=slide
                />
                <input
                    type="number"
                    aria-label="Threshold"
                    min="0"
                    max="1"
                    step="0.01"
                    prop:value=text
                    aria-invalid=move || problem.get().to_string()
                    on:change=type_in
                />
            </label>
            {move || {
                problem
                    .get()
                    .then(|| view! { <p class="error">"A threshold is between 0 and 1."</p> })
            }}
        </div>
    }
    .into_any()
}

/// The 2×2 table.
#[component]
fn Calls(table: Memo<Option<Table>>, called: Called) -> AnyView {
    let name = Memo::new(move |_| called.name());
    let count = move |read: fn(&Table) -> u32| {
        move || {
            let table = table.get();
            table.map_or(format::NOTHING.to_owned(), |table| {
                format::count(read(&table).into())
            })
        }
    };
    view! {
        <table class="calls">
            <caption class="hidden">"Calls at the threshold"</caption>
            <thead>
                <tr>
                    <td></td>
                    <th scope="col" class="number">{move || format!("Called {}", name.get())}</th>
                    <th scope="col" class="number">"Not called"</th>
                </tr>
            </thead>
            <tbody>
                <tr>
                    <th scope="row">{move || format!("Is {}", name.get())}</th>
                    <td class="number">{count(|table| table.true_positives)}</td>
                    <td class="number">{count(|table| table.false_negatives)}</td>
                </tr>
                <tr>
                    <th scope="row">"Is another"</th>
                    <td class="number">{count(|table| table.false_positives)}</td>
                    <td class="number">{count(|table| table.true_negatives)}</td>
                </tr>
            </tbody>
        </table>
    }
    .into_any()
}

/// The ROC curves.
#[component]
pub fn Roc(look: Look, called: Called) -> AnyView {
    let Called {
        class,
        names,
        table,
    } = called;
    let window = RwSignal::new(Window::Whole);
    let lines = Memo::new(move |_| {
        let (window, class) = (window.get(), class.get());
        look.ranked.with(|ranked| {
            let Some(ranked) = ranked.as_ref() else {
                return Vec::new();
            };
            let line = |curve: &ranked::Roc, kind, name| Line {
                path: curve.within(window).to_owned(),
                kind,
                colour: None,
                name,
            };
            let others = (0..10).filter(|other| *other != class);
            let others = others.filter_map(|other| ranked.roc[other].as_ref());
            let mut lines: Vec<Line> = others.map(|curve| line(curve, "other", None)).collect();
            let (report, micro) = (&ranked.report, &ranked.micro);
            let means = [
                (&micro.roc, "micro", "micro", micro.auroc),
                (&ranked.macro_roc, "macro", "macro", report.macro_mean.auroc),
            ];
            for (curve, kind, name, auroc) in means {
                let name = Some(format!("{name} {}", area(auroc)));
                lines.extend(curve.as_ref().map(|curve| line(curve, kind, name)));
            }
            let auroc = report.classes[class].auroc;
            let name = Some(format!("{} {}", names.get().name(class), area(auroc)));
            let chosen = ranked.roc[class].as_ref();
            lines.extend(chosen.map(|curve| line(curve, "chosen", name)));
            lines
        })
    });
    let point = move || {
        let table = table.get()?;
        let wrong = table.false_positives + table.true_negatives;
        let rate = f64::from(table.false_positives) / f64::from(wrong.max(1));
        Some((rate, table.recall()?))
    };
    let auroc = Memo::new(move |_| {
        look.ranked.with(|ranked| {
            let ranked = ranked.as_ref()?;
            ranked.report.classes.get(class.get())?.auroc
        })
    });
    let summary = move || {
        let legend = lines.with(|lines| legend(lines));
        format!("ROC curves, each class against the rest. Areas under them: {legend}.")
    };
    let explained = move || {
        let name = called.name();
        format!(
            "AUROC: the chance that a random {name} scores higher than a random non-{name}. \
             0.5 is guessing, 1 perfect. Here {}.",
            area(auroc.get())
        )
    };
    view! {
        <section class="panel half" aria-label="ROC">
            <h2>"ROC"</h2>
            <div class="toolbar">
                <ZoomCorner window />
                <span>{move || format!("AUROC {}", area(auroc.get()))}</span>
            </div>
            <Plot
                summary=Signal::derive(summary)
                lines=lines.into()
                window=window.into()
                point=Signal::derive(point)
                axes=("False-positive rate", "True-positive rate")
            />
            <WhatIsThis about="AUROC" text=Signal::derive(explained) />
        </section>
    }
    .into_any()
}
