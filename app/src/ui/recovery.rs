//! What keeps a run through mishaps: a trainer that breaks or falls silent, a tab that is closed,
//! hidden or put to sleep, storage that is full or not there.

use std::future::Future;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Interval;
use kiln_model::event::State;
use leptos::prelude::*;

use super::notice::{Notice, Remedy};
use super::trainer::{Pending, Phase, Trainer};
use crate::device::Backend;
use crate::protocol::ToWorker;
use crate::run::Status;
use crate::store::{Store, StoreError};
use crate::tab::{Awake, is_alive};

/// Time between two looks at the trainer.
const TICK_MS: u32 = 1_000;
/// A trainer is broken that says nothing for so long, or for `SILENT_STEPS` of its longest steps.
const SILENT_MS: f64 = 20_000.0;
const SILENT_STEPS: f64 = 10.0;
/// Between ticks that are further apart, the tab was frozen: silence then says nothing.
const FROZEN_MS: f64 = 5_000.0;
/// Hidden tabs tick once a minute; one that ticks later has slept.
const SLEPT_MS: f64 = 90_000.0;
/// A trainer that breaks twice in so long is not started again unasked.
const PATIENCE_MS: f64 = 300_000.0;

/// What is known of the trainer's health.
#[derive(Default)]
pub struct Watch {
    heard_ms: f64,
    longest_silence_ms: f64,
    ticked_ms: f64,
    failures_ms: Vec<f64>,
}

impl Watch {
    /// A trainer begins: nothing is known of the length of its steps.
    pub fn restart(&mut self) {
        self.heard_ms = js_sys::Date::now();
        self.longest_silence_ms = 0.0;
    }

    /// The trainer said something; `is_busy` where it was at work until now.
    pub fn heard(&mut self, is_busy: bool) {
        let now = js_sys::Date::now();
        if is_busy {
            self.longest_silence_ms = self.longest_silence_ms.max(now - self.heard_ms);
        }
        self.heard_ms = now;
    }

    /// Milliseconds since the last tick, once there was one; silence counts anew after a freeze.
    fn tick(&mut self) -> Option<f64> {
        let now = js_sys::Date::now();
        let before = std::mem::replace(&mut self.ticked_ms, now);
        let passed = (before > 0.0).then_some(now - before);
        if passed.is_some_and(|passed| passed > FROZEN_MS) {
            self.heard_ms = now;
        }
        passed
    }

    fn is_silent(&self) -> bool {
        let limit = SILENT_MS.max(SILENT_STEPS * self.longest_silence_ms);
        js_sys::Date::now() - self.heard_ms > limit
    }

    /// Notes a failure and says whether it is the first in a while.
    fn fail(&mut self) -> bool {
        let now = js_sys::Date::now();
        self.failures_ms.retain(|then| now - then < PATIENCE_MS);
        self.failures_ms.push(now);
        self.failures_ms.len() == 1
    }
}

/// Such as `14:02`, in the person's time zone.
fn time_of_day(ms: f64) -> String {
    let date = js_sys::Date::new(&ms.into());
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

impl Trainer {
    /// Looks after the trainer and the tab from now on.
    pub(super) fn watch_over(self) {
        let ticks = Interval::new(TICK_MS, move || self.look());
        let listener = EventListener::new(&document(), "visibilitychange", move |_| {
            if document().hidden() {
                self.ask_to_keep();
            } else {
                // The browser takes the screen's lock back while the tab is hidden.
                self.private.update_value(|private| private.awake = None);
                self.stay_awake();
            }
        });
        self.private.update_value(|private| {
            private.ticks = Some(ticks);
            private.listener = Some(listener);
        });
    }

    fn look(self) {
        let passed = self
            .private
            .try_update_value(|private| private.watch.tick());
        let is_running = matches!(
            untrack(|| self.phase()),
            Phase::Session(State::Running | State::Finishing)
        );
        if !is_running {
            return;
        }
        if let Some(slept) = passed.flatten().filter(|passed| *passed > SLEPT_MS) {
            let now = js_sys::Date::now();
            self.notify(Notice::info(format!(
                "This tab slept {}–{}; training has continued.",
                time_of_day(now - slept),
                time_of_day(now)
            )));
        } else if self.private.with_value(|private| private.watch.is_silent()) {
            self.crash("The trainer gave no sign of life.".to_owned());
        }
    }

    /// Has the worker say where the run is, so that it can be kept.
    fn ask_to_keep(self) {
        if let Some(run) = self.open_run() {
            self.send(&ToWorker::Keep { run });
        }
    }

    /// Keeps the screen on while a run runs.
    pub(super) fn stay_awake(self) {
        let is_running = move || {
            matches!(
                untrack(|| self.phase()),
                Phase::Session(State::Running | State::Finishing)
            )
        };
        if !is_running() {
            self.private.update_value(|private| private.awake = None);
            return;
        }
        if self.private.with_value(|private| private.awake.is_some()) {
            return;
        }
        wasm_bindgen_futures::spawn_local(async move {
            let awake = Awake::new().await.filter(|_| is_running());
            self.private.update_value(|private| private.awake = awake);
        });
    }

    /// The worker broke. The run goes on from its last checkpoint in a new one; where that breaks
    /// too, the person is asked.
    pub(super) fn crash(&self, details: String) {
        let was_opening = self.pending.get_untracked();
        self.private.update_value(|private| private.bridge = None);
        self.is_open.set(false);
        if self.open_run().is_none() {
            self.pending.set(None);
            if matches!(was_opening, Some(Pending::Resume { .. })) {
                self.interrupt();
            }
            self.notify(Notice::problem(
                "The trainer stopped. Start begins with a new one.",
                [Remedy::Copy(details)],
            ));
            return;
        }
        let (backend, status, step, saved) = self.run.with_untracked(|run| {
            run.as_ref()
                .map_or((Backend::Cpu, Status::Preparing, 0, 0), |run| {
                    let saved = run.checkpoint().map_or(0, |kept| kept.snapshot.step);
                    (run.identity.backend, run.status(), run.steps_done(), saved)
                })
        });
        let is_first = self
            .private
            .try_update_value(|private| private.watch.fail());
        if is_first == Some(true) {
            let what = match backend {
                Backend::WebGpu => "GPU",
                Backend::Cpu => "trainer",
            };
            self.notify(Notice::problem(
                format!("The {what} stopped at step {step}. Continuing from step {saved}."),
                [Remedy::Copy(details)],
            ));
            self.resume_as(status == Status::Session(State::Paused));
            return;
        }
        self.interrupt();
        self.notify(match backend {
            Backend::WebGpu => Notice::problem(
                "The GPU failed twice.",
                [
                    Remedy::ContinueOnCpu,
                    Remedy::Resume("Try again"),
                    Remedy::Stop,
                    Remedy::Copy(details),
                ],
            ),
            Backend::Cpu => Notice::problem(
                format!("The trainer stopped. Saved to step {saved}."),
                [Remedy::Resume("Resume"), Remedy::Copy(details)],
            ),
        });
    }

    /// Shows the newest run that was under way when its tab went, unless one is shown already.
    pub(super) async fn find_interrupted(self) {
        let store = match Store::open().await {
            Ok(store) => Rc::new(store),
            Err(_) => {
                self.notify(Notice::info(
                    "This window forgets data when closed. Download your runs.",
                ));
                return;
            }
        };
        self.private
            .update_value(|private| private.store = Some(Rc::clone(&store)));
        let (mut runs, unreadable) = match store.runs().await {
            Ok(found) => found,
            Err(error) => return self.tell_storage(error),
        };
        for error in unreadable {
            self.notify(Notice::info(format!(
                "A kept run could not be read: {error}. It was left as it is."
            )));
        }
        self.private
            .update_value(|private| private.runs = private.runs.max(runs.len() as u32));
        runs.sort_by_key(|run| run.identity.id);
        while let Some(mut run) = runs.pop() {
            if !run.status().is_open() && run.status() != Status::Interrupted {
                continue;
            }
            match is_alive(run.identity.id).await {
                Ok(true) => {}
                Ok(false) => {
                    if self.run.with_untracked(Option::is_none)
                        && self.pending.get_untracked().is_none()
                    {
                        run.interrupt();
                        self.run.set(Some(run));
                        self.show_settings();
                    }
                    return;
                }
                Err(reason) => return self.tell_storage(StoreError::Refused(reason)),
            }
        }
    }

    /// Keeps the shown run as it was at its last checkpoint.
    pub(super) fn store_run(&self) {
        let record = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            Some(Store::record(run, run.checkpoint()?))
        });
        match record {
            Some(Ok(record)) => {
                self.with_store(move |store| async move { store.keep(&record).await })
            }
            Some(Err(error)) => self.tell_storage(error),
            None => {}
        }
    }

    /// Forgets every ended run but the shown one.
    pub(super) fn free_space(&self) {
        let shown = self
            .run
            .with_untracked(|run| run.as_ref().map(|run| run.identity.id));
        self.with_store(move |store| async move {
            let (runs, _) = store.runs().await?;
            for run in runs {
                if !run.status().is_open() && Some(run.identity.id) != shown {
                    store.forget(&run.identity).await?;
                }
            }
            Ok(())
        });
    }

    /// Does something with the store, where there is one; a failure is told.
    pub(super) fn with_store<F>(&self, act: impl FnOnce(Rc<Store>) -> F + 'static)
    where
        F: Future<Output = Result<(), StoreError>> + 'static,
    {
        let trainer = *self;
        if let Some(store) = self.private.with_value(|private| private.store.clone()) {
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = act(store).await {
                    trainer.tell_storage(error);
                }
            });
        }
    }

    fn tell_storage(&self, error: StoreError) {
        self.notify(match error {
            StoreError::Full => Notice::problem(
                "Storage is full; the checkpoint was not saved. Training continues.",
                [Remedy::DownloadRun, Remedy::FreeSpace],
            ),
            other => Notice::problem(
                format!("The run could not be kept: {other}. Training continues."),
                [Remedy::DownloadRun],
            ),
        });
    }
}
