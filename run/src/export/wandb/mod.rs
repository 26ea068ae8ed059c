//! A run for Weights & Biases, as its own library keeps a run that it has still to upload: a zip
//! archive of a folder with one file.

mod history;
mod log;
mod messages;
mod records;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::Write;

use prost::Message as _;

use self::log::Log;
use self::messages::{Info, Record};
use super::clock::Clock;
use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::zip::{Parts, Zip};
use crate::run::Run;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".wandb.zip",
    group: Group::Tools,
    needs: Needs::Nothing,
    contents: "Every measurement, settings and results",
    opens_with: "Weights & Biases",
    media_type: "application/zip",
    language: Language::Shell,
    // The folder inside is named by the run's id, which W&B wants.
    snippet: |stem| {
        format!(
            "unzip \"{stem}.wandb.zip\" -d \"{stem}\"\nwandb leet \"{stem}\"/offline-run-*\nwandb sync \"{stem}\"/offline-run-*"
        )
    },
};

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let done = Cell::new(0.0);
    let mut zip = Zip::new(Parts::new(take, &done));
    let run = source.run;
    let clock = Clock::new(&run.identity);
    let id = run.identity.id.0.to_string();
    zip.pack(&path(&clock, &id), |to| records(run, &clock, id, to, &done))?;
    zip.finish()?.finish();
    Ok(())
}

/// Where W&B looks for a run that it has still to upload.
fn path(clock: &Clock, id: &str) -> String {
    let (year, month, day) = clock.start.to_calendar_date();
    let (hour, minute, second) = clock.start.as_hms();
    let month = u8::from(month);
    format!(
        "offline-run-{year:04}{month:02}{day:02}_{hour:02}{minute:02}{second:02}-{id}/run-{id}.wandb"
    )
}

fn records(
    run: &Run,
    clock: &Clock,
    id: String,
    to: &mut dyn Write,
    done: &Cell<f64>,
) -> Result<(), ExportError> {
    let mut file = Records::new(to, id.clone())?;
    file.add(records::header())?;
    file.add(records::run(run, clock, id)?)?;
    let mut last = BTreeMap::new();
    let total = run.history().steps.len().max(1) as f64;
    history::each_step(run.history(), |moment, figures| {
        done.set((f64::from(moment.step) / total).min(1.0));
        last.extend(figures.iter().copied());
        file.add(records::history(clock, moment, figures))
    })?;
    file.add(records::summary(run, clock, &last))?;
    // A run that is open has no exit, and neither has one that was interrupted. `wandb leet` shows
    // such a run as running while its file is new and as crashed from then on, and so does W&B once
    // `wandb sync` has said for it that it ended with code 1.
    records::exit(run).map_or(Ok(()), |exit| file.add(exit))
}

/// Records that are being written, numbered.
struct Records<'a> {
    log: Log<'a>,
    num: i64,
    info: Info,
}

impl<'a> Records<'a> {
    fn new(to: &'a mut dyn Write, stream_id: String) -> Result<Self, ExportError> {
        Ok(Self {
            log: Log::new(to).map_err(ExportError::of)?,
            num: 0,
            info: Info { stream_id },
        })
    }

    fn add(&mut self, record: Record) -> Result<(), ExportError> {
        self.num += 1;
        let record = Record {
            num: self.num,
            info: Some(self.info.clone()),
            ..record
        };
        self.log
            .add(&record.encode_to_vec())
            .map_err(ExportError::of)
    }
}
