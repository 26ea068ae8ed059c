//! `kiln train`.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use kiln_model::checkpoint::{self, Snapshot};
use kiln_model::config::{Config, Edit};
use kiln_model::event::Command;
use kiln_model::train::driver;
use kiln_model::train::session::{ReadBack, Session, TrainError};
use kiln_model::train::threads::Threads;
use kiln_run::device::Backend;
use kiln_run::id::RunId;
use kiln_run::import::archive::Unpacked;
use kiln_run::parcel::Parcel;
use kiln_run::run::identity::COLOURS;
use kiln_run::run::names::{NAME_LETTERS, cut};
use kiln_run::run::{Identity, Run};
use kiln_run::set::{self, SetError};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::arguments::Train;
use crate::attempt::Attempt;
use crate::data::{self, Data};
use crate::device::{self, Opened};
use crate::error::CliError;
use crate::input::{self, Input, Settings};
use crate::output::Output;
use crate::report::Report;
use crate::terminal::tell;

/// What is asked of every run.
pub struct Wanted<'a> {
    /// The folder that takes what comes of it.
    pub out: &'a Path,
    /// Settings that are said beside it.
    pub pairs: Vec<(&'a str, &'a str)>,
    /// The images.
    pub data: Data,
    /// What computes.
    pub device: Opened,
    /// Whether it is told as JSON.
    pub is_json: bool,
    /// Comes to true once the process is to end.
    pub stop: Arc<AtomicBool>,
}

/// What became of what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The run was trained, to its end or until the process was to end.
    Trained,
    /// There was nothing left to do.
    Over,
}

/// A run that is about to be trained.
struct Ready {
    run: Run,
    /// What was kept of it before.
    kept: Option<Parcel>,
    commands: VecDeque<Command>,
}

/// Trains what the files ask for, one run after the other.
///
/// # Errors
/// A file that asks for nothing, a setting that cannot be, a run that does not get to its end; what it
/// left is there. Of several runs one that fails stops no other.
pub fn train(arguments: &Train) -> Result<(), CliError> {
    let pairs = arguments.settings.iter().map(|text| set::pair(text));
    let pairs = pairs.collect::<Result<_, _>>()?;
    let mut inputs = Vec::new();
    for file in &arguments.files {
        inputs.extend(input::read(file)?);
    }
    let threads = arguments.threads.map_or_else(device::threads, usize::from);
    let wanted = Wanted {
        out: &arguments.out,
        pairs,
        data: data::load(&arguments.data)?,
        device: device::open(arguments.device, threads)?,
        is_json: arguments.json,
        stop: listen()?,
    };
    let (all, mut failed) = (inputs.len(), 0);
    for (index, input) in inputs.into_iter().enumerate() {
        if wanted.stop.load(Ordering::Relaxed) {
            tell(format_args!(
                "{} of {all} runs were not begun.",
                all - index
            ));
            break;
        }
        match one(&wanted, input) {
            Err(error) if all > 1 => {
                tell(format_args!("error: {error}"));
                failed += 1;
            }
            outcome => drop(outcome?),
        }
    }
    match failed {
        0 => Ok(()),
        _ => Err(CliError::Some { failed, all }),
    }
}

/// Comes to true once the process is to end. What else a system may say, such as that a terminal has
/// gone, does as whoever started it wants.
///
/// # Errors
/// A system that does not say so.
pub fn listen() -> Result<Arc<AtomicBool>, CliError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        flag::register(signal, Arc::clone(&stop))
            .map_err(|error| CliError::Signals(error.to_string()))?;
    }
    Ok(stop)
}

/// Trains what one file asks for.
///
/// # Errors
/// A setting that cannot be, a place that is taken, a run that does not get to its end; what it left is
/// there.
pub fn one(wanted: &Wanted, input: Input) -> Result<Outcome, CliError> {
    let mut config = match &input {
        Input::Run(run) => run.record.config,
        Input::Settings(settings) => settings.config,
    };
    // Before anything is put anywhere.
    set::all(&mut config, wanted.pairs.iter().copied())?;
    let name = match &input {
        Input::Run(run) => run.record.identity.name.clone(),
        Input::Settings(settings) => cut(&settings.name, NAME_LETTERS).to_owned(),
    };
    let output = Output::take(wanted.out, &name)?;
    let there = output.there()?;
    let ready = match input {
        Input::Run(run) => go_on(wanted, *run, there, &output)?,
        Input::Settings(settings) => {
            let settings = Settings { config, ..settings };
            begin(wanted, &name, settings, there, &output)?
        }
    };
    let Some(Ready {
        mut run,
        kept,
        commands,
    }) = ready
    else {
        tell(format_args!(
            "{name} is over already: {}.",
            output.path().display()
        ));
        return Ok(Outcome::Over);
    };
    run.identity.backend = Backend::Native;
    run.identity.adapter = Some(wanted.device.words.clone());
    run.identity.data_name.clone_from(&wanted.data.name);
    if kept.is_none() {
        run.identity.classes = wanted.data.classes.clone();
    }
    let mut session = session(wanted, &run)?;
    let report = Report::new(wanted.is_json, &run);
    let fault = &wanted.device.fault;
    let mut attempt = Attempt::new(run, kept, commands, output, report, &wanted.stop, fault);
    let driven = pollster::block_on(driver::drive(&mut session, &mut attempt));
    // Whatever happened, what it came to is left.
    let ended = attempt.end();
    driven.map_err(|reason| failed(&name, reason))?;
    if let Some(reason) = fault.get() {
        return Err(failed(&name, TrainError::Device(reason.clone())));
    }
    ended.map(|()| Outcome::Trained)
}

/// A run to begin with these settings, or to go on with where it was begun; nothing where it is over.
fn begin(
    wanted: &Wanted,
    name: &str,
    settings: Settings,
    there: Vec<Unpacked>,
    output: &Output,
) -> Result<Option<Ready>, CliError> {
    let Settings {
        config, data, tags, ..
    } = settings;
    let hash = data.unwrap_or_else(|| wanted.data.images.hash().to_owned());
    check_data(wanted, name, &hash)?;
    if there.is_empty() {
        let run = Run::new(identity(wanted, name, tags), config, hash);
        return Ok(Some(Ready {
            run,
            kept: None,
            commands: VecDeque::new(),
        }));
    }
    // Of how long it is to be alone may be said something else.
    let same = there.into_iter().find(|run| {
        let asked = Config {
            epochs: run.record.config.epochs,
            ..config
        };
        run.record.config == asked
    });
    let same = same.ok_or_else(|| CliError::InTheWay {
        path: output.path().to_owned(),
    })?;
    take_up(
        wanted,
        same,
        &[("epochs", &config.epochs.to_string())],
        true,
    )
}

/// A run to go on with, from where it is furthest; nothing where it is over.
fn go_on(
    wanted: &Wanted,
    run: Unpacked,
    there: Vec<Unpacked>,
    output: &Output,
) -> Result<Option<Ready>, CliError> {
    if let Some((key, _)) = wanted.pairs.iter().find(|(key, _)| !is_free(key)) {
        return Err(SetError::Settled {
            key: (*key).to_owned(),
        }
        .into());
    }
    let id = run.record.identity.id;
    let is_empty = there.is_empty();
    let there = there
        .into_iter()
        .find(|there| there.record.identity.id == id);
    match there {
        Some(there) if reached(&there) >= reached(&run) => {
            // What is asked for may be what it came to.
            let is_done = !run.record.status.has_ended() || !wanted.pairs.is_empty();
            take_up(wanted, there, &wanted.pairs, is_done)
        }
        None if !is_empty => Err(CliError::InTheWay {
            path: output.path().to_owned(),
        }),
        _ => take_up(wanted, run, &wanted.pairs, false),
    }
}

/// The step of a run's checkpoint, from which it goes on.
fn reached(run: &Unpacked) -> u32 {
    let file = run.parcel.checkpoint.as_ref();
    let outline = file.and_then(|file| checkpoint::outline(file).ok());
    outline.map_or(0, |outline| outline.step)
}

/// A run as it goes on, with these settings. One that has ended does so for more epochs alone, and a
/// failed one at a lower learning rate; of another there is nothing to do, which is right where
/// `is_done` is what was asked for.
fn take_up(
    wanted: &Wanted,
    from: Unpacked,
    pairs: &[(&str, &str)],
    is_done: bool,
) -> Result<Option<Ready>, CliError> {
    let Unpacked { record, parcel, .. } = from;
    let name = record.identity.name.clone();
    check_data(wanted, &name, &record.data)?;
    let mut run = parcel
        .read()
        .map_err(|_| CliError::Damaged { name: name.clone() })?;
    let has_ended = run.status().has_ended();
    if !has_ended {
        run.rewind();
    }
    let before = *run.config();
    let mut config = before;
    set::all(&mut config, pairs.iter().copied())?;
    if has_ended {
        let is_calmer = config.learning_rate < before.learning_rate;
        let failure = run.failure().filter(|_| !is_calmer);
        if let Some(reason) = failure {
            return Err(CliError::Diverged { name, reason });
        }
        let is_longer = config.epochs > before.epochs || run.failure().is_some();
        if !is_longer || run.steps_left(config.epochs) == 0 {
            return if is_done {
                Ok(None)
            } else {
                Err(CliError::Over {
                    name,
                    done: run.steps_done() / run.plan().steps_per_epoch,
                    asked: before.epochs,
                })
            };
        }
        run.reopen(config.epochs);
    }
    let now = *run.config();
    let mut edits = Vec::new();
    if !has_ended && config.epochs != now.epochs {
        edits.push(Edit::Epochs(config.epochs));
    }
    if config.learning_rate != now.learning_rate {
        edits.push(Edit::LearningRate(config.learning_rate));
    }
    if config.patience != now.patience {
        edits.push(Edit::Patience(config.patience));
    }
    Ok(Some(Ready {
        run,
        kept: Some(parcel),
        commands: edits.into_iter().map(Command::Edit).collect(),
    }))
}

/// Whether a run that goes on may have another of it.
fn is_free(key: &str) -> bool {
    matches!(key, "epochs" | "learning_rate" | "patience")
}

fn check_data(wanted: &Wanted, name: &str, hash: &str) -> Result<(), CliError> {
    let found = wanted.data.images.hash();
    if found == hash {
        return Ok(());
    }
    Err(CliError::OtherData {
        name: name.to_owned(),
        wanted: hash.to_owned(),
        found: found.to_owned(),
    })
}

/// What a new run is known by.
fn identity(wanted: &Wanted, name: &str, tags: Vec<String>) -> Identity {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    // Browsers write milliseconds, and no more.
    let micros = now.as_micros() as u64;
    let nanos = i128::from(micros / 1_000) * 1_000_000;
    let started =
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Identity {
        id: RunId(micros),
        name: name.to_owned(),
        backend: Backend::Native,
        adapter: None,
        // Every date of this calendar can be written so.
        started_at: started.format(&Rfc3339).unwrap_or_default(),
        colour: (micros % COLOURS.len() as u64) as usize,
        tags,
        notes: String::new(),
        data_name: wanted.data.name.clone(),
        classes: wanted.data.classes.clone(),
        taken_up: Vec::new(),
    }
}

/// The session that goes on with the run, or begins it.
fn session(wanted: &Wanted, run: &Run) -> Result<Session, CliError> {
    let name = &run.identity.name;
    let images = &wanted.data.images;
    let snapshot = match run.checkpoint() {
        Some(kept) => {
            let snapshot = kept.snapshot();
            let mut snapshot = snapshot.map_err(|_| CliError::Damaged { name: name.clone() })?;
            if let Some(epochs) = run.reopened() {
                snapshot = snapshot.reopened();
                let longer = Edit::Epochs(epochs).apply(&mut snapshot.config);
                longer.map_err(|error| failed(name, error.into()))?;
            }
            snapshot
        }
        None => Snapshot::initial(*run.config(), images.hash().to_owned()),
    };
    let split = images.split_for(&snapshot.config);
    let device = &wanted.device;
    let session = Session::resume(
        snapshot,
        images,
        device.place.clone(),
        ReadBack::of(&device.place),
    );
    let mut session = session.map_err(|reason| failed(name, reason))?;
    if let Some(threads) = device.threads {
        session.employ(Box::new(Threads::new(split, threads)));
    }
    Ok(session)
}

fn failed(name: &str, reason: TrainError) -> CliError {
    CliError::Training {
        name: name.to_owned(),
        reason,
    }
}
