//! What the page knows and does: the settings, the worker, the run, the notices.
//!
//! Components read its signals and call its methods; only this file talks to the worker.

use std::collections::HashMap;

use gloo::storage::{LocalStorage, Storage as _};
use gloo::timers::callback::Timeout;
use kiln_model::config::{Config, OutOfRange, Setting};
use kiln_model::event::{Command, Event, State};
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use crate::bridge::Bridge;
use crate::device::{Adapter, Backend, BackendChoice, Chosen, NoGpu, choose, probe};
use crate::protocol::{FromWorker, RunId, ToWorker};
use crate::run::{Run, Status, automatic_name};
use crate::ui::notice::{Notice, Remedy};

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
    /// The trainer broke.
    Crashed,
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
            Self::Crashed => "crashed",
        }
    }

    /// Whether a run is under way, so that its settings are fixed.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Preparing => true,
            Self::Session(state) => !state.has_ended(),
            Self::Loading | Self::Ready | Self::Crashed => false,
        }
    }
}

/// The page's state; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Trainer {
    /// The settings of the next run.
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
    /// The latest run.
    pub run: RwSignal<Option<Run>>,
    /// A start that waits for device and data: whether for a single step.
    waiting: RwSignal<Option<bool>>,
    /// What the person should know.
    pub notices: RwSignal<Vec<Notice>>,
    private: StoredValue<Private, ThisThread>,
}

#[derive(Default)]
struct Private {
    bridge: Option<Bridge>,
    probed: Option<Result<Adapter, NoGpu>>,
    runs: u32,
    /// The run before the one that is preparing; it comes back if that is cancelled.
    before: Option<Run>,
    painted_ms: f64,
    repaint: Option<Timeout>,
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
            run: RwSignal::new(None),
            waiting: RwSignal::new(starts_at_once.then_some(false)),
            notices: RwSignal::new(Vec::new()),
            private: StoredValue::new_local(Private::default()),
        };
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
            _ if self.waiting.get().is_some() => Phase::Preparing,
            Some(Status::Preparing) => Phase::Preparing,
            Some(Status::Session(state)) => Phase::Session(state),
            Some(Status::Crashed) => Phase::Crashed,
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

    /// Changes what the person asks to train on.
    pub fn choose(&self, choice: BackendChoice) {
        self.choice.set(choice);
        self.open_worker();
    }

    /// Starts the worker that fits, unless it is there.
    fn open_worker(&self) {
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
                Remedy::Copy(details),
            )),
        }
    }

    fn send(&self, message: &ToWorker) {
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
        self.waiting.set(Some(single_step));
        self.begin_if_ready();
    }

    fn begin_if_ready(&self) {
        let ready = untrack(|| self.is_ready());
        let Some(single_step) = self.waiting.get_untracked().filter(|_| ready) else {
            return;
        };
        let Some(backend) = untrack(|| self.backend()) else {
            return;
        };
        let config = self.config.get_untracked();
        let number = self.private.with_value(|private| private.runs + 1);
        let run = Run::new(
            RunId(number),
            automatic_name(number),
            config,
            backend,
            self.adapter.get_untracked().map(|adapter| adapter.name),
            js_sys::Date::new_0().to_iso_string().into(),
        );
        self.private.update_value(|private| {
            private.runs = number;
            private.before = self.run.get_untracked();
        });
        self.run.set(Some(run));
        self.waiting.set(None);
        self.send(&ToWorker::Start {
            run: RunId(number),
            config,
            single_step,
        });
    }

    /// Gives up a run that has not done its first step; the run before it comes back.
    pub fn cancel(&self) {
        if self.waiting.get_untracked().is_some() {
            self.waiting.set(None);
            return;
        }
        if let Some(run) = self.open_run() {
            self.send(&ToWorker::Cancel { run });
            let before = self
                .private
                .try_update_value(|private| private.before.take());
            self.run.set(before.flatten());
        }
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

    fn open_run(&self) -> Option<RunId> {
        self.run.with_untracked(|run| {
            run.as_ref()
                .filter(|run| run.status().is_open())
                .map(|run| run.id)
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
                    Remedy::LoadAgain,
                ));
            }
            FromWorker::Happened { run, events } => self.apply(run, events),
            FromWorker::Weights { run, bytes } => self.run.update_untracked(|current| {
                if let Some(current) = current.as_mut().filter(|current| current.id == run) {
                    current.keep_weights(&bytes);
                }
            }),
            FromWorker::RunFailed { run, reason } => {
                if self.open_run() == Some(run) {
                    self.crash(reason);
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

    /// The worker broke: what the run has stays, and the next start gets a new worker.
    fn crash(&self, details: String) {
        self.private.update_value(|private| private.bridge = None);
        self.is_open.set(false);
        self.waiting.set(None);
        let step = self.run.with_untracked(|run| {
            run.as_ref()
                .filter(|run| run.status().is_open())
                .map(Run::steps_done)
        });
        self.run.update(|run| {
            if let Some(run) = run.as_mut().filter(|run| run.status().is_open()) {
                run.crash();
            }
        });
        let text = match step {
            Some(step) => format!(
                "The trainer stopped at step {step}. The figures until then stay; Start begins a new run."
            ),
            None => "The trainer stopped. Start begins with a new one.".to_owned(),
        };
        self.notify(Notice::problem(text, Remedy::Copy(details)));
    }

    fn apply(&self, id: RunId, events: Vec<Event>) {
        if self.open_run() != Some(id) {
            return;
        }
        let mut at_once = false;
        self.run.update_untracked(|run| {
            let Some(run) = run else { return };
            for event in events {
                at_once |= matches!(event, Event::State(_));
                run.apply(event);
            }
        });
        self.tell_what_ended();
        self.paint(at_once);
    }

    /// Called for every message of a run: looks without copying the run's history.
    fn tell_what_ended(&self) {
        let ended = self.run.with_untracked(|run| {
            let run = run.as_ref().filter(|run| !run.status().is_open())?;
            Some((
                run.backend,
                run.config,
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
        if let Some(diverged) = diverged {
            let rate = config.learning_rate;
            let what = if diverged.value.is_nan() {
                "NaN"
            } else {
                "infinite"
            };
            self.notify(Notice::problem(
                format!(
                    "Loss became {what} at step {}; the learning rate ({rate}) is probably too high.",
                    diverged.moment.step
                ),
                Remedy::RestartWith((rate / 10.0).max(Setting::LearningRate.range().0)),
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

    /// Seconds that the settings will take, from speeds seen before; training alone.
    pub fn estimated_secs(&self, config: &Config) -> Option<f64> {
        let rate = remembered_speed(self.backend()?, config.batch_size)?;
        let plan = config.plan();
        Some(plan.images_after(plan.total_steps()) as f64 / rate)
    }
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
