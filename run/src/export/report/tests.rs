//! What reports say of runs of every kind.

use kiln_model::dataset::Part;
use kiln_model::evaluation::Predictions;
use kiln_model::event::Event;

use super::*;
use crate::export::tests::exported;
use crate::parcel::{Answered, Parcel};
use crate::run::tests::{new_run, scored_run};
use crate::run::{Run, Weights};

/// What a person may write anywhere.
pub(crate) const ODD: &str = "<b>&\"|`*_[x](y)\u{1}";

/// A run that is called, tagged and noted so.
pub(crate) fn odd_run() -> Run {
    let mut run = scored_run();
    run.identity.name = ODD.to_owned();
    run.identity.tags = vec![ODD.to_owned()];
    run.identity.notes = format!("# {ODD}\n\n1. <script>\n- $x$");
    run.identity.data_name = ODD.to_owned();
    run.identity.adapter = Some(ODD.to_owned());
    run
}

/// Four images, of which a run answered three rightly, or two.
pub(crate) fn answers(part: Part, is_better: bool) -> Vec<Answered> {
    let mut predictions = Predictions::default();
    let said = [3, 3, 5, if is_better { 5 } else { 8 }];
    for (answer, label) in said.into_iter().zip([3, 7, 5, 5]) {
        let mut logits = [0.0; 10];
        logits[answer] = 4.0;
        predictions.add(&logits, &[label]).unwrap();
    }
    vec![Answered {
        part,
        step: 2,
        predictions: predictions.to_bytes(),
    }]
}

pub(crate) fn parcel(run: &Run, answers: Vec<Answered>) -> Parcel {
    Parcel {
        identity: run.identity.clone(),
        status: run.status(),
        segments: Vec::new(),
        checkpoint: None,
        answers,
    }
}

fn report(runs: &[(&Run, Vec<Answered>)]) -> Report {
    let parcels: Vec<Parcel> = runs
        .iter()
        .map(|(run, answers)| parcel(run, answers.clone()))
        .collect();
    let sources = runs.iter().zip(&parcels).map(|((run, _), parcel)| Source {
        run,
        which: Weights::Best,
        parcel,
    });
    let sources: Vec<Source> = sources.collect();
    of(&sources.iter().collect::<Vec<_>>()).unwrap()
}

fn texts(report: &Report) -> String {
    let blocks = report.sections.iter().flat_map(|section| &section.blocks);
    let text = blocks.map(|block| match block {
        Block::Text(text) | Block::Notes(text) => text.clone() + "\n",
        Block::Terms(terms) => terms.iter().map(|term| term.1.clone() + "\n").collect(),
        Block::Table(table) => {
            let rows = table.rows.iter();
            rows.map(|row| row.join(" | ") + "\n").collect()
        }
        Block::Figure(figure) => figure.alternative.clone() + "\n",
    });
    text.collect()
}

#[test]
fn a_report_has_the_figures_of_the_run() {
    let run = scored_run();
    let text = texts(&report(&[(&run, answers(Part::Test, true))]));
    for told in [
        "Batch size | 128",
        "Test accuracy | 90.00\u{2009}%",
        "Status | Finished",
        "2 of 2\u{2009}105 training steps were done.",
        "amber-bowl-1: training from 2.2500 to 1.5000, epoch mean from 1.8750 to 1.8750",
        "asked all test images: 75.00\u{2009}%, 1 wrong of 4",
        "7 taken for 3: 1 image.",
        "3 | 1 | 50.00\u{2009}% | 100.00\u{2009}% | 66.67\u{2009}% | ",
        "Here accuracy is 75.00\u{2009}%, the mean F1 55.56\u{2009}%.",
        "of images called 7, how many are 7",
        "There are no notes.",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
}

#[test]
fn two_runs_share_one_report() {
    let (a, mut b) = (scored_run(), scored_run());
    b.identity.name = "other".to_owned();
    let told = report(&[
        (&a, answers(Part::Test, true)),
        (&b, answers(Part::Test, false)),
    ]);
    assert_eq!(told.title, "amber-bowl-1 and other");
    let text = texts(&told);
    for told in [
        "Batch size | 128 | 128 | \n",
        "other: 2 of 2\u{2009}105 training steps were done.",
        "Of the same 4 test images, amber-bowl-1 alone answered 1 rightly and other alone 0.",
        " In amber-bowl-1 accuracy is 75.00\u{2009}%, the mean F1 55.56\u{2009}%. In other",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    let drawn = told
        .sections
        .iter()
        .flat_map(|section| &section.blocks)
        .find_map(|block| match block {
            Block::Figure(figure) => Some(&figure.svg),
            _ => None,
        });
    let drawn = drawn.unwrap();
    for colour in &COLOURS[..2] {
        assert!(drawn.contains(&format!("stroke=\"{colour}\"")), "{colour}");
    }
}

#[test]
fn runs_that_answered_other_images_are_not_compared() {
    let run = scored_run();
    let (test, validation) = (answers(Part::Test, true), answers(Part::Validation, true));
    let mut both = test.clone();
    both.extend(validation.clone());
    let text = texts(&report(&[(&run, both), (&run, validation.clone())]));
    assert!(text.contains("Of the same 4 validation images"), "{text}");
    let text = texts(&report(&[(&run, test), (&run, validation)]));
    assert!(text.contains("not asked the same images"), "{text}");
    let text = texts(&report(&[(&run, Vec::new()), (&run, Vec::new())]));
    assert!(!text.contains("Of the same"), "{text}");
}

#[test]
fn whatever_a_run_lacks_the_report_says_so() {
    let text = texts(&report(&[(&new_run(), Vec::new())]));
    assert!(text.contains("No training step was done yet."), "{text}");
    assert!(
        text.contains("What this run answered is not kept"),
        "{text}"
    );
    let mut failed = scored_run();
    let mut last = failed.history().steps.last().unwrap();
    last.moment.step = 3;
    last.value.quality.loss = f64::NAN;
    failed.apply(Event::Diverged(last.moment, last.value));
    let text = texts(&report(&[(&failed, Vec::new())]));
    assert!(text.contains("Loss became NaN at step 3."), "{text}");
    for ending in [".report.html", ".report.md"] {
        assert!(exported(ending, &new_run(), Weights::Best, Vec::new()).is_ok());
    }
}

#[test]
fn a_drawing_is_an_address_without_marks() {
    let figure = Figure {
        caption: String::new(),
        alternative: String::new(),
        svg: "<a b=\"(é)\">\n".to_owned(),
    };
    assert_eq!(
        figure.address(),
        "data:image/svg+xml;charset=utf-8,%3Ca%20b=%22%28%C3%A9%29%22%3E"
    );
}
