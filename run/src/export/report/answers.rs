//! What a report says of a network's answers, and what the figures mean.

use kiln_model::dataset::Part;
use kiln_model::evaluation::{Comparison, Confusion, Measures};

use super::parts::{Answers, Block, Figure, Section, Table, Told, section};
use crate::classes::Classes;
use crate::evaluation::matrix::{self, Scale, headline};
use crate::evaluation::ranked::Ranked;
use crate::export::format::{ExportError, Source};
use crate::format;

/// How many kinds of mistakes are told in words.
const TOLD_MISTAKES: usize = 3;

/// The answers of each run: to the test images where all have them, else to the validation images
/// where all have those, else to what each has.
pub(super) fn of(sources: &[&Source]) -> Result<Vec<Option<Answers>>, ExportError> {
    let has = |source: &Source, part| source.parcel.answers.iter().any(|kept| kept.part == part);
    let parts = [Part::Test, Part::Validation];
    let of_all = |part: &Part| sources.iter().all(|source| has(source, *part));
    let shared = parts.into_iter().find(of_all);
    let answers = |source: &&Source| {
        let own = || parts.into_iter().find(|part| has(source, *part));
        let Some(part) = shared.or_else(own) else {
            return Ok(None);
        };
        let newest = source.newest(part)?;
        Ok(newest.map(|(step, predictions)| Answers {
            part,
            step,
            confusion: Confusion::new(&predictions),
            ranked: Ranked::new(&predictions),
            predictions,
        }))
    };
    sources.iter().map(answers).collect()
}

/// The images of a part, as they are called in a sentence.
fn images(part: Part) -> String {
    format!("{} images", part.label().to_lowercase())
}

/// What a run answered: matrix and measures.
pub(super) fn answered(run: &Told, is_alone: bool) -> Section {
    let title = if is_alone {
        "Answers".to_owned()
    } else {
        format!("Answers of {}", run.name)
    };
    let Some(answers) = &run.answers else {
        let text = "What this run answered is not kept, so there is no confusion matrix and there \
                    are no measures of each class. Score it in Evaluate first.";
        return section(&title, vec![Block::Text(text.to_owned())]);
    };
    let part = images(answers.part);
    let told = format!(
        "After {} training steps it was asked all {part}: {}.",
        format::count(answers.step.into()),
        headline(&answers.confusion)
    );
    let blocks = vec![
        Block::Text(told),
        drawing(run, answers),
        Block::Table(per_class(answers, run.classes())),
    ];
    section(&title, blocks)
}

fn drawing(run: &Told, answers: &Answers) -> Block {
    let part = images(answers.part);
    let title = format!("{} · {}", run.name, answers.part.label());
    let mut mistakes: Vec<(usize, usize, u32)> = Vec::new();
    for (class, row) in answers.confusion.counts.iter().enumerate() {
        let wrong = row
            .iter()
            .enumerate()
            .filter(|(answer, _)| *answer != class);
        mistakes.extend(wrong.map(|(answer, count)| (class, answer, *count)));
    }
    mistakes.sort_by_key(|mistake| std::cmp::Reverse(mistake.2));
    mistakes.retain(|mistake| mistake.2 > 0);
    let told = mistakes
        .iter()
        .take(TOLD_MISTAKES)
        .map(|(class, answer, count)| {
            let images = matrix::images(*count as usize);
            let [class, answer] = [class, answer].map(|class| run.classes().name(*class));
            format!(" {class} taken for {answer}: {images}.")
        });
    let told: String = told.collect();
    Block::Figure(Figure {
        caption: format!("Confusion matrix of the {part}"),
        alternative: format!(
            "Confusion matrix of the {part}: {}.{told}",
            headline(&answers.confusion)
        ),
        svg: matrix::svg(&answers.confusion, Scale::Counts, &title, run.classes()),
    })
}

fn per_class(answers: &Answers, names: &Classes) -> Table {
    let report = &answers.ranked.report;
    let row = |name: String, support: u32, measures: &Measures| {
        vec![
            name,
            format::count(support.into()),
            share(measures.precision),
            share(measures.recall),
            share(measures.f1),
            area(measures.auroc),
        ]
    };
    let classes = report.support.iter().zip(&report.classes).enumerate();
    let mut rows: Vec<Vec<String>> = classes
        .map(|(class, (support, measures))| row(names.name(class).to_owned(), *support, measures))
        .collect();
    let all = report.support.iter().sum();
    rows.push(row("Macro".to_owned(), all, &report.macro_mean));
    rows.push(row("Weighted".to_owned(), all, &report.weighted_mean));
    let head = ["Class", "Support", "Precision", "Recall", "F1", "AUROC"];
    Table {
        caption: format!("Per class, of the {}", images(answers.part)),
        head: head.map(str::to_owned).to_vec(),
        rows,
        is_numeric: true,
    }
}

fn share(share: Option<f64>) -> String {
    share.map_or(format::NOTHING.to_owned(), format::percent)
}

fn area(area: Option<f64>) -> String {
    area.map_or(format::NOTHING.to_owned(), |area| format!("{area:.4}"))
}

/// How the answers of two runs differ, image by image; nothing where one has none.
pub(super) fn compared(told: &[Told]) -> Option<Section> {
    let [a, b] = told else {
        return None;
    };
    let (left, right) = (a.answers.as_ref()?, b.answers.as_ref()?);
    if left.part != right.part || a.record.data != b.record.data {
        let text = "The two were not asked the same images, so their answers are not compared.";
        return Some(section(
            "Answers compared",
            vec![Block::Text(text.to_owned())],
        ));
    }
    let text = match Comparison::new(&left.predictions, &right.predictions) {
        Ok(compared) => format!(
            "Of the same {} {}, {} alone answered {} rightly and {} alone {}.",
            format::count(left.predictions.len() as u64),
            images(left.part),
            a.name,
            format::count(compared.only_a_right.len() as u64),
            b.name,
            format::count(compared.only_b_right.len() as u64),
        ),
        Err(error) => format!("The answers cannot be compared image by image: {error}."),
    };
    Some(section("Answers compared", vec![Block::Text(text)]))
}

/// What the figures mean, as the page says it, with the figures of these runs. Of one digit those are
/// told of the class that is answered worst.
pub(super) fn explained(told: &[Told]) -> Section {
    let worst = told
        .iter()
        .find_map(|run| Some((run.classes(), run.answers.as_ref()?.ranked.weakest())));
    let digits = Classes::default();
    let (names, class) = worst.unwrap_or((&digits, 0));
    let (name, several) = (names.name(class), names.several(class));
    let is_alone = told.len() == 1;
    let with_figures = |text: String, figures: &dyn Fn(&Answers) -> String| {
        let answered = told
            .iter()
            .filter_map(|run| Some((run, run.answers.as_ref()?)));
        let here = answered.map(|(run, answers)| {
            let figures = figures(answers);
            if is_alone {
                format!(" Here {figures}.")
            } else {
                format!(" In {} {figures}.", run.name)
            }
        });
        text + &here.collect::<String>()
    };
    let measures = |answers: &Answers| {
        let classes = &answers.ranked.report.classes;
        classes.get(class).copied().unwrap_or_default()
    };
    let seeds = told.iter().map(|run| run.record.config.seed.to_string());
    let runs = match seeds.collect::<Vec<_>>().as_slice() {
        [seed] => format!("one run, whose seed is {seed}"),
        seeds => format!("runs whose seeds are {}", seeds.join(" and ")),
    };
    let terms =
        vec![
        (
            "Experiment management",
            format!(
                "Write down settings, data, seed and result of every attempt, so you can compare \
                 and repeat it. This report does so for {runs}."
            ),
        ),
        (
            "Confusion matrix",
            with_figures(
                format!(
                    "Which {} are taken for which. The diagonal is right.",
                    names.nouns()
                ),
                &|answers| {
                    let all = format::count(answers.confusion.images().into());
                    let right = format::count(answers.confusion.correct().into());
                    format!("that is {right} of {all}")
                },
            ),
        ),
        (
            "Metric",
            with_figures(
                "One number that summarises results. Different metrics can rank the same models \
                 differently."
                    .to_owned(),
                &|answers| {
                    let accuracy = share(answers.confusion.accuracy());
                    let f1 = share(answers.ranked.report.macro_mean.f1);
                    format!("accuracy is {accuracy}, the mean F1 {f1}")
                },
            ),
        ),
        (
            "Precision and recall",
            with_figures(
                format!(
                    "Precision: of images called {name}, how many are {name}. Recall: of all \
                     {several}, how many were found. A stricter threshold usually raises one and \
                     lowers the other."
                ),
                &|answers| {
                    let Measures { precision, recall, .. } = measures(answers);
                    format!("they are {} and {}", share(precision), share(recall))
                },
            ),
        ),
        (
            "AUROC",
            with_figures(
                format!(
                    "The chance that a random {name} scores higher than a random non-{name}. 0.5 \
                     is guessing, 1 perfect."
                ),
                &|answers| format!("it is {}", area(measures(answers).auroc)),
            ),
        ),
    ];
    section("What the figures mean", vec![Block::Terms(terms)])
}
