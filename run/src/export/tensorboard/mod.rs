//! A run as TensorBoard shows it: a zip archive of a folder of event files, one file for what the run
//! is, and a folder each for training, validation and test.

mod curves;
mod events;
mod histogram;
mod hparams;
mod messages;
mod picture;

use std::cell::Cell;
use std::io::Write;

use kiln_model::dataset::Part;
use kiln_model::evaluation::{Confusion, Predictions};
use kiln_model::event::Moment;
use kiln_model::history::Measured;
use kiln_model::spec::{PARAMETERS, Parameter};
use kiln_model::weights;

use self::events::Events;
use self::messages::Value;
use super::clock::Clock;
use super::format::{About, ExportError, Group, Language, Needs, Source, Take};
use super::name::file_stem;
use super::rows::{Figure, all_steps, beside_steps, of_step};
use super::zip::{Parts, Zip};
use crate::run::Run;

/// What there is to know of the file.
pub const ABOUT: About = About {
    ending: ".tensorboard.zip",
    group: Group::Tools,
    needs: Needs::Nothing,
    contents: "Every measurement, curves, weights and settings",
    opens_with: "TensorBoard",
    media_type: "application/zip",
    language: Language::Shell,
    // Where the run's own folder is shown alone it has no name, and hparams finds no results in it.
    snippet: |stem| format!("unzip \"{stem}.tensorboard.zip\" -d runs\ntensorboard --logdir runs"),
};

/// The folder of what training measured.
const TRAIN: &str = "train";

/// The file.
pub fn write(source: &Source, take: &mut Take) -> Result<(), ExportError> {
    let run = source.run;
    let done = Cell::new(0.0);
    let mut zip = Zip::new(Parts::new(take, &done));
    let clock = Clock::new(&run.identity);
    let start = clock.start_secs();
    let stem = file_stem(&run.identity.name);
    // A reader wants `tfevents` in the name, and the time; the rest tells files of one folder apart.
    let name = format!("events.out.tfevents.{:010}.kiln.0.0", start.max(0.0) as u64);
    zip.pack(&format!("{stem}/{name}"), |to| {
        Events::new(to, start)?.add(start, 0, hparams::values(run, &clock)?)
    })?;
    zip.pack(&format!("{stem}/{TRAIN}/{name}"), |to| {
        let mut file = File::new(run, &clock, to)?;
        file.steps(&done)?;
        file.scalars(TRAIN)?;
        file.histograms()
    })?;
    for (part, folder) in [(Part::Validation, "validation"), (Part::Test, "test")] {
        let answers = source.newest(part)?;
        let mut figures = beside_steps(run.history());
        if answers.is_none() && !figures.any(|(_, figures)| are_of(folder, &figures)) {
            continue;
        }
        zip.pack(&format!("{stem}/{folder}/{name}"), |to| {
            let mut file = File::new(run, &clock, to)?;
            file.scalars(folder)?;
            answers.map_or(Ok(()), |(step, answers)| file.answers(step, &answers))
        })?;
    }
    zip.finish()?.finish();
    Ok(())
}

/// The folder and the tag of a series.
fn place(series: &'static str) -> (&'static str, &'static str) {
    series.split_once('/').unwrap_or((TRAIN, series))
}

/// Whether figures that were measured together belong in a folder.
fn are_of(folder: &str, figures: &[Figure]) -> bool {
    figures.iter().any(|(series, _)| place(series).0 == folder)
}

/// A file of one folder of a run.
struct File<'a> {
    run: &'a Run,
    clock: &'a Clock<'a>,
    events: Events<'a>,
}

impl<'a> File<'a> {
    fn new(run: &'a Run, clock: &'a Clock, to: &'a mut dyn Write) -> Result<Self, ExportError> {
        let events = Events::new(to, clock.start_secs())?;
        Ok(Self { run, clock, events })
    }

    fn add(&mut self, moment: &Moment, figures: &[Figure]) -> Result<(), ExportError> {
        let value = |(series, value): &Figure| Value {
            tag: place(series).1.to_owned(),
            simple_value: Some(*value as f32),
            ..Value::default()
        };
        let values = figures.iter().map(value).collect();
        self.events.add(self.clock.at(moment), moment.step, values)
    }

    /// What each step measured.
    fn steps(&mut self, done: &Cell<f64>) -> Result<(), ExportError> {
        let history = self.run.history();
        let total = history.steps.len().max(1) as f64;
        for (place, Measured { moment, value }) in all_steps(history).enumerate() {
            done.set((place as f64 / total).min(1.0));
            self.add(&moment, &of_step(&value))?;
        }
        Ok(())
    }

    /// What was measured beside the steps, as far as it belongs in this folder.
    fn scalars(&mut self, folder: &str) -> Result<(), ExportError> {
        for (moment, figures) in beside_steps(self.run.history()) {
            if are_of(folder, &figures) {
                self.add(&moment, &figures)?;
            }
        }
        Ok(())
    }

    /// The weights that the run began with, its best and its last.
    fn histograms(&mut self) -> Result<(), ExportError> {
        let mut all = vec![(0, weights::initial(self.run.config().seed))];
        if let Some(checkpoint) = self.run.checkpoint() {
            let snapshot = checkpoint.snapshot().map_err(ExportError::of)?;
            let best = snapshot.best;
            all.extend(best.map(|best| (best.measured.moment.step, best.weights.0)));
            all.push((snapshot.weights_step, snapshot.weights.0));
        }
        // The best are often the last.
        all.dedup_by_key(|(step, _)| *step);
        for (step, weights) in all {
            let histogram = |parameter: &Parameter| {
                let values = weights.get(parameter.range()).unwrap_or_default();
                histogram::value(format!("weights/{}", parameter.name), values)
            };
            let values = PARAMETERS.iter().filter_map(histogram).collect();
            self.events.add(self.time_of(step), step, values)?;
        }
        Ok(())
    }

    /// What the network answered after so many steps.
    fn answers(&mut self, step: u32, answers: &Predictions) -> Result<(), ExportError> {
        let mut values = curves::values(answers, &self.run.identity.classes);
        values.push(picture::value(&Confusion::new(answers))?);
        self.events.add(self.time_of(step), step, values)
    }

    /// Seconds since 1970 when so many steps were done.
    fn time_of(&self, step: u32) -> f64 {
        // Steps are counted from 1.
        let place = step.checked_sub(1).map(|place| place as usize);
        let done = place.and_then(|place| self.run.history().steps.get(place));
        done.map_or(self.clock.start_secs(), |done| self.clock.at(&done.moment))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kiln_model::config::Config;
    use kiln_model::event::{Event as Happened, Quality, State, Trained};
    use kiln_model::spec::PARAMETER_COUNT;
    use prost::Message as _;
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::messages::{Event, HParamsData};
    use super::*;
    use crate::export::tests::exported;
    use crate::export::zip::tests::unpacked;
    use crate::parcel::{Answered, Parcel};
    use crate::run::Weights;
    use crate::run::tests::{new_run, scored_run};

    /// The events of every file, by folder.
    fn events(run: &Run, answers: Vec<Answered>) -> BTreeMap<String, Vec<Event>> {
        let file = exported(".tensorboard.zip", run, Weights::Best, answers).unwrap();
        let mut read = BTreeMap::new();
        for (name, file) in unpacked(&file) {
            let (folder, name) = name.rsplit_once('/').unwrap();
            assert_eq!(name, "events.out.tfevents.1795442520.kiln.0.0");
            let (mut events, mut rest) = (Vec::new(), file.as_slice());
            while let Some((length, after)) = rest.split_first_chunk() {
                let (event, after) = after[4..].split_at(u64::from_le_bytes(*length) as usize);
                events.push(Event::decode(event).unwrap());
                rest = &after[4..];
            }
            assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
            read.insert(folder.to_owned(), events);
        }
        read
    }

    /// Every number: seconds since the run was started, step, tag and value.
    fn scalars(events: &[Event]) -> Vec<(f64, i64, &str, f32)> {
        let all = events.iter().flat_map(|event| {
            let values = event.summary.iter().flat_map(|summary| &summary.value);
            let at = event.wall_time - 1_795_442_520.0;
            values.filter_map(move |value| {
                Some((at, event.step, value.tag.as_str(), value.simple_value?))
            })
        });
        all.collect()
    }

    fn tags(event: &Event) -> Vec<&str> {
        let values = event.summary.iter().flat_map(|summary| &summary.value);
        values.map(|value| value.tag.as_str()).collect()
    }

    #[test]
    fn every_measurement_is_in_the_folder_of_its_images() {
        let events = events(&scored_run(), Vec::new());
        assert_eq!(
            events.keys().collect::<Vec<_>>(),
            [
                "amber-bowl-1",
                "amber-bowl-1/test",
                "amber-bowl-1/train",
                "amber-bowl-1/validation"
            ]
        );
        assert_eq!(
            scalars(&events["amber-bowl-1/train"]),
            [
                (0.5, 1, "loss", 2.25),
                (0.5, 1, "accuracy", 0.125),
                (0.5, 1, "learning_rate", 0.001),
                (0.5, 1, "gradient_norm", 3.5),
                (1.0, 2, "loss", 1.5),
                (1.0, 2, "accuracy", 0.5),
                (1.0, 2, "learning_rate", 0.001),
                (1.0, 2, "gradient_norm", 3.5),
                (1.0, 2, "epoch_loss", 1.875),
                (1.0, 2, "epoch_accuracy", 0.3125),
                (1.0, 2, "images_per_s", 800.0),
            ]
        );
        assert_eq!(
            scalars(&events["amber-bowl-1/validation"]),
            [(1.0, 2, "loss", 1.25), (1.0, 2, "accuracy", 0.75)]
        );
        assert_eq!(
            scalars(&events["amber-bowl-1/test"]),
            [(1.0, 2, "loss", 1.0), (1.0, 2, "accuracy", 0.9)]
        );
    }

    #[test]
    fn the_first_the_best_and_the_last_weights_are_there() {
        let events = events(&scored_run(), Vec::new());
        let all = events["amber-bowl-1/train"].iter().rev().take(3);
        let last = PARAMETER_COUNT as f64 - 1.0;
        for (event, (step, most)) in all.zip([(2, Some(7.0)), (1, Some(9.0)), (0, None)]) {
            assert_eq!(event.step, step);
            assert_eq!(tags(event)[5], "weights/fc.bias");
            let value = &event.summary.as_ref().unwrap().value[5];
            let histogram = value.histo.as_ref().unwrap();
            assert_eq!(histogram.num, 10.0);
            let expected = most.map_or(0.0, |divisor| last / divisor);
            assert!((histogram.max - expected).abs() < 1e-3, "{}", histogram.max);
        }
    }

    #[test]
    fn answers_are_shown_where_they_belong() {
        let mut predictions = Predictions::default();
        predictions.add(&[0.0; 10], &[4]).unwrap();
        let answered = Answered {
            part: Part::Test,
            step: 2,
            predictions: predictions.to_bytes(),
        };
        let events = events(&new_run(), vec![answered]);
        assert_eq!(events.len(), 3);
        let last = events["amber-bowl-1/test"].last().unwrap();
        assert_eq!((last.step, tags(last).len()), (2, 11));
        assert_eq!(tags(last)[10], "confusion_matrix");
    }

    #[test]
    fn settings_of_any_run_can_be_compared_and_only_an_ended_one_has_an_end() {
        let data = |run: &Run| {
            let events = events(run, Vec::new());
            let values = events["amber-bowl-1"][1].summary.clone().unwrap().value;
            let plugins = values
                .into_iter()
                .map(|value| value.metadata.unwrap().plugin_data);
            let data = plugins.map(|plugin| {
                let plugin = plugin.unwrap();
                assert_eq!(plugin.plugin_name, "hparams");
                HParamsData::decode(plugin.content.as_slice()).unwrap()
            });
            data.collect::<Vec<_>>()
        };
        let finished = data(&scored_run());
        let experiment = finished[0].experiment.as_ref().unwrap();
        let names: Vec<&str> = experiment
            .hparam_infos
            .iter()
            .map(|info| info.name.as_str())
            .collect();
        assert!(names.contains(&"momentum") && names.contains(&"patience"));
        let start = finished[1].session_start_info.as_ref().unwrap();
        assert_eq!(start.hparams["batch_size"].number_value, Some(128.0));
        assert_eq!(
            start.hparams["optimizer"].string_value.as_deref(),
            Some("adam")
        );
        assert!(!start.hparams.contains_key("momentum"));
        let end = finished[2].session_end_info.unwrap();
        assert_eq!((end.status, end.end_time_secs), (1, 1_795_442_521.0));
        let mut failed = new_run();
        failed.apply(Happened::State(State::Failed));
        assert_eq!(data(&failed)[2].session_end_info.unwrap().status, 2);
        assert_eq!(data(&new_run()).len(), 2);
    }

    #[test]
    fn a_run_that_diverged_says_so() {
        let mut run = new_run();
        let at = Moment {
            step: 1,
            epoch: 0.1,
            images: 128,
            elapsed_secs: 0.5,
        };
        let quality = Quality {
            loss: f64::NAN,
            accuracy: 0.1,
        };
        let trained = Trained {
            quality,
            learning_rate: 0.1,
            gradient_norm: f64::INFINITY,
        };
        run.apply(Happened::Diverged(at, trained));
        let events = events(&run, Vec::new());
        let found = scalars(&events["amber-bowl-1/train"]);
        assert!(found[0].3.is_nan() && found[3].3 == f32::INFINITY);
    }

    #[test]
    fn a_long_run_is_handed_on_while_it_is_written() {
        let mut generator = ChaCha8Rng::seed_from_u64(1);
        let mut run = Run::new(new_run().identity, Config::default(), "data".to_owned());
        for step in 1..=60_000 {
            let at = Moment {
                step,
                epoch: 0.0,
                images: 0,
                elapsed_secs: generator.random(),
            };
            let quality = Quality {
                loss: generator.random(),
                accuracy: generator.random(),
            };
            let trained = Trained {
                quality,
                learning_rate: generator.random(),
                gradient_norm: generator.random(),
            };
            run.apply(Happened::Step(at, trained));
        }
        let parcel = Parcel {
            identity: run.identity.clone(),
            status: run.status(),
            segments: Vec::new(),
            checkpoint: None,
            answers: Vec::new(),
        };
        let source = Source {
            run: &run,
            which: Weights::Best,
            parcel: &parcel,
        };
        let mut parts = Vec::new();
        write(&source, &mut |part, done| parts.push((part.len(), done))).unwrap();
        assert!(parts.len() > 1, "{parts:?}");
        assert!(parts.iter().all(|(length, _)| *length < 2 << 20));
        let (middle, end) = (parts[0].1, parts[parts.len() - 1].1);
        assert!(middle > 0.1 && middle < 1.0 && end == 1.0, "{parts:?}");
    }
}
