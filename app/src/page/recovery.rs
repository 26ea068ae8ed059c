//! What keeps a run through mishaps: a trainer that breaks or falls silent, a tab that is closed,
//! hidden or put to sleep, storage that is full or not there.

use gloo::events::EventListener;
use gloo::timers::callback::Interval;
use kiln_model::event::State;
use leptos::prelude::*;

use super::notice::{Answer, Notice, Remedy};
use super::trainer::{Pending, Phase, Trainer};
use crate::browser::clock::time_of_day;
use crate::browser::lock::{Patience, is_alive};
use crate::browser::store::{Fate, Kept, Store, StoreError};
use crate::browser::tab::{Awake, News};
use kiln_run::device::Backend;
use kiln_run::format;
use kiln_run::protocol::{RunId, ToWorker};
use kiln_run::run::{Identity, Run, Status};

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
        // The time that a frozen tab was silent is nobody's step.
        if is_busy && now - self.ticked_ms <= FROZEN_MS {
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
        let waiting = Memo::new(move |_| self.waiting_run());
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
        self.pending.set(None);
        self.private.update_value(|private| private.bridge = None);
        self.is_open.set(false);
        if self.open_run().is_none() {
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
                    let saved = run.checkpoint().map_or(0, |kept| kept.outline.step);
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
            self.resume_as(status == Status::Session(State::Paused), Patience::None);
            return;
        }
        self.interrupt();
        let (text, answers) = match backend {
            Backend::WebGpu => (
                "The GPU failed twice.".to_owned(),
                &[
                    Answer::ContinueOnCpu,
                    Answer::Resume("Try again"),
                    Answer::Stop,
                ][..],
            ),
            Backend::Cpu => (
                format!("The trainer stopped. Saved to step {saved}."),
                &[Answer::Resume("Resume")][..],
            ),
        };
        self.ask_what_becomes(text, answers, Some(Remedy::Copy(details)));
    }

    /// Asks what is to become of the shown run, which cannot go on by itself.
    pub(super) fn ask_what_becomes(&self, text: String, answers: &[Answer], more: Option<Remedy>) {
        if let Some(id) = self.shown_id() {
            let answers = answers.iter().map(|answer| Remedy::Answer(id, *answer));
            let remedies: Vec<Remedy> = answers.chain(more).collect();
            self.notify(Notice::problem(text, remedies));
        }
    }

    /// Does with a run what the person answered. An answer is void where that run is no longer the
    /// shown one, or is under way again.
    pub(super) fn answer(&self, id: RunId, answer: Answer) {
        if untrack(|| self.waiting_run()) != Some(id) {
            return;
        }
        match answer {
            Answer::RestartWith(rate) => self.restart_with(rate),
            Answer::KeepAsFailed => self.begin_next(),
            Answer::Resume(_) => self.resume(),
            Answer::ContinueOnCpu => self.resume_on_cpu(),
            Answer::Stop => self.keep_interrupted(),
        }
    }

    /// The shown run while nobody trains it: what is asked about any other is asked no more.
    fn waiting_run(&self) -> Option<RunId> {
        if self.phase().is_open() {
            return None;
        }
        self.run.with(|run| run.as_ref().map(|run| run.identity.id))
    }

    /// Reads the kept runs, and shows the newest that was under way when its tab went, unless a
    /// run is shown already.
    pub(super) async fn open_library(self) {
        match Store::open(move |fate| self.follow_store(fate)).await {
            Ok(store) => {
                self.library.open(store);
                self.library.dismiss(&held_back());
                // A run may have begun while an older tab held the store back.
                self.store_run();
            }
            Err(error) => {
                self.restore_data().await;
                // Nothing is kept, so there is nothing left to read.
                self.library.is_read.set(true);
                return self.notify(Notice::problem(
                    "This window forgets data when closed. Download your runs.",
                    [Remedy::Copy(error.to_string())],
                ));
            }
        }
        self.restore_data().await;
        self.library.listen(move |news| self.hear(news));
        if let Err(error) = self.library.read().await {
            self.library.is_read.set(true);
            return self.library.tell_storage(error);
        }
        let mut interrupted = None;
        for mut record in self.library.records.get_untracked() {
            let id = record.identity.id;
            if record.status.is_open() && self.shown_id() != Some(id) {
                match is_alive(id).await {
                    Ok(true) => self.notify(in_another_tab(id)),
                    Ok(false) => {
                        record.status = Status::Interrupted;
                        self.library.show(record);
                        interrupted = Some(id);
                    }
                    Err(reason) => {
                        return self.library.tell_storage(StoreError::Refused(reason));
                    }
                }
            } else if record.status == Status::Interrupted {
                interrupted = Some(id);
            }
        }
        if let Some(id) = interrupted
            && self.shown_id().is_none()
            && self.pending.get_untracked().is_none()
        {
            self.look_at(id);
        }
    }

    /// What becomes of the store while it is open.
    fn follow_store(self, fate: Fate) {
        match fate {
            Fate::Blocked => self.notify(held_back()),
            Fate::Outdated => self.notify(Notice::problem(
                "A newer Kiln was opened in another tab. Runs are no longer kept here: reload this \
                 page once its run has ended.",
                [Remedy::DownloadRun],
            )),
            Fate::Deleted | Fate::Closed => wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = self.open_store_again().await {
                    self.library.tell_storage(error);
                }
            }),
        }
    }

    /// Opens the store after it was closed, and forgets what is no longer in it.
    async fn open_store_again(self) -> Result<(), StoreError> {
        let store = Store::open(move |fate| self.follow_store(fate)).await?;
        let (records, unreadable) = store.records().await?;
        let had_some = self.library.has_kept();
        self.library.open(store);
        if had_some && records.is_empty() && unreadable.is_empty() {
            self.notify(Notice::problem(
                "The runs that this browser kept were deleted. What is trained from now on is kept \
                 again.",
                [Remedy::DownloadRun],
            ));
            let shown = self.shown_id();
            self.library
                .records
                .update(|records| records.retain(|run| Some(run.identity.id) == shown));
            let still = |id: &RunId| Some(*id) == shown;
            self.library.shown.update(|ids| ids.retain(still));
            self.run.update_untracked(|run| {
                if let Some(run) = run {
                    run.tell_again();
                }
            });
        }
        self.store_run();
        Ok(())
    }

    /// Takes in what another tab did.
    fn hear(self, news: News) {
        match news {
            News::Changed(id) if self.open_run() == Some(id) => self.take_labels(id),
            News::Changed(id) => {
                self.library.refresh(id);
                if self.shown_id() == Some(id) {
                    self.reread_shown(id);
                }
            }
            News::Wanted(id) if untrack(|| self.is_busy_with(id)) => {
                self.private
                    .update_value(|private| private.wanted_by_other = Some(id));
                self.ask_to_keep();
            }
            News::Released(id) if self.private.with_value(|private| private.wanted) == Some(id) => {
                self.private.update_value(|private| private.wanted = None);
                self.take_over(id);
            }
            News::Wanted(_) | News::Released(_) => {}
        }
    }

    /// Another tab may have said something else of the open run.
    fn take_labels(self, id: RunId) {
        self.library.with_store(move |store| async move {
            let record = store.record(id).await?;
            let labels = |identity: &Identity| {
                let (name, colour) = (identity.name.clone(), identity.colour);
                (name, colour, identity.tags.clone(), identity.notes.clone())
            };
            let said = record.map(|record| labels(&record.identity));
            let known = self.library.record_untracked(id);
            let known = known.map(|record| labels(&record.identity));
            if self.open_run() == Some(id)
                && said != known
                && let Some((name, colour, tags, notes)) = said
            {
                self.relabel(id, |identity| {
                    (identity.name, identity.colour) = (name.clone(), colour);
                    (identity.tags, identity.notes) = (tags.clone(), notes.clone());
                });
            }
            Ok(())
        });
    }

    /// Another tab changed the shown run, which is not open here: it is shown as it is now, unless
    /// that tab trains it.
    fn reread_shown(self, id: RunId) {
        self.library.with_store(move |store| async move {
            let mut run = match store.run(id).await {
                Ok(run) => Some(run),
                Err(StoreError::Gone) => None,
                Err(error) => return Err(error),
            };
            let is_open = run.as_ref().is_some_and(|run| run.status().is_open());
            let is_elsewhere = is_open && is_alive(id).await.map_err(StoreError::Refused)?;
            // A run that is about to go on here holds its lock already.
            if self.shown_id() != Some(id) || untrack(|| self.is_busy_with(id)) {
                return Ok(());
            }
            if is_elsewhere {
                self.notify(in_another_tab(id));
                run = None;
            } else if is_open && let Some(run) = &mut run {
                run.interrupt();
            }
            self.run.set(run);
            Ok(())
        });
    }

    /// Does something with a run that is not open here, or says `elsewhere` where another tab
    /// trains it.
    pub(super) fn unless_elsewhere(
        self,
        id: RunId,
        elsewhere: Notice,
        act: impl FnOnce() + 'static,
    ) {
        wasm_bindgen_futures::spawn_local(async move {
            let is_alive = is_alive(id).await;
            // It may have been opened here meanwhile.
            if untrack(|| self.is_busy_with(id)) {
                return;
            }
            match is_alive {
                Ok(false) => act(),
                Ok(true) => self.notify(elsewhere),
                Err(reason) => self.library.tell_storage(StoreError::Refused(reason)),
            }
        });
    }

    /// Goes on here with a run that another tab trained, or shows what came of it.
    fn take_over(self, id: RunId) {
        self.library.with_store(move |store| async move {
            let mut run = store.run(id).await?;
            if untrack(|| self.phase()).is_open() {
                self.notify(one_is_open(id));
                return Ok(());
            }
            let has_ended = run.status().has_ended();
            if !has_ended {
                run.interrupt();
            }
            self.put_on_shelf();
            self.library.set_shown(id, true);
            self.run.set(Some(run));
            self.show_settings();
            if !has_ended {
                self.resume_as(false, Patience::HandOver);
            }
            Ok(())
        });
    }

    /// Asks the tab that trains a run to let this one go on with it; where that tab is gone, this
    /// one goes on at once.
    pub fn move_here(self, id: RunId) {
        if untrack(|| self.phase()).is_open() {
            return self.notify(one_is_open(id));
        }
        wasm_bindgen_futures::spawn_local(async move {
            match is_alive(id).await {
                Ok(true) => {
                    self.private
                        .update_value(|private| private.wanted = Some(id));
                    self.library.tell(News::Wanted(id));
                }
                Ok(false) => self.take_over(id),
                Err(reason) => self.library.tell_storage(StoreError::Refused(reason)),
            }
        });
    }

    /// Marks the runs of other tabs that are gone.
    fn look_after_others(self) {
        let here = self.open_run();
        let others: Vec<RunId> = self.library.records.with_untracked(|records| {
            let open = records.iter().filter(|record| record.status.is_open());
            let ids = open.map(|record| record.identity.id);
            ids.filter(|id| Some(*id) != here).collect()
        });
        for id in others {
            self.library.with_store(move |store| async move {
                if is_alive(id).await.map_err(StoreError::Refused)? {
                    return Ok(());
                }
                // It may have ended since this tab read of it.
                let record = store.record(id).await?;
                if let Some(mut record) = record.filter(|_| self.open_run() != Some(id)) {
                    if record.status.is_open() {
                        record.status = Status::Interrupted;
                    }
                    self.library.show(record);
                    self.library.withdraw(&Remedy::MoveHere(id));
                }
                Ok(())
            });
        }
    }

    /// Lets another tab go on with the open run, where one wants it and it has just been kept.
    pub(super) fn hand_over(&self) {
        let wanted = self
            .private
            .try_update_value(|private| private.wanted_by_other.take());
        let Some(id) = wanted.flatten().filter(|id| self.open_run() == Some(*id)) else {
            return;
        };
        self.send(&ToWorker::Cancel { run: id });
        self.interrupt();
        let trainer = *self;
        if let Some(kept) = self.kept() {
            self.library.keep_and_then(kept, id, move |_| {
                // What it comes to from now on is the other tab's.
                if trainer.shown_id() == Some(id) {
                    trainer.put_on_shelf();
                    trainer.run.set(None);
                }
                trainer.library.tell(News::Released(id));
                trainer.notify(Notice::info_with(
                    "This run has moved to another tab.",
                    [Remedy::MoveHere(id)],
                ));
            });
        }
    }

    /// What is new of the shown run, ready to be kept.
    fn kept(&self) -> Option<Result<Kept, StoreError>> {
        self.run.with_untracked(|run| run.as_ref().map(Kept::run))
    }

    /// Keeps what is new of the shown run. What the store does not take is offered again with what
    /// comes next.
    pub(super) fn store_run(&self) {
        let trainer = *self;
        if let (Some(kept), Some(id)) = (self.kept(), self.shown_id()) {
            self.library.keep_and_then(kept, id, move |kept| {
                trainer.run.update_untracked(|run| {
                    let run = run.as_mut().filter(|run| run.identity.id == id);
                    if let (Some(run), Some(taken)) = (run, kept.taken()) {
                        run.note_kept(taken);
                    }
                });
            });
        }
    }

    /// Says what of a run cannot be read.
    pub(super) fn tell_damage(&self, run: &Run) {
        if let Some(damage) = run.damage() {
            self.notify(Notice::info(format!(
                "{} is shown up to step {} only: {damage}. All else of it was left as it is.",
                run.identity.name,
                format::count(run.steps_done().into())
            )));
        }
    }

    /// Forgets every ended run but the shown one; those that can be resumed stay.
    pub(super) fn free_space(&self) {
        let shown = self.shown_id();
        let ended: Vec<RunId> = self.library.records.with_untracked(|records| {
            let ended = records.iter().filter(|record| record.status.has_ended());
            let ids = ended.map(|record| record.identity.id);
            ids.filter(|id| Some(*id) != shown).collect()
        });
        let library = self.library;
        wasm_bindgen_futures::spawn_local(async move {
            let mut free = Vec::with_capacity(ended.len());
            for id in ended {
                // Another tab may just be going on with it.
                match is_alive(id).await {
                    Ok(true) => {}
                    Ok(false) => free.push(id),
                    Err(reason) => return library.tell_storage(StoreError::Refused(reason)),
                }
            }
            library.delete(free);
        });
    }
}

pub(super) fn in_another_tab(id: RunId) -> Notice {
    Notice::info_with(
        "Another tab is training. You can look at runs here.",
        [Remedy::MoveHere(id)],
    )
}

fn one_is_open(id: RunId) -> Notice {
    Notice::info_with(
        "A run is open here. Stop it first, then move the other one.",
        [Remedy::MoveHere(id)],
    )
}

fn held_back() -> Notice {
    Notice::problem(
        "Another tab has an older Kiln open and holds the kept runs back. Close that tab; they \
         appear here at once.",
        [],
    )
}
