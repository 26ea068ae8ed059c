//! What the page knows and does: the settings, the worker, the run, the notices.
//!
//! Components read its signals and call its methods; only this file talks to the worker.

use std::collections::HashMap;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::storage::{LocalStorage, Storage as _};
use gloo::timers::callback::{Interval, Timeout};
use kiln_model::config::{Config, Edit, OutOfRange, Setting};
use kiln_model::event::{Command, Event, State};
use kiln_model::history::Measured;
use kiln_model::preset::Preset;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use crate::bridge::Bridge;
use crate::device::{Adapter, Backend, BackendChoice, Chosen, NoGpu, choose, probe};
use crate::protocol::{FromWorker, RunId, ToWorker};
use crate::run::{Identity, Run, Status, automatic_name};
use crate::store::Store;
use crate::tab::{Alive, Awake};
use crate::ui::notice::{Notice, Remedy};
use crate::ui::recovery::Watch;

/// Shortest time between two paintings of a run's figures.
const PAINT_INTERVAL_MS: f64 = 100.0;

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
    /// What is trained on; nothing until the probe has answered.
    pub chosen: RwSignal<Option<Chosen>>,
    /// The graphics adapter in use.
    pub adapter: RwSignal<Option<Adapter>>,
    /// Whether the worker's device is open.
    pub is_open: RwSignal<bool>,
    /// How far the data is.
    pub loading: RwSignal<Loading>,
    /// Images a second of the worker's warm-up, and what it trains on.
    timed: RwSignal<Option<(Backend, f64)>>,
    /// The latest run.
    pub run: RwSignal<Option<Run>>,
    /// What waits for device and data.
    pub(super) pending: RwSignal<Option<Pending>>,
    /// What the person should know.
    pub notices: RwSignal<Vec<Notice>>,
    pub(super) private: StoredValue<Private, ThisThread>,
}

/// What is to begin as soon as device and data are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pending {
    /// A new run, or one step of it.
    New { single_step: bool },
    /// The shown run, from its last checkpoint.
    Resume { paused: bool },
}

#[derive(Default)]
pub(super) struct Private {
    pub(super) bridge: Option<Bridge>,
    probed: Option<Result<Adapter, NoGpu>>,
    pub(super) runs: u32,
    /// The run before the one that is preparing; it comes back if that is cancelled.
    before: Option<Run>,
    painted_ms: f64,
    repaint: Option<Timeout>,
    pub(super) store: Option<Rc<Store>>,
    /// Held while a run is open here.
    pub(super) alive: Option<Alive>,
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
            chosen: RwSignal::new(None),
            adapter: RwSignal::new(None),
            is_open: RwSignal::new(false),
            loading: RwSignal::new(Loading::Bytes(0, kiln_model::mnist::GZIP_BYTES)),
            timed: RwSignal::new(None),
            run: RwSignal::new(None),
            pending: RwSignal::new(starts_at_once.then_some(Pending::New { single_step: false })),
            notices: RwSignal::new(Vec::new()),
            private: StoredValue::new_local(Private::default()),
        };
        trainer.watch_over();
        wasm_bindgen_futures::spawn_local(trainer.find_interrupted());
        wasm_bindgen_futures::spawn_local(async move {
            let probed = probe().await;
            trainer
                .private
                .update_value(|private| private.probed = Some(probed));
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

    /// What is trained on, once it is known.
    pub fn backend(&self) -> Option<Backend> {
        self.chosen
            .with(|chosen| chosen.as_ref().map(|chosen| chosen.backend))
    }

    /// Takes a preset's settings.
    pub fn take_preset(&self, preset: Preset) {
        self.config.set(preset.config());
        self.invalid.update(|invalid| invalid.clear());
    }

    /// Changes what the person asks to train on.
    pub fn choose(&self, choice: BackendChoice) {
        self.choice.set(choice);
        self.open_worker();
    }

    /// Starts the worker that fits, unless it is there.
    pub(super) fn open_worker(&self) {
        let Some(probed) = self.private.with_value(|private| private.probed.clone()) else {
            return;
        };
        let chosen = choose(self.choice.get_untracked(), &probed);
        let before = self.chosen.get_untracked();
        let has_worker = self.private.with_value(|private| private.bridge.is_some());
        if let Some(reason) = &chosen.reason {
            self.notify(Notice::info(reason.to_string()));
        }
        let is_other = before.is_none_or(|before| before.backend != chosen.backend);
        let backend = chosen.backend;
        self.chosen.set(Some(chosen));
        if is_other || !has_worker {
            self.start_worker(backend);
        }
    }

    fn start_worker(&self, backend: Backend) {
        self.private.update_value(|private| private.bridge = None);
        self.is_open.set(false);
        self.adapter.set(None);
        self.loading
            .set(Loading::Bytes(0, kiln_model::mnist::GZIP_BYTES));
        let trainer = *self;
        match Bridge::start(backend, move |message| trainer.receive(message)) {
            Ok(bridge) => {
                self.private
                    .update_value(|private| private.bridge = Some(bridge));
                self.send(&ToWorker::Open);
            }
            Err(details) => self.notify(Notice::problem(
                "The trainer could not be started.",
                [Remedy::Copy(details)],
            )),
        }
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
        let plan = self.config.get_untracked().plan();
        if plan.batch_size < self.config.get_untracked().batch_size {
            self.config
                .update(|config| config.batch_size = plan.batch_size);
            self.notify(Notice::info(format!(
                "Only {} training images; batch size set to {}.",
                plan.images_per_epoch, plan.batch_size
            )));
        }
        if self.private.with_value(|private| private.bridge.is_none()) {
            self.open_worker();
        }
        self.pending.set(Some(Pending::New { single_step }));
        self.begin_if_ready();
    }

    fn begin_if_ready(&self) {
        let ready = untrack(|| self.is_ready());
        let Some(pending) = self.pending.get_untracked().filter(|_| ready) else {
            return;
        };
        let Some(backend) = untrack(|| self.backend()) else {
            return;
        };
        self.pending.set(None);
        self.private.update_value(|private| private.watch.restart());
        match pending {
            Pending::New { single_step } => self.start_new(backend, single_step),
            Pending::Resume { paused } => self.resume_shown(backend, paused),
        }
        let id = self.open_run();
        self.private
            .update_value(|private| private.alive = id.and_then(Alive::new));
    }

    fn start_new(&self, backend: Backend, single_step: bool) {
        let config = self.config.get_untracked();
        let number = self.private.with_value(|private| private.runs + 1);
        let digits = (1_000.0 * js_sys::Math::random()).floor();
        let identity = Identity {
            id: RunId((1_000.0 * js_sys::Date::now() + digits) as u64),
            name: automatic_name(number),
            backend,
            adapter: self.adapter.get_untracked().map(|adapter| adapter.name),
            started_at: js_sys::Date::new_0().to_iso_string().into(),
        };
        let run = identity.id;
        self.private.update_value(|private| {
            private.runs = number;
            private.before = self.run.get_untracked();
        });
        self.run.set(Some(Run::new(identity, config)));
        self.send(&ToWorker::Start {
            run,
            config,
            single_step,
        });
    }

    fn resume_shown(&self, backend: Backend, paused: bool) {
        let adapter = self.adapter.get_untracked().map(|adapter| adapter.name);
        self.run.update(|run| {
            if let Some(run) = run {
                run.rewind();
                run.identity.backend = backend;
                run.identity.adapter = adapter;
            }
        });
        let message = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            let snapshot = run
                .checkpoint()
                .map(|checkpoint| Box::new(checkpoint.snapshot.clone()));
            let (config, run) = (*run.config(), run.identity.id);
            Some(match snapshot {
                Some(snapshot) => ToWorker::Resume { run, snapshot },
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
        self.resume_as(false);
    }

    pub(super) fn resume_as(&self, paused: bool) {
        if self.private.with_value(|private| private.bridge.is_none()) {
            self.open_worker();
        }
        self.pending.set(Some(Pending::Resume { paused }));
        self.begin_if_ready();
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
                .is_some_and(|run| run.steps_left(epochs) > 0 && run.checkpoint().is_some())
        })
    }

    /// Goes on with the ended run, up to the epochs that are set now.
    pub fn continue_ended(&self) {
        let epochs = self.config.with_untracked(|config| config.epochs);
        self.run.update(|run| {
            if let Some(run) = run {
                run.reopen(epochs);
            }
        });
        self.resume();
    }

    /// Ends the interrupted run as far as it got.
    pub fn keep_interrupted(&self) {
        self.run.update(|run| {
            if let Some(run) = run {
                run.close();
            }
        });
        self.store_run();
    }

    /// Forgets the interrupted run.
    pub fn delete_interrupted(&self) {
        let Some(run) = self.run.get_untracked() else {
            return;
        };
        self.run.set(None);
        self.with_store(move |store| async move { store.forget(&run.identity).await });
    }

    /// Gives up a run that has not done its first step; the run before it comes back.
    pub fn cancel(&self) {
        if let Some(pending) = self.pending.get_untracked() {
            self.pending.set(None);
            // A resumed run that never began is still interrupted.
            if matches!(pending, Pending::Resume { .. }) {
                self.interrupt();
            }
            return;
        }
        if let Some(run) = self.open_run() {
            self.send(&ToWorker::Cancel { run });
            self.private.update_value(|private| private.alive = None);
            let before = self
                .private
                .try_update_value(|private| private.before.take());
            if self.run.with_untracked(has_checkpoint) {
                self.interrupt();
            } else {
                self.run.set(before.flatten());
            }
        }
    }

    pub(super) fn interrupt(&self) {
        self.run.update(|run| {
            if let Some(run) = run {
                run.interrupt();
            }
        });
        self.private.update_value(|private| {
            private.alive = None;
            private.awake = None;
        });
    }

    /// Tells the open run something.
    pub fn tell(&self, command: Command) {
        if let Some(run) = self.open_run() {
            self.send(&ToWorker::Tell { run, command });
        }
    }

    /// Loads the data again.
    pub fn load_again(&self) {
        self.loading
            .set(Loading::Bytes(0, kiln_model::mnist::GZIP_BYTES));
        self.send(&ToWorker::Open);
    }

    /// Changes a setting of the open run from its next step on.
    pub fn edit(&self, edit: Edit) {
        self.tell(Command::Edit(edit));
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
        self.notices.update(|notices| {
            if !notices.contains(&notice) {
                notices.push(notice);
            }
        });
    }

    /// Takes a notice away.
    pub fn dismiss(&self, notice: &Notice) {
        self.notices
            .update(|notices| notices.retain(|shown| shown != notice));
    }

    fn receive(&self, message: FromWorker) {
        let is_busy = matches!(
            untrack(|| self.phase()),
            Phase::Session(State::Running | State::Finishing)
        );
        self.private
            .update_value(|private| private.watch.heard(is_busy));
        match message {
            FromWorker::Ready => {}
            FromWorker::Opened { adapter } => {
                self.adapter.set(adapter);
                self.is_open.set(true);
                self.begin_if_ready();
            }
            FromWorker::Unfit { reason } => self.fall_back(reason),
            FromWorker::Loading {
                loaded_bytes,
                total_bytes,
            } => self.loading.set(Loading::Bytes(loaded_bytes, total_bytes)),
            FromWorker::Loaded => {
                self.loading.set(Loading::Done);
                self.begin_if_ready();
            }
            FromWorker::Timed { images_per_sec } => {
                if let Some(backend) = untrack(|| self.backend()) {
                    self.timed.set(Some((backend, images_per_sec)));
                }
            }
            FromWorker::LoadFailed {
                loaded_bytes,
                reason,
            } => {
                self.loading.set(Loading::Failed(loaded_bytes));
                self.notify(Notice::problem(
                    format!(
                        "MNIST stopped loading at {:.1} MB. {reason}",
                        loaded_bytes as f64 / 1e6
                    ),
                    [Remedy::LoadAgain],
                ));
            }
            FromWorker::Happened { run, events } => self.apply(run, events),
            FromWorker::Kept { run, snapshot } => {
                if self.open_run() == Some(run) {
                    self.run.update_untracked(|current| {
                        if let Some(current) = current {
                            current.keep(*snapshot);
                        }
                    });
                    self.store_run();
                }
            }
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

    fn fall_back(&self, reason: String) {
        let reason = NoGpu::Refused(reason);
        self.notify(Notice::info(reason.to_string()));
        self.private
            .update_value(|private| private.probed = Some(Err(reason.clone())));
        self.chosen.set(Some(Chosen {
            backend: Backend::Cpu,
            reason: Some(reason),
        }));
        self.start_worker(Backend::Cpu);
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
                    _ => {}
                }
                run.apply(event);
            }
        });
        if is_edited {
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
        if state.has_ended() {
            self.private.update_value(|private| {
                private.alive = None;
                private.awake = None;
            });
            self.tell_what_ended();
            self.store_run();
        } else {
            self.stay_awake();
        }
    }

    fn tell_what_ended(&self) {
        let ended = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            Some((
                run.identity.backend,
                *run.config(),
                run.images_per_sec(),
                run.diverged(),
            ))
        });
        let Some((backend, config, images_per_sec, diverged)) = ended else {
            return;
        };
        if let Some(rate) = images_per_sec {
            remember_speed(backend, config.batch_size, rate);
        }
        if let Some(Measured { moment, value }) = diverged {
            let (what, figure) = if value.quality.loss.is_finite() {
                ("The gradient norm", value.gradient_norm)
            } else {
                ("Loss", value.quality.loss)
            };
            let became = if figure.is_nan() { "NaN" } else { "infinite" };
            let rate = config.learning_rate;
            self.notify(Notice::problem(
                format!(
                    "{what} became {became} at step {}; the learning rate ({rate}) is probably too high.",
                    moment.step
                ),
                [
                    Remedy::RestartWith(tenth_of(rate)),
                    Remedy::KeepAsFailed,
                ],
            ));
        }
    }

    /// Begins again with another learning rate.
    pub fn restart_with(&self, learning_rate: f64) {
        self.config
            .update(|config| config.learning_rate = learning_rate);
        self.begin(false);
    }

    /// Lets the components see the run, at most ten times a second unless `at_once`.
    fn paint(&self, at_once: bool) {
        let now = js_sys::Date::now();
        let wait = self
            .private
            .with_value(|private| private.painted_ms + PAINT_INTERVAL_MS - now);
        let trainer = *self;
        if at_once || wait <= 0.0 {
            self.private.update_value(|private| {
                private.painted_ms = now;
                private.repaint = None;
            });
            self.run.notify();
        } else {
            self.private.update_value(|private| {
                private.repaint.get_or_insert_with(|| {
                    Timeout::new(wait.ceil() as u32, move || trainer.paint(true))
                });
            });
        }
    }

    /// Seconds that the settings will take, from the speed of a run before or else of the
    /// warm-up; training alone.
    pub fn estimated_secs(&self, config: &Config) -> Option<f64> {
        let backend = self.backend()?;
        let timed = self.timed.get().filter(|(timed, _)| *timed == backend);
        let rate = remembered_speed(backend, config.batch_size).or(timed.map(|(_, rate)| rate))?;
        let plan = config.plan();
        Some(plan.images_after(plan.total_steps()) as f64 / rate)
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

fn speed_key(backend: Backend, batch_size: u32) -> String {
    format!("kiln.images_per_sec.{}.{batch_size}", backend.label())
}

/// Speeds only serve an estimate: where the browser keeps nothing there is no estimate.
fn remember_speed(backend: Backend, batch_size: u32, images_per_sec: f64) {
    for key in [speed_key(backend, batch_size), speed_key(backend, 0)] {
        drop(LocalStorage::set(key, images_per_sec));
    }
}

fn remembered_speed(backend: Backend, batch_size: u32) -> Option<f64> {
    LocalStorage::get(speed_key(backend, batch_size))
        .or_else(|_| LocalStorage::get(speed_key(backend, 0)))
        .ok()
        .filter(|rate: &f64| *rate > 0.0)
}
