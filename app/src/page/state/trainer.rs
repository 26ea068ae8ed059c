//! What the page knows: the run, the settings, the trainer, the data; a handle that is copied about.
//!
//! Components read its signals and call its methods. The other files of this folder are those
//! methods, one concern each; what becomes of the run is decided in [`kiln_run::life`] alone.

use std::collections::HashMap;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::{Interval, Timeout};
use kiln_model::config::{Config, OutOfRange, Setting};
use kiln_model::event::State;
use kiln_model::history::History;
use leptos::prelude::*;
use leptos::reactive::owner::LocalStorage as ThisThread;

use super::examiner::Examiner;
use super::health::Health;
use super::library::Library;
use super::notice::Notice;
use super::sources::Sources;
use crate::browser::bridge::{self, Bridge};
use crate::browser::lock::{Alive, Patience};
use crate::browser::native;
use crate::browser::remembered;
use crate::browser::tab::Awake;
use crate::pace::Pace;
use kiln_run::device::{Adapter, BackendChoice, Chosen, NoGpu, Speeds};
use kiln_run::import::archive::Unpacked;
use kiln_run::life::{Activity, Rest, Stage};
use kiln_run::order::{Order, Queued, Turn};
use kiln_run::protocol::{DataSummary, RunId, ToWorker};
use kiln_run::run::Run;

/// Looks after a sweep: is told when a turn is theirs, and says whether it was taken.
pub type Sweeper = Rc<dyn Fn(Turn) -> bool>;

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
    fn of(stage: Stage, is_ready: bool) -> Self {
        match stage {
            Stage::Empty if is_ready => Self::Ready,
            Stage::Empty => Self::Loading,
            Stage::AwaitingNew(..) | Stage::AwaitingOld(..) | Stage::Preparing(..) => {
                Self::Preparing
            }
            Stage::Resting(_, rest) | Stage::Claiming(_, rest, _) => match rest {
                Rest::Interrupted => Self::Interrupted,
                Rest::Stopped => Self::Session(State::Stopped),
                Rest::Finished => Self::Session(State::Finished),
                Rest::Failed => Self::Session(State::Failed),
            },
            Stage::Open(_, activity) => Self::Session(match activity {
                Activity::Running => State::Running,
                Activity::Paused => State::Paused,
                Activity::Finishing => State::Finishing,
            }),
        }
    }

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

    /// Whether steps follow one another.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Session(State::Running | State::Finishing))
    }
}

/// The page's state; a handle that is copied about.
#[derive(Clone, Copy)]
pub struct Trainer {
    /// The settings of the next run.
    pub next: RwSignal<Config>,
    /// The settings of the open run, as a person sets them under way.
    pub under_way: RwSignal<Config>,
    /// Whether the rail shows the settings of the next run while one is open.
    pub is_drafting: RwSignal<bool>,
    /// The settings that the rail shows.
    pub config: Memo<Config>,
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
    /// Where the run is.
    pub(super) stage: RwSignal<Stage>,
    /// The run that is shown.
    pub run: RwSignal<Option<Run>>,
    /// Runs that follow the open one, the next first.
    pub queue: RwSignal<Vec<Queued>>,
    /// Whether a sweep takes its turns.
    pub is_sweeping: RwSignal<bool>,
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

/// What nobody is shown.
#[derive(Default)]
pub(super) struct Private {
    pub(super) bridge: Option<Bridge>,
    /// A worker on the GPU that is only timed, and its adapter once it is open.
    pub(super) rival: Option<(Bridge, Option<Adapter>)>,
    /// Whether the code that trains and keeps did not arrive.
    pub(super) is_incomplete: bool,
    pub(super) probed: Option<Result<Adapter, NoGpu>>,
    /// The new run that was asked for.
    pub(super) order: Order,
    /// Who looks after the sweep that is under way.
    pub(super) sweeper: Option<Sweeper>,
    /// Whether a person has set the next run's settings while one was open.
    pub(super) has_draft: bool,
    /// The run before the new one; it is shown again if that is cancelled.
    pub(super) before: Option<Run>,
    /// How long the lock is waited for that is asked for next.
    pub(super) patience: Patience,
    /// The run that another tab would like to go on with.
    pub(super) wanted_by_other: Option<RunId>,
    /// The run that this tab would like to go on with.
    pub(super) wanted: Option<RunId>,
    /// Held while a run is open here.
    pub(super) alive: Option<Alive>,
    pub(super) awake: Option<Awake>,
    pub(super) health: Health,
    /// What is known of why the trainer broke last.
    pub(super) crash: String,
    /// Runs out of an archive that are here in another state: a person is asked what becomes of them.
    pub(super) offered: Vec<Unpacked>,
    /// Messages about runs that are not open, which changed nothing.
    pub(super) strays: u32,
    pub(super) pace: Pace,
    pub(super) repaint: Option<Timeout>,
    pub(super) listed_ms: f64,
    pub(super) ticks: Option<Interval>,
    pub(super) listener: Option<EventListener>,
}

impl Trainer {
    /// A page that knows nothing yet; asks for a GPU and starts the worker that fits.
    pub fn start(starts_at_once: bool) -> Self {
        let (next, under_way) = (
            RwSignal::new(Config::default()),
            RwSignal::new(Config::default()),
        );
        let is_drafting = RwSignal::new(false);
        let stage = RwSignal::new(Stage::default());
        let config = Memo::new(move |_| {
            if stage.get().is_busy() && !is_drafting.get() {
                under_way.get()
            } else {
                next.get()
            }
        });
        let trainer = Self {
            next,
            under_way,
            is_drafting,
            config,
            invalid: RwSignal::new(HashMap::new()),
            // Whoever starts a trainer beside the page means it to be used.
            choice: RwSignal::new(match native::relay() {
                Some(_) => BackendChoice::Native,
                None => BackendChoice::Auto,
            }),
            workers: RwSignal::new(remembered::workers()),
            chosen: RwSignal::new(None),
            adapter: RwSignal::new(None),
            is_open: RwSignal::new(false),
            loading: RwSignal::new(Loading::Bytes(0, kiln_model::mnist::GZIP_BYTES)),
            speeds: RwSignal::new(Speeds::default()),
            stage,
            run: RwSignal::new(None),
            queue: RwSignal::new(Vec::new()),
            is_sweeping: RwSignal::new(false),
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
        if starts_at_once {
            trainer.begin(false);
        }
        wasm_bindgen_futures::spawn_local(trainer.open_library());
        wasm_bindgen_futures::spawn_local(async move {
            match bridge::arrive().await {
                Ok(()) => {
                    trainer.look_for_gpu().await;
                    trainer.open_worker();
                }
                Err(_) => {
                    trainer
                        .private
                        .update_value(|private| private.is_incomplete = true);
                    trainer.say_incomplete();
                }
            }
        });
        trainer
    }

    /// What the page is doing.
    pub fn phase(&self) -> Phase {
        Phase::of(self.stage.get(), self.is_ready())
    }

    /// Whether a new run was asked for and waits for device and data.
    pub fn awaits_new(&self) -> bool {
        matches!(self.stage.get(), Stage::AwaitingNew(..))
    }

    /// Whether the run is being scored.
    pub fn is_scoring(&self) -> bool {
        self.run
            .with(|run| run.as_ref().is_some_and(Run::is_scoring))
    }

    /// Whether device and data are there.
    pub fn is_ready(&self) -> bool {
        self.is_open.get() && self.loading.get() == Loading::Done
    }

    /// Whether a run is open here, or about to go on.
    pub fn is_busy_with(&self, id: RunId) -> bool {
        self.stage.get().locked() == Some(id)
    }

    /// The run that is open here, or about to go on.
    pub fn open_run(&self) -> Option<RunId> {
        self.stage.get_untracked().locked()
    }

    /// The run that is shown, open or not.
    pub fn shown_id(&self) -> Option<RunId> {
        self.run
            .with_untracked(|run| run.as_ref().map(|run| run.identity.id))
    }

    /// Changes the run that is shown, if it is this one; nothing is painted yet.
    pub(super) fn change<T>(&self, id: RunId, change: impl FnOnce(&mut Run) -> T) -> Option<T> {
        let changed = self.run.try_update_untracked(|run| {
            let run = run.as_mut().filter(|run| run.identity.id == id);
            run.map(change)
        });
        changed.flatten()
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

    /// Shows a notice, once.
    pub fn notify(&self, notice: Notice) {
        self.library.notify(notice);
    }
}
