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
            "unzip \"{stem}.wandb.zip\" -d \"{stem}\"\n\
             # Shows it here, until q is pressed.\n\
             wandb leet \"{stem}\"/offline-run-*\n\
             # Uploads it.\n\
             wandb sync \"{stem}\"/offline-run-*"
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

#[cfg(test)]
mod tests {
    use kiln_model::event::{Event, State};

    use super::log::tests::records as read;
    use super::messages::Item;
    use super::*;
    use crate::export::tests::exported;
    use crate::export::zip::tests::unpacked;
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    fn records(run: &Run) -> Vec<Record> {
        let file = exported(".wandb.zip", run, Weights::Best, Vec::new()).unwrap();
        let files = unpacked(&file);
        assert_eq!(
            (files.len(), files[0].0.as_str()),
            (1, "offline-run-20261123_140200-1/run-1.wandb")
        );
        let records = read(&files[0].1).into_iter();
        let records = records.map(|record| Record::decode(record.as_slice()).unwrap());
        records.collect()
    }

    fn get<'a>(items: &'a [Item], key: &str) -> Option<&'a str> {
        let mut found = items.iter().filter(|item| item.key == key);
        let item = found.next()?;
        assert_eq!(found.count(), 0, "{key}");
        Some(&item.value_json)
    }

    #[test]
    fn the_log_tells_the_whole_run() {
        let all = records(&scored_run());
        assert_eq!(all.len(), 6);
        for (record, num) in all.iter().zip(1..) {
            let info = record.info.as_ref().unwrap();
            assert_eq!((record.num, info.stream_id.as_str()), (num, "1"));
        }
        assert!(all[0].header.is_some());
        let run = all[1].run.as_ref().unwrap();
        assert_eq!(
            (run.run_id.as_str(), run.display_name.as_str()),
            ("1", "amber-bowl-1")
        );
        assert_eq!(run.start_time.map(|time| time.seconds), Some(1_795_442_520));
        let config = &run.config.as_ref().unwrap().update;
        assert_eq!(get(config, "batch_size"), Some("128"));
        assert_eq!(get(config, "optimizer"), Some("\"adam\""));
        assert_eq!(get(config, "parameters"), Some("34826"));
        assert_eq!(get(config, "backend"), Some("\"cpu\""));
        let first = all[2].history.as_ref().unwrap();
        let keys: Vec<&str> = first.item.iter().map(|item| item.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "train/loss",
                "train/accuracy",
                "learning_rate",
                "gradient_norm",
                "epoch",
                "images",
                "_step",
                "_runtime",
                "_timestamp"
            ]
        );
        assert_eq!(get(&first.item, "_timestamp"), Some("1795442520.5"));
        let second = all[3].history.as_ref().unwrap();
        assert_eq!(second.step.map(|step| step.num), Some(2));
        for (key, value) in [
            ("train/loss", "1.5"),
            ("train/epoch_loss", "1.875"),
            ("validation/accuracy", "0.75"),
            ("images_per_s", "800.0"),
            ("test/accuracy", "0.9"),
            ("images", "256"),
            ("_step", "2"),
        ] {
            assert_eq!(get(&second.item, key), Some(value), "{key}");
        }
        let summary = &all[4].summary.as_ref().unwrap().update;
        let fingerprint = scored_run().history().fingerprint().unwrap();
        for (key, value) in [
            ("train/loss", "1.5"),
            ("best_validation/loss", "1.25"),
            ("test/correct", "9000"),
            ("status", "\"finished\""),
            ("fingerprint", &format!("\"{fingerprint}\"")),
            ("_runtime", "1.0"),
            ("_wandb", "{\"runtime\":1}"),
        ] {
            assert_eq!(get(summary, key), Some(value), "{key}");
        }
        assert_eq!(get(summary, "stopped_early_for_the_weights_of_step"), None);
    }

    #[test]
    fn only_a_run_that_ended_has_an_exit() {
        let code = |run: &Run| {
            let last = records(run).pop().unwrap();
            last.exit.map(|exit| exit.exit_code)
        };
        assert_eq!(code(&scored_run()), Some(0));
        let mut run = new_run();
        assert_eq!(code(&run), None);
        run.interrupt();
        assert_eq!(code(&run), None);
        run.close();
        assert_eq!(code(&run), Some(0));
        run.apply(Event::State(State::Failed));
        assert_eq!(code(&run), Some(1));
    }

    #[test]
    fn a_tag_is_no_longer_than_wandb_takes() {
        let mut run = new_run();
        run.identity.tags = vec!["ü".repeat(70), String::new(), "course".to_owned()];
        let tags = records(&run)[1].run.clone().unwrap().tags;
        assert_eq!(tags, ["ü".repeat(64), "course".to_owned()]);
    }
}
