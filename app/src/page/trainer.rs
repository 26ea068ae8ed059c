//! What the page knows and does: the settings, the worker, the run, the notices.
//!
//! Components read its signals and call its methods; only this file talks to the worker.

use std::collections::HashMap;

use gloo::events::EventListener;
use gloo::timers::callback::{Interval, Timeout};
use kiln_model::config::{Config, Edit, OutOfRange, Setting};
use kiln_model::event::{Command, Event, Score, State};
use kiln_model::history::History;
use kiln_model::preset::Preset;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use crate::browser::bridge::Bridge;
use crate::browser::lock::{Alive, Patience, is_alive};
use crate::browser::remembered;
use crate::browser::store::{Kept, KeptAnswers, StoreError};
use crate::browser::tab::Awake;
use crate::pace::Pace;
use crate::page::examiner::Examiner;
use crate::page::library::Library;
use crate::page::notice::{Answer, Notice, Remedy};
use crate::page::recovery::{Watch, in_another_tab};
use crate::page::sources::Sources;
use kiln_run::device::{Adapter, Backend, BackendChoice, Chosen, NoGpu, Speeds};
use kiln_run::format;
use kiln_run::protocol::{DataSummary, FromWorker, RunId, ToWorker};
use kiln_run::record::Record;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::identity::{NOTES_LETTERS, rarest_colour};
use kiln_run::run::names::{NAME_LETTERS, cut, unused_name};
use kiln_run::run::{Identity, Run, Status};

/// Shortest time between two looks of lists at the open run.
const LIST_INTERVAL_MS: f64 = 1_000.0;

/// How far the data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// Bytes so far, of all.
    Bytes(u64, u64),
    /// All there.
    Done,
    /// Given up after so many bytes.
    Failed(u64),
}

/// What the page is doing; `data-state` of the document, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Device or data are not there yet.
    Loading,
    /// A run can start.
    Ready,
    /// A run was asked for; its first step is not done.
    Preparing,
    /// The session's own state.
    Session(State),
    /// The run can go on from its last checkpoint.
    Interrupted,
}

impl Phase {
    /// The word for `data-state` and for the screen reader.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Preparing => "preparing",
            Self::Session(State::Running) => "running",
            Self::Session(State::Paused) => "paused",
            Self::Session(State::Finishing) => "finishing",
            Self::Session(State::Stopped) => "stopped",
            Self::Session(State::Finished) => "finished",
            Self::Session(State::Failed) => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether a run is under way, so that its settings are fixed.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Preparing => true,
            Self::Session(state) => !state.has_ended(),
            Self::Loading | Self::Ready | Self::Interrupted => false,
        }
    }
}

/// The page's state; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Trainer {
    /// The settings of the next run, or of the open one.
    pub config: RwSignal<Config>,
    /// Settings as typed that are outside their ranges.
    pub invalid: RwSignal<HashMap<Setting, OutOfRange>>,
    /// What the person asks to train on.
    pub choice: RwSignal<BackendChoice>,
    /// Workers that train together on the CPU; nothing for as many as there are cores.
    pub workers: RwSignal<Option<u32>>,
    /// What is trained on; nothing until the probe has answered.
    pub chosen: RwSignal<Option<Chosen>>,
    /// The graphics adapter in use.
    pub adapter: RwSignal<Option<Adapter>>,
    /// Whether the worker's device is open.
    pub is_open: RwSignal<bool>,
    /// How far the data is.
    pub loading: RwSignal<Loading>,
    /// What the backends were measured at.
    pub speeds: RwSignal<Speeds>,
    /// The latest run.
    pub run: RwSignal<Option<Run>>,
    /// What waits for device and data.
    pub(super) pending: RwSignal<Option<Pending>>,
    /// Runs that follow the open one, the next first.
    pub queue: RwSignal<Vec<Queued>>,
    /// Whether the settings are those of the next run while one is open.
    pub is_drafting: RwSignal<bool>,
    /// All runs that are kept.
    pub library: Library,
    /// Answers questions about data and networks.
    pub examiner: Examiner,
    /// What the data is; nothing until it is loaded.
    pub data: RwSignal<Option<DataSummary>>,
    /// Which data is used, and which could be.
    pub sources: Sources,
    /// The run whose checkpoint arrived last, and its step.
    pub kept: RwSignal<Option<(RunId, u32)>>,
    pub(super) private: StoredValue<Private, ThisThread>,
}

/// A run that waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// Its settings.
    pub config: Config,
    /// Its name, where it has one already.
    pub name: Option<&'static str>,
}

/// What is to begin as soon as device and data are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// A new run, or one step of it, under a name of its own or an automatic one.
    New {
        single_step: bool,
        name: Option<&'static str>,
    },
    /// The shown run, from its last checkpoint.
    Resume { paused: bool },
}

#[derive(Default)]
pub(super) struct Private {
    pub(super) bridge: Option<Bridge>,
    /// A worker on the GPU that is only timed, and its adapter once it is open.
    pub(super) rival: Option<(Bridge, Option<Adapter>)>,
    /// The settings of the next run while others are shown.
    draft: Option<Config>,
    listed_ms: f64,
    /// The run that another tab would like to go on with.
    pub(super) wanted_by_other: Option<RunId>,
    /// The run that this tab would like to go on with.
    pub(super) wanted: Option<RunId>,
    pub(super) probed: Option<Result<Adapter, NoGpu>>,
    /// The run before the one that is preparing; it comes back if that is cancelled.
    before: Option<Run>,
    pace: Pace,
    repaint: Option<Timeout>,
    /// Held while a run is open here.
    pub(super) alive: Option<Alive>,
    /// The run of which the lock was asked for.
    claimed: Option<RunId>,
    pub(super) awake: Option<Awake>,
    pub(super) watch: Watch,
    pub(super) ticks: Option<Interval>,
    pub(super) listener: Option<EventListener>,
}

impl Trainer {
    /// A page that knows nothing yet; asks for a GPU and starts the worker that fits.
    pub fn start(starts_at_once: bool) -> Self {
        let trainer = Self {
            config: RwSignal::new(Config::default()),
            invalid: RwSignal::new(HashMap::new()),
            choice: RwSignal::new(BackendChoice::Auto),
            workers: RwSignal::new(remembered::workers()),
            chosen: RwSignal::new(None),
            adapter: RwSignal::new(None),
            is_open: RwSignal::new(false),
            loading: RwSignal::new(Loading::Bytes(0, kiln_model::mnist::GZIP_BYTES)),
            speeds: RwSignal::new(Speeds::default()),
            run: RwSignal::new(None),
            pending: RwSignal::new(starts_at_once.then_some(Pending::New {
                single_step: false,
                name: None,
            })),
            queue: RwSignal::new(Vec::new()),
            is_drafting: RwSignal::new(false),
            library: Library::new(),
            examiner: Examiner::new(),
            data: RwSignal::new(None),
            sources: Sources::new(),
            kept: RwSignal::new(None),
            private: StoredValue::new_local(Private::default()),
        };
        trainer.watch_over();
        // What is no longer asked for cannot be wrong.
        Effect::new(move |_| {
            let config = trainer.config.get();
            trainer
                .invalid
                .update(|invalid| invalid.retain(|setting, _| setting.is_used_by(&config)));
        });
        wasm_bindgen_futures::spawn_local(trainer.open_library());
        wasm_bindgen_futures::spawn_local(async move {
            trainer.look_for_gpu().await;
            trainer.open_worker();
        });
        trainer
    }

    /// What the page is doing.
    pub fn phase(&self) -> Phase {
        let status = self.run.with(|run| run.as_ref().map(Run::status));
        match status {
            _ if self.pending.get().is_some() => Phase::Preparing,
            Some(Status::Preparing) => Phase::Preparing,
            Some(Status::Session(state)) => Phase::Session(state),
            Some(Status::Interrupted) => Phase::Interrupted,
            None if self.is_ready() => Phase::Ready,
            None => Phase::Loading,
        }
    }

    /// Whether device and data are there.
    pub fn is_ready(&self) -> bool {
        self.is_open.get() && self.loading.get() == Loading::Done
    }

    /// Takes a preset's settings.
    pub fn take_preset(&self, preset: Preset) {
        self.config.set(preset.config());
        self.invalid.update(|invalid| invalid.clear());
    }

    pub(super) fn send(&self, message: &ToWorker) {
        let sent = self.private.with_value(|private| {
            private
                .bridge
                .as_ref()
                .map_or(Ok(()), |bridge| bridge.send(message))
        });
        if let Err(details) = sent {
            self.crash(details);
        }
    }

    /// Begins a run with the settings, as soon as device and data are there.
    pub fn begin(&self, single_step: bool) {
        if self.invalid.with_untracked(|invalid| !invalid.is_empty()) {
            return;
        }
        self.ask_for(Pending::New {
            single_step,
            name: None,
        });
    }

    /// Begins something as soon as device and data are there.
    fn ask_for(&self, pending: Pending) {
        if self.private.with_value(|private| private.bridge.is_none()) {
            self.open_worker();
        }
        self.pending.set(Some(pending));
        // The machine is the run's alone.
        self.private.update_value(|private| private.rival = None);
        self.begin_if_ready();
    }

    /// Adds the settings to the runs that wait.
    pub fn queue_settings(&self) {
        if self.invalid.with_untracked(HashMap::is_empty) {
            let config = self.config.get_untracked();
            self.queue
                .update(|queue| queue.push(Queued { config, name: None }));
        }
    }

    /// Trains the course's two runs one after the other, with the training images and the seed
    /// that are set now.
    pub fn run_course(&self) {
        let set = self.config.get_untracked();
        let runs = [
            (Preset::CourseRun1, "course-run-1"),
            (Preset::CourseRun2, "course-run-2"),
        ];
        let queued = runs.map(|(preset, name)| Queued {
            config: Config {
                training_images: set.training_images,
                seed: set.seed,
                ..preset.config()
            },
            name: Some(name),
        });
        self.queue.update(|queue| queue.extend(queued));
        if !untrack(|| self.phase()).is_open() {
            self.begin_next();
        }
    }

    /// Begins the run that waits at the head of the queue.
    pub fn begin_next(&self) {
        let next = self
            .queue
            .try_update(|queue| (!queue.is_empty()).then(|| queue.remove(0)));
        if let Some(Queued { config, name }) = next.flatten() {
            self.begin_with(config, name);
        }
    }

    /// Begins a run with other settings than the person has set.
    fn begin_with(&self, config: Config, name: Option<&'static str>) {
        if self.is_drafting.get_untracked() {
            // What was set for the next run is there again when its settings are shown.
            let draft = self.config.get_untracked();
            self.private
                .update_value(|private| private.draft = Some(draft));
        }
        self.config.set(config);
        self.invalid.update(HashMap::clear);
        self.ask_for(Pending::New {
            single_step: false,
            name,
        });
    }

    /// Shows the settings of the next run while one is open, or again those of the open one.
    pub fn draft_next(&self, is_drafting: bool) {
        let shown = self.config.get_untracked();
        let private = self.private;
        if is_drafting {
            let draft = private.try_update_value(|private| private.draft.take());
            self.is_drafting.set(true);
            self.config.set(draft.flatten().unwrap_or(shown));
        } else {
            private.update_value(|private| private.draft = Some(shown));
            self.is_drafting.set(false);
            self.show_settings();
        }
        self.invalid.update(HashMap::clear);
    }

    fn begin_if_ready(&self) {
        let ready = untrack(|| self.is_ready());
        let Some(pending) = self.pending.get_untracked().filter(|_| ready) else {
            return;
        };
        let Some(backend) = untrack(|| self.backend()) else {
            return;
        };
        self.is_drafting.set(false);
        self.pending.set(None);
        self.private.update_value(|private| private.watch.restart());
        match pending {
            Pending::New { single_step, name } => self.start_new(backend, single_step, name),
            Pending::Resume { paused } => self.resume_shown(backend, paused),
        }
    }

    fn start_new(&self, backend: Backend, single_step: bool, name: Option<&'static str>) {
        self.fit_settings();
        let config = self.config.get_untracked();
        let digits = (1_000.0 * js_sys::Math::random()).floor();
        let id = RunId((1_000.0 * js_sys::Date::now() + digits) as u64);
        let (name, colour) = self.library.records.with_untracked(|records| {
            let taken = |name: &str| records.iter().any(|run| run.identity.name == name);
            let colours = records.iter().map(|run| run.identity.colour);
            (
                unused_name(name, records.len() as u32 + 1, taken),
                rarest_colour(colours),
            )
        });
        let identity = Identity {
            id,
            name,
            backend,
            adapter: self.adapter.get_untracked().map(|adapter| adapter.name),
            started_at: js_sys::Date::new_0().to_iso_string().into(),
            colour,
            tags: Vec::new(),
            notes: String::new(),
            data_name: self.sources.used.get_untracked().name,
            taken_up: Vec::new(),
        };
        self.private
            .update_value(|private| private.before = self.run.get_untracked());
        self.put_on_shelf();
        let data = self.data.get_untracked().map(|data| data.hash);
        let run = Run::new(identity, config, data.unwrap_or_default());
        self.run.set(Some(run));
        self.private
            .update_value(|private| private.alive = Alive::of_new(id));
        self.list();
        self.library.set_shown(id, true);
        self.send(&ToWorker::Start {
            run: id,
            config,
            single_step,
        });
    }

    /// Lowers what the data has too few images for, and says so.
    fn fit_settings(&self) {
        let mut config = self.config.get_untracked();
        let data = self.data.get_untracked();
        if let Some(data) = data.filter(|data| data.training_images < config.training_images) {
            let name = self.sources.used.get_untracked().name;
            let images = format::count(data.training_images.into());
            self.notify(Notice::info(format!(
                "Only {images} training images in {name}; training images set to {images}."
            )));
            config.training_images = data.training_images;
        }
        let plan = config.plan();
        if plan.batch_size < config.batch_size {
            self.notify(Notice::info(format!(
                "Only {} training images; batch size set to {}.",
                plan.images_per_epoch, plan.batch_size
            )));
            config.batch_size = plan.batch_size;
        }
        self.config.set(config);
    }

    /// Leaves the run that was shown until now to the charts, as one of many.
    pub(super) fn put_on_shelf(&self) {
        self.run.with_untracked(|run| {
            if let Some(run) = run.as_ref().filter(|run| run.steps_done() > 0) {
                self.library.remember(run);
            }
        });
    }

    /// Shows a kept run as the one to go on with, to download or to evaluate.
    pub fn look_at(&self, id: RunId) {
        let trainer = *self;
        if self.open_run().is_some() || self.shown_id() == Some(id) {
            return;
        }
        self.library.with_store(move |store| async move {
            let mut run = store.run(id).await?;
            if is_alive(id).await.map_err(StoreError::Refused)? {
                trainer.notify(in_another_tab(id));
                return Ok(());
            }
            trainer.tell_damage(&run);
            if run.status().is_open() {
                run.interrupt();
            }
            if trainer.open_run().is_none() {
                trainer.put_on_shelf();
                trainer.run.set(Some(run));
                trainer.library.set_shown(id, true);
                trainer.show_settings();
            }
            Ok(())
        });
    }

    /// What `make` makes of the names and histories of runs, as far as they are there.
    pub fn with_histories<T>(
        &self,
        ids: &[RunId],
        make: impl FnOnce(&[(String, &History)]) -> T,
    ) -> T {
        self.run.with_untracked(|run| {
            self.library.histories.with_untracked(|histories| {
                let shown = run.as_ref();
                let history = |id: &RunId| {
                    let record = self.library.record_untracked(*id)?;
                    let history = match shown.filter(|run| run.identity.id == *id) {
                        Some(run) => run.history(),
                        None => histories.get(id)?,
                    };
                    Some((record.identity.name, history))
                };
                make(&ids.iter().filter_map(history).collect::<Vec<_>>())
            })
        })
    }

    /// The run that is shown, open or not.
    pub fn shown_id(&self) -> Option<RunId> {
        self.run
            .with_untracked(|run| run.as_ref().map(|run| run.identity.id))
    }

    /// Changes what a person says of a run: its name, colour, tags or notes.
    pub fn relabel(&self, id: RunId, change: impl Fn(&mut Identity)) {
        let change = |identity: &mut Identity| {
            change(identity);
            identity.name = cut(&identity.name, NAME_LETTERS).to_owned();
            identity.notes = cut(&identity.notes, NOTES_LETTERS).to_owned();
        };
        if self.shown_id() == Some(id) {
            self.run.update(|run| {
                if let Some(run) = run {
                    change(&mut run.identity);
                }
            });
        }
        self.library.edit(id, change);
    }

    /// Gives a run another name, with a number behind it where another run has that name; an empty
    /// one changes nothing.
    pub fn rename(&self, id: RunId, name: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        let given = self.library.records.with_untracked(|records| {
            let others = records.iter().filter(|run| run.identity.id != id);
            unused_name(Some(name), 0, |name| {
                others.clone().any(|run| run.identity.name == name)
            })
        });
        if given != cut(name, NAME_LETTERS) {
            self.notify(Notice::info(format!(
                "Another run is called {name}; this one is {given}."
            )));
        }
        self.relabel(id, |identity| identity.name.clone_from(&given));
    }

    /// Deletes a run that no tab trains; for ten seconds it can be brought back.
    pub fn delete(&self, id: RunId) {
        if untrack(|| self.is_busy_with(id)) {
            return;
        }
        let Some(record) = self.library.record_untracked(id) else {
            return;
        };
        let trainer = *self;
        let delete = move || {
            if trainer.shown_id() == Some(id) {
                trainer.run.set(None);
            }
            trainer.library.delete(vec![id]);
        };
        let elsewhere = format!(
            "Another tab is training {}. Stop it there first.",
            record.identity.name
        );
        self.unless_elsewhere(id, Notice::info(elsewhere), delete);
    }

    fn resume_shown(&self, backend: Backend, paused: bool) {
        let adapter = self.adapter.get_untracked().map(|adapter| adapter.name);
        let data_name = self.sources.used.get_untracked().name;
        self.run.update(|run| {
            if let Some(run) = run {
                run.rewind();
                if run.is_of_older_arithmetic() {
                    self.notify(Notice::info(format!(
                        "{} was begun by an older Kiln. From step {} on its losses differ in the last \
                         digits from what that one would have computed.",
                        run.identity.name,
                        run.steps_done()
                    )));
                }
                run.identity.data_name = data_name;
                run.identity.backend = backend;
                run.identity.adapter = adapter;
            }
        });
        let message = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            let reopened = run.reopened();
            let file = run.checkpoint().map(|kept| kept.file.clone());
            let (config, run) = (*run.config(), run.identity.id);
            Some(match file {
                Some(checkpoint) => ToWorker::Resume {
                    run,
                    checkpoint,
                    reopened,
                },
                None => ToWorker::Start {
                    run,
                    config,
                    single_step: false,
                },
            })
        });
        if let Some(message) = message {
            self.send(&message);
        }
        if paused {
            self.tell(Command::Pause);
        }
    }

    /// Goes on with the shown run from its last checkpoint, as soon as device and data are there.
    pub fn resume(&self) {
        self.resume_as(false, Patience::None);
    }

    pub(super) fn resume_as(&self, paused: bool, patience: Patience) {
        let trainer = *self;
        self.with_shown_as_its_own(patience, move || {
            trainer
                .private
                .update_value(|private| private.before = None);
            trainer.ask_for(Pending::Resume { paused });
        });
    }

    /// Does something with the shown run once its data is there and no other tab can train it.
    fn with_shown_as_its_own(&self, patience: Patience, act: impl FnOnce() + 'static) {
        let (trainer, shown) = (*self, self.shown_id());
        let damaged = self.run.with_untracked(|run| {
            let run = run.as_ref().filter(|run| run.damage().is_some());
            run.map(|run| run.identity.name.clone())
        });
        if let Some(name) = damaged {
            return self.notify(Notice::info(format!(
                "{name} cannot go on: a part of what happened in it cannot be read. Its settings \
                 can begin another run."
            )));
        }
        self.with_data_of_run(move || {
            if let Some(id) = shown.filter(|id| trainer.shown_id() == Some(*id)) {
                trainer.claim(id, patience, act);
            }
        });
    }

    /// Does something once the lock of the shown run is this tab's, however long device and data
    /// take from then on.
    fn claim(&self, id: RunId, patience: Patience, act: impl FnOnce() + 'static) {
        let (private, trainer) = (self.private, *self);
        // A run that goes on in a new worker has its lock still.
        if private.with_value(|private| private.alive.is_some()) {
            return act();
        }
        if private.with_value(|private| private.claimed == Some(id)) {
            return;
        }
        private.update_value(|private| private.claimed = Some(id));
        wasm_bindgen_futures::spawn_local(async move {
            let claim = Alive::claim(id, patience).await;
            private.update_value(|private| private.claimed = None);
            match claim {
                // Something else was begun or looked at meanwhile.
                _ if trainer.shown_id() != Some(id) || untrack(|| trainer.phase()).is_open() => {}
                Ok(Some(alive)) => {
                    private.update_value(|private| private.alive = Some(alive));
                    act();
                }
                Ok(None) => trainer.notify(in_another_tab(id)),
                Err(reason) => trainer.library.tell_storage(StoreError::Refused(reason)),
            }
        });
    }

    /// Goes on with the shown run on the CPU.
    pub fn resume_on_cpu(&self) {
        self.choose(BackendChoice::Cpu);
        self.resume();
    }

    /// Whether the ended run has steps left with the epochs that are set now.
    pub fn can_continue(&self) -> bool {
        let epochs = self.config.with(|config| config.epochs);
        self.run.with(|run| {
            run.as_ref()
                .is_some_and(|run| run.steps_left(epochs) > 0 && run.damage().is_none())
        })
    }

    /// Goes on with the ended run, up to the epochs that are set now.
    pub fn continue_ended(&self) {
        let epochs = self.config.with_untracked(|config| config.epochs);
        let trainer = *self;
        self.with_shown_as_its_own(Patience::None, move || {
            // It comes back as it was where the person thinks better of it.
            let ended = trainer.run.get_untracked();
            trainer
                .private
                .update_value(|private| private.before = ended);
            trainer.run.update(|run| {
                if let Some(run) = run {
                    run.reopen(epochs);
                }
            });
            trainer.ask_for(Pending::Resume { paused: false });
        });
    }

    /// Ends the interrupted run as far as it got.
    pub fn keep_interrupted(&self) {
        let trainer = *self;
        let Some(id) = self.shown_id() else {
            return;
        };
        let keep = move || {
            if trainer.shown_id() != Some(id) {
                return;
            }
            trainer.run.update(|run| {
                if let Some(run) = run {
                    run.close();
                }
            });
            trainer.list();
            trainer.store_run();
        };
        self.unless_elsewhere(id, in_another_tab(id), keep);
    }

    /// Keeps a score that was found out after a run had ended, of its weights of a step.
    pub fn take_score(&self, id: RunId, step: u32, score: Score) {
        if self.shown_id() == Some(id) {
            let taken = self.run.try_update(|run| {
                let run = run.as_mut();
                run.is_some_and(|run| run.take_score(step, score))
            });
            if taken == Some(true) {
                self.list();
                self.store_run();
            }
            return;
        }
        let library = self.library;
        library.with_store(move |store| async move {
            let mut run = store.run(id).await?;
            if run.take_score(step, score) {
                library.remember(&run);
                library.show(Record::of(&run));
                library.keep(Kept::run(&run), id);
            }
            Ok(())
        });
    }

    /// Forgets the interrupted run.
    pub fn delete_interrupted(&self) {
        if let Some(id) = self.shown_id() {
            self.delete(id);
        }
    }

    /// Gives up a run that has not done its first step: one that had ended is again as it was, and
    /// of a new one the run before it comes back.
    pub fn cancel(&self) {
        let pending = self.pending.get_untracked();
        self.pending.set(None);
        let open = self.open_run();
        if pending.is_none()
            && let Some(run) = open
        {
            self.send(&ToWorker::Cancel { run });
        }
        let before = self
            .private
            .try_update_value(|private| private.before.take());
        let before = before.flatten();
        let shown = self.shown_id();
        match (pending, open) {
            (None, None) | (Some(Pending::New { .. }), _) => {}
            _ if before.as_ref().map(|run| run.identity.id) == shown => {
                self.let_go();
                self.run.set(before);
                self.list();
            }
            // A run that has begun once is interrupted still.
            (Some(Pending::Resume { .. }), _) => self.interrupt(),
            (None, Some(_)) if self.run.with_untracked(has_checkpoint) => self.interrupt(),
            (None, Some(run)) => {
                self.let_go();
                self.library.hide(run);
                self.run.set(before);
            }
        }
        self.measure();
    }

    /// Nobody trains the shown run any more: its lock and the screen's are given back.
    fn let_go(&self) {
        self.private.update_value(|private| {
            private.alive = None;
            private.awake = None;
        });
    }

    pub(super) fn interrupt(&self) {
        self.run.update(|run| {
            if let Some(run) = run {
                run.interrupt();
            }
        });
        self.list();
        self.let_go();
        self.measure();
    }

    /// Tells the open run something.
    pub fn tell(&self, command: Command) {
        if let Some(run) = self.open_run() {
            self.send(&ToWorker::Tell { run, command });
        }
    }

    /// Loads the data again.
    pub fn load_again(&self) {
        self.loading.set(Loading::Bytes(0, self.sources.bytes()));
        self.send(&self.opening());
    }

    /// Changes a setting of the open run from its next step on.
    pub fn edit(&self, edit: Edit) {
        self.tell(Command::Edit(edit));
    }

    /// Whether a run is open here, or about to go on.
    pub fn is_busy_with(&self, id: RunId) -> bool {
        let goes_on = matches!(self.pending.get(), Some(Pending::Resume { .. }));
        self.run.with(|run| {
            let run = run.as_ref().filter(|run| run.identity.id == id);
            run.is_some_and(|run| goes_on || run.status().is_open())
        })
    }

    pub(super) fn open_run(&self) -> Option<RunId> {
        self.run.with_untracked(|run| {
            run.as_ref()
                .filter(|run| run.status().is_open())
                .map(|run| run.identity.id)
        })
    }

    /// Shows a notice, once.
    pub fn notify(&self, notice: Notice) {
        self.library.notify(notice);
    }

    pub(super) fn receive(&self, message: FromWorker) {
        let is_busy = matches!(
            untrack(|| self.phase()),
            Phase::Preparing | Phase::Session(State::Running | State::Finishing)
        );
        self.private
            .update_value(|private| private.watch.heard(is_busy));
        match message {
            FromWorker::Ready => {}
            FromWorker::Opened { adapter } => {
                self.adapter.set(adapter);
                self.is_open.set(true);
                self.begin_if_ready();
                self.measure();
            }
            FromWorker::Unfit { reason } => self.refuse_gpu(reason),
            FromWorker::Loading {
                loaded_bytes,
                total_bytes,
            } => self.loading.set(Loading::Bytes(loaded_bytes, total_bytes)),
            FromWorker::Loaded { data } => {
                self.data.set(Some(data));
                self.loading.set(Loading::Done);
                self.begin_if_ready();
                self.measure();
            }
            FromWorker::Timed { images_per_sec } => self.timed(images_per_sec),
            FromWorker::LoadFailed {
                loaded_bytes,
                reason,
            } => {
                self.loading.set(Loading::Failed(loaded_bytes));
                let used = self.sources.used.get_untracked();
                self.notify(if used.is_mnist() {
                    Notice::problem(
                        format!(
                            "MNIST stopped loading at {:.1} MB. {reason}",
                            loaded_bytes as f64 / 1e6
                        ),
                        [Remedy::LoadAgain, Remedy::ChooseFiles],
                    )
                } else {
                    Notice::problem(
                        format!("{} could not be read: {reason}.", used.name),
                        [Remedy::ChooseFiles],
                    )
                });
            }
            FromWorker::Happened { run, events } => self.apply(run, events),
            FromWorker::Kept { run, checkpoint } => {
                if self.open_run() == Some(run) {
                    match Checkpoint::new(checkpoint) {
                        Ok(checkpoint) => self.keep(run, checkpoint),
                        Err(error) => self.crash(error.to_string()),
                    }
                }
            }
            FromWorker::Measured {
                run,
                moment,
                part,
                predictions,
            } => self.library.keep_answers(KeptAnswers {
                run,
                part,
                step: moment.step,
                predictions,
            }),
            // Questions are asked of another worker.
            FromWorker::Answering { .. }
            | FromWorker::Answered { .. }
            | FromWorker::Checked { .. } => {}
            FromWorker::RunFailed { run, reason } => {
                if self.open_run() == Some(run) {
                    self.interrupt();
                    self.notify(Notice::problem(
                        format!("The run cannot go on: {reason}."),
                        [],
                    ));
                }
            }
            FromWorker::Fatal { details } => self.crash(details),
        }
    }

    /// Takes in where the open run is.
    fn keep(&self, id: RunId, checkpoint: Checkpoint) {
        let step = checkpoint.outline.step;
        self.run.update_untracked(|run| {
            if let Some(run) = run {
                run.keep(checkpoint);
            }
        });
        self.kept.set(Some((id, step)));
        self.store_run();
        self.hand_over();
        // A run that pauses is kept after it said so.
        self.paint(false);
    }

    fn apply(&self, id: RunId, events: Vec<Event>) {
        if self.open_run() != Some(id) {
            return;
        }
        let mut state = None;
        let mut is_edited = false;
        self.run.update_untracked(|run| {
            let Some(run) = run else { return };
            for event in events {
                match event {
                    Event::State(next) => state = Some(next),
                    Event::Edited(..) => is_edited = true,
                    Event::EditRefused(_, edit) => {
                        is_edited = true;
                        self.notify(Notice::info(format!(
                            "{} came too late: training of {} is over, and its settings stay.",
                            edit.describe(),
                            run.identity.name
                        )));
                    }
                    _ => {}
                }
                run.apply(event);
            }
        });
        if is_edited && !self.is_drafting.get_untracked() {
            self.show_settings();
        }
        if let Some(state) = state {
            self.follow(state);
        }
        self.paint(state.is_some());
    }

    /// Sets the rail to the settings of the shown run.
    pub(super) fn show_settings(&self) {
        let config = self
            .run
            .with_untracked(|run| run.as_ref().map(|run| *run.config()));
        if let Some(config) = config {
            self.config.set(config);
        }
    }

    /// What a new state asks of the tab: the screen stays on while a run runs, and a run that has
    /// ended is let go.
    fn follow(&self, state: State) {
        self.list();
        if state == State::Running {
            self.run.update_untracked(|run| {
                if let Some(run) = run {
                    run.take_up(js_sys::Date::now());
                }
            });
        }
        if !state.has_ended() {
            return self.stay_awake();
        }
        self.let_go();
        self.tell_what_ended();
        self.store_run();
        // A run that failed asks first what is to become of it.
        if state != State::Failed {
            self.begin_next();
        }
        self.is_drafting.set(false);
        self.measure();
    }

    fn tell_what_ended(&self) {
        let ended = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            Some((
                run.identity.backend,
                *run.config(),
                run.images_per_sec(),
                run.failure(),
            ))
        });
        let Some((backend, config, images_per_sec, failure)) = ended else {
            return;
        };
        if let Some(rate) = images_per_sec {
            remembered::remember_speed(backend, config.batch_size, rate);
        }
        if let Some(failure) = failure {
            let rate = config.learning_rate;
            self.ask_what_becomes(
                format!("{failure}; the learning rate ({rate}) is probably too high."),
                &[Answer::RestartWith(tenth_of(rate)), Answer::KeepAsFailed],
                None,
            );
        }
    }

    /// Begins again with the settings of the shown run, but for the learning rate.
    pub(super) fn restart_with(&self, learning_rate: f64) {
        let config = self
            .run
            .with_untracked(|run| run.as_ref().map(|run| *run.config()));
        if let Some(config) = config {
            self.begin_with(
                Config {
                    learning_rate,
                    ..config
                },
                None,
            );
        }
    }

    /// Lets the components see the run, when its [`Pace`] allows it unless `at_once`.
    fn paint(&self, at_once: bool) {
        let now = js_sys::Date::now();
        let wait = self.private.with_value(|private| private.pace.wait_ms(now));
        let trainer = *self;
        if at_once || wait <= 0.0 {
            self.private.update_value(|private| {
                private.pace.begin(now);
                private.repaint = None;
            });
            self.run.notify();
            // What depends on the run is done before the next task, and the frame is painted
            // between a callback that comes before it and the task after that.
            self.spend_until_next_task();
            request_animation_frame(move || trainer.spend_until_next_task());
            let listed_ms = self.private.with_value(|private| private.listed_ms);
            if now - listed_ms >= LIST_INTERVAL_MS {
                self.list();
            }
        } else {
            self.private.update_value(|private| {
                private.repaint.get_or_insert_with(|| {
                    Timeout::new(wait.ceil() as u32, move || trainer.paint(true))
                });
            });
        }
    }

    /// Counts the time from now to the next task as painting.
    fn spend_until_next_task(&self) {
        let (private, start) = (self.private, js_sys::Date::now());
        Timeout::new(0, move || {
            private.update_value(|private| private.pace.spend(js_sys::Date::now() - start));
        })
        .forget();
    }

    /// Lets lists show the run as it is now.
    fn list(&self) {
        let record = self.run.with_untracked(|run| run.as_ref().map(Record::of));
        if let Some(record) = record {
            self.private
                .update_value(|private| private.listed_ms = js_sys::Date::now());
            self.library.show(record);
        }
    }
}

fn has_checkpoint(run: &Option<Run>) -> bool {
    run.as_ref().is_some_and(|run| run.checkpoint().is_some())
}

/// A tenth of a learning rate as a person would write it, at least the smallest there is.
fn tenth_of(rate: f64) -> f64 {
    let rounded: f64 = format!("{:.4e}", rate / 10.0)
        .parse()
        .unwrap_or(rate / 10.0);
    rounded.max(Setting::LearningRate.range().0)
}
