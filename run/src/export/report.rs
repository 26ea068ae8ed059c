//! What a report says of a run, or of two side by side: sections of text, tables and figures, which
//! each kind of file only writes in its own way.

mod answers;
mod parts;
#[cfg(test)]
pub(super) mod tests;

use kiln_model::config::ValidateOn;

use super::format::{ExportError, Source};
use crate::compare::{self, Comparison};
use crate::figure::svg::svg;
use crate::figure::{Frame, Strand};
use crate::format;
use crate::levels::Levels;
use crate::record::Record;
use crate::run::identity::COLOURS;
use crate::series::{Curve, Subject};
use crate::sight::Sight;
pub(super) use parts::{Block, Report, Section, Table, plain};
use parts::{Figure, Told, section};

/// What there is to say of these runs, one or two.
///
/// # Errors
/// Answers that cannot be read.
pub(super) fn of(sources: &[&Source]) -> Result<Report, ExportError> {
    let answers = answers::of(sources)?;
    let mut told: Vec<Told> = Vec::new();
    for (source, answers) in sources.iter().zip(answers) {
        let identity = &source.run.identity;
        let own = identity.css_colour();
        // Two runs that a person gave one colour are told apart all the same.
        let is_taken = told.iter().any(|other| other.colour == own);
        let colour = if is_taken { colour_beside(own) } else { own };
        told.push(Told {
            source,
            name: plain(&identity.name),
            colour,
            record: Record::of(source.run),
            answers,
        });
    }
    let names: Vec<&str> = told.iter().map(|run| run.name.as_str()).collect();
    let is_alone = told.len() == 1;
    let (lead, compared) = if is_alone {
        (
            "What one training run in Kiln was set to, what it measured and what it answered.",
            None,
        )
    } else {
        (
            "Two training runs in Kiln side by side: what they were set to, what they measured and \
             what they answered.",
            answers::compared(&told),
        )
    };
    let records: Vec<Record> = told.iter().map(|run| run.record.clone()).collect();
    let rows = Comparison::of(&records, false).rows;
    let mut sections = vec![
        settings(&told, &names, &rows),
        results(&told, &names, &rows),
        curves(&told),
    ];
    sections.extend(told.iter().map(|run| answers::answered(run, is_alone)));
    sections.extend(compared);
    sections.push(answers::explained(&told));
    sections.push(circumstances(&told, &names));
    sections.push(notes(&told, is_alone));
    Ok(Report {
        title: names.join(" and "),
        lead: lead.to_owned(),
        sections,
    })
}

fn colour_beside(taken: &str) -> &'static str {
    let other = COLOURS.iter().find(|colour| **colour != taken);
    other.copied().unwrap_or_default()
}

/// A table with a column for each run, and with two a last one that says where they differ.
fn beside(caption: &str, names: &[&str], rows: impl Iterator<Item = compare::Row>) -> Block {
    let is_alone = names.len() == 1;
    let mut head = vec![String::new()];
    head.extend(names.iter().map(|name| (*name).to_owned()));
    head.extend((!is_alone).then(|| "Differs".to_owned()));
    let rows = rows.map(|row| {
        let differs = if row.differs() { "yes" } else { "" };
        let mut cells = vec![row.label.to_owned()];
        cells.extend(row.cells);
        cells.extend((!is_alone).then(|| differs.to_owned()));
        cells
    });
    Block::Table(Table {
        caption: caption.to_owned(),
        head,
        rows: rows.collect(),
        is_numeric: false,
    })
}

fn settings(told: &[Told], names: &[&str], rows: &[compare::Row]) -> Section {
    let settings = rows.iter().filter(|row| row.is_setting).cloned();
    let mut blocks = vec![beside("Settings at the end", names, settings)];
    for run in told {
        let edits = &run.source.run.history().edits;
        let rows = edits.iter().map(|edit| {
            let step = format::count(edit.moment.step.into());
            vec![step, edit.value.describe()]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        if !rows.is_empty() {
            blocks.push(Block::Table(Table {
                caption: format!("Changed while {} was under way", run.name),
                head: vec!["After step".to_owned(), "To".to_owned()],
                rows,
                is_numeric: false,
            }));
        }
    }
    section("Settings", blocks)
}

fn results(told: &[Told], names: &[&str], rows: &[compare::Row]) -> Section {
    let results = rows.iter().filter(|row| !row.is_setting).cloned();
    let mut blocks = vec![beside("What came of it", names, results)];
    for run in told {
        let mut says = |sentence: &str| blocks.push(run.says(sentence, told.len() == 1));
        let all = &run.source.run;
        let (done, total) = (all.steps_done(), all.plan().total_steps());
        says(&format!(
            "{} of {} training steps were done.",
            format::count(done.into()),
            format::count(total.into())
        ));
        if let Some(failure) = all.failure() {
            says(&format!("{failure}."));
        }
        if let Some(early) = all.stopped_early() {
            says(&format!(
                "Validation did not improve any more, so the run ended early and went back to the \
                 weights of step {}.",
                format::count(early.value.into())
            ));
        }
        if run.record.config.validate_on == ValidateOn::TestSet {
            says("Test guided this run: score is optimistic.");
        }
        if all.damage().is_some() {
            says("A part of what was kept of this run is damaged; the rest is shown.");
        }
    }
    blocks.push(Block::Text(
        "The fingerprint is the beginning of the SHA-256 of the losses of all training steps. On \
         the CPU the same settings and data give the same fingerprint, bit for bit."
            .to_owned(),
    ));
    section("Results", blocks)
}

fn curves(told: &[Told]) -> Section {
    let has_steps = |run: &Told| !run.source.run.history().steps.is_empty();
    let mut blocks = Vec::new();
    if told.iter().any(has_steps) {
        blocks.push(Block::Text(
            "Faint: every training step, dropout on. Bold: the same, smoothed. In steps: means of \
             the training steps of each epoch. Dashed: validation, dropout off."
                .to_owned(),
        ));
        blocks.extend([Subject::Loss, Subject::Accuracy].map(|subject| chart(told, subject)));
    } else {
        blocks.push(Block::Text("No training step was done yet.".to_owned()));
    }
    section("Curves", blocks)
}

fn chart(told: &[Told], subject: Subject) -> Block {
    let Sight {
        axis, smoothing, ..
    } = Sight::default();
    let strand = |run: &Told| {
        let (history, identity) = (run.source.run.history(), &run.source.run.identity);
        let mut levels = Levels::default();
        // A long run is taken in part by part, one each time.
        let curves = loop {
            let curves = subject.curves(history, identity, axis, smoothing, None, &mut levels);
            if !levels.is_behind() {
                break curves;
            }
        };
        Strand {
            name: run.name.clone(),
            colour: run.colour,
            ends: subject.ends(history, identity, axis),
            first_epoch: axis.first_epoch(history, identity),
            curves,
            changes: Vec::new(),
        }
    };
    let strands: Vec<Strand> = told.iter().map(strand).collect();
    let frame = Frame::around(strands.iter(), subject, &Sight::default(), None, 0.0);
    let in_words = |strand: &Strand| {
        let curve = |curve: &Curve| {
            let (first, last) = (curve.points.first()?, curve.points.last()?);
            let kind = curve.kind.label().to_lowercase();
            let values = [first, last].map(|point| subject.write(point.1));
            Some(format!("{kind} from {} to {}", values[0], values[1]))
        };
        let curves: Vec<String> = strand.curves.iter().filter_map(curve).collect();
        format!("{}: {}.", strand.name, curves.join(", "))
    };
    let words: Vec<String> = strands.iter().map(in_words).collect();
    Block::Figure(Figure {
        caption: format!("{} by training step", subject.title()),
        alternative: format!("{} by training step. {}", subject.title(), words.join(" ")),
        svg: svg(&strands, &frame, subject, axis),
    })
}

fn circumstances(told: &[Told], names: &[&str]) -> Section {
    let row = |label, cell: fn(&Told) -> String| compare::Row {
        label,
        is_setting: false,
        cells: told.iter().map(cell).collect(),
    };
    let rows = [
        row("Started (UTC)", |run| {
            run.record.identity.started_at.clone()
        }),
        row("Trained on", |run| run.record.identity.device()),
        row("Hash of the data", |run| run.record.data.clone()),
    ];
    let mut blocks = vec![beside("Device and data", names, rows.into_iter())];
    for run in told {
        let rows = run.record.identity.taken_up.iter().map(|taken_up| {
            let (date, time) = (
                format::date(taken_up.clock_ms),
                format::time_of_day(taken_up.clock_ms, true),
            );
            let device = taken_up.device.clone();
            vec![
                format!("{date} {time}"),
                format::span(taken_up.elapsed_secs),
                device,
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        if !rows.is_empty() {
            blocks.push(Block::Table(Table {
                caption: format!("When {} was taken up, and on what", run.name),
                head: ["Clock (UTC)", "After training for", "Device"]
                    .map(str::to_owned)
                    .to_vec(),
                rows,
                is_numeric: false,
            }));
        }
    }
    section("Where and when", blocks)
}

fn notes(told: &[Told], is_alone: bool) -> Section {
    let mut blocks = Vec::new();
    for run in told {
        let identity = &run.record.identity;
        if !identity.tags.is_empty() {
            blocks.push(run.says(&format!("Tags: {}.", identity.tags.join(", ")), is_alone));
        }
        if !identity.notes.trim().is_empty() {
            if !is_alone {
                blocks.push(Block::Text(format!("{}:", run.name)));
            }
            blocks.push(Block::Notes(identity.notes.clone()));
        }
    }
    if blocks.is_empty() {
        blocks.push(Block::Text("There are no notes.".to_owned()));
    }
    section("Notes", blocks)
}
