//! Looks after the trainer and the tab: a trainer that falls silent, a tab that is hidden or was put
//! to sleep, a screen that is to stay on, and questions that have become void.

use gloo::events::EventListener;
use gloo::timers::callback::Interval;
use leptos::prelude::*;

use super::notice::Notice;
use super::trainer::Trainer;
use crate::browser::clock::time_of_day;
use crate::browser::tab::Awake;
use kiln_run::protocol::ToWorker;

/// Time between two looks at the trainer.
const TICK_MS: u32 = 1_000;
/// Hidden tabs tick once a minute; one that ticks later has slept.
const SLEPT_MS: f64 = 90_000.0;

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
                self.mind_screen();
            }
        });
        self.private.update_value(|private| {
            private.ticks = Some(ticks);
            private.listener = Some(listener);
        });
        let waiting = Memo::new(move |_| self.waiting_run(self.stage.get()));
        Effect::new(move |_| {
            let waiting = waiting.get();
            self.library.notices.update(|notices| {
                notices.retain(|shown| {
                    let asked = shown.asks_about();
                    asked.is_none() || asked == waiting
                });
            });
        });
    }

    fn look(self) {
        self.look_after_others();
        let passed = self
            .private
            .try_update_value(|private| private.health.tick());
        if !untrack(|| self.phase()).is_running() {
            return;
        }
        if let Some(slept) = passed.flatten().filter(|passed| *passed > SLEPT_MS) {
            let now = js_sys::Date::now();
            self.notify(Notice::info(format!(
                "This tab slept {}–{}; training has continued.",
                time_of_day(now - slept),
                time_of_day(now)
            )));
        } else if self
            .private
            .with_value(|private| private.health.is_silent())
        {
            self.crash("The trainer gave no sign of life.".to_owned());
        }
    }

    /// Has the worker say where the run is, so that it can be kept.
    pub(super) fn ask_to_keep(self) {
        if let Some(run) = self.stage.get_untracked().trained() {
            self.send(&ToWorker::Keep { run });
        }
    }

    /// Keeps the screen on while a run runs, and not otherwise.
    pub(super) fn mind_screen(self) {
        let is_running = move || untrack(|| self.phase()).is_running();
        if !is_running() {
            return self.private.update_value(|private| private.awake = None);
        }
        if self.private.with_value(|private| private.awake.is_some()) {
            return;
        }
        wasm_bindgen_futures::spawn_local(async move {
            // All that the trainer said together is taken in by now.
            if !is_running() {
                return;
            }
            let awake = Awake::new().await.filter(|_| is_running());
            self.private.update_value(|private| private.awake = awake);
        });
    }
}
