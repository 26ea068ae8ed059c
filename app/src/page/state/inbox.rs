//! What the trainer says, and how often a person sees it.

use gloo::timers::callback::Timeout;
use kiln_model::event::Event;
use leptos::prelude::*;

use super::notice::{Notice, Remedy};
use super::trainer::{Loading, Phase, Trainer};
use crate::browser::remembered;
use crate::browser::store::KeptAnswers;
use kiln_run::life;
use kiln_run::protocol::{FromWorker, RunId};
use kiln_run::record::Record;
use kiln_run::run::checkpoint::Checkpoint;

/// Shortest time between two looks of lists at the open run.
const LIST_INTERVAL_MS: f64 = 1_000.0;

impl Trainer {
    /// Takes in what the trainer says.
    pub(super) fn receive(&self, message: FromWorker) {
        let phase = untrack(|| self.phase());
        let is_busy = phase == Phase::Preparing || phase.is_running();
        self.private
            .update_value(|private| private.health.heard(is_busy));
        match message {
            FromWorker::Ready => {}
            FromWorker::Opened { adapter } => {
                self.adapter.set(adapter);
                self.is_open.set(true);
                self.tell_if_ready();
            }
            FromWorker::Unfit { reason } => self.refuse(reason),
            FromWorker::Loading {
                loaded_bytes,
                total_bytes,
            } => self.loading.set(Loading::Bytes(loaded_bytes, total_bytes)),
            FromWorker::Loaded { data } => {
                self.data.set(Some(data));
                self.loading.set(Loading::Done);
                self.tell_if_ready();
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
                if self.is_of_open_run(run) {
                    self.keep(run, checkpoint);
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
            // Questions are asked of another worker, and so are files.
            FromWorker::Answering { .. }
            | FromWorker::Exporting { .. }
            | FromWorker::Weighed { .. }
            | FromWorker::Unpacked { .. }
            | FromWorker::Exported { .. }
            | FromWorker::Answered { .. }
            | FromWorker::Checked { .. } => {}
            FromWorker::RunFailed { run, reason } => {
                if self.is_of_open_run(run) {
                    self.happen(life::Event::Refused(run));
                    self.notify(Notice::problem(
                        format!("The run cannot go on: {reason}."),
                        [],
                    ));
                    self.pass_on();
                }
            }
            FromWorker::Fatal { details } => self.crash(details),
        }
    }

    /// Whether a message is about the run that is trained; others are counted, and change nothing.
    fn is_of_open_run(&self, run: RunId) -> bool {
        let is_open = self.stage.get_untracked().trained() == Some(run);
        if !is_open {
            self.private.update_value(|private| private.strays += 1);
        }
        is_open
    }

    fn tell_if_ready(&self) {
        if untrack(|| self.is_ready()) {
            self.happen(life::Event::Ready);
        }
    }

    /// Loads the data again.
    pub fn load_again(&self) {
        self.loading.set(Loading::Bytes(0, self.sources.bytes()));
        self.send(&self.opening());
    }

    /// Takes in where the open run is.
    fn keep(&self, id: RunId, checkpoint: Checkpoint) {
        let step = checkpoint.outline.step;
        self.happen(life::Event::Heard(id));
        self.change(id, |run| run.keep(checkpoint));
        self.kept.set(Some((id, step)));
        self.store_run();
        let is_wanted = self
            .private
            .try_update_value(|private| private.wanted_by_other.take_if(|wanted| *wanted == id));
        if is_wanted.flatten().is_some() {
            return self.happen(life::Event::Wanted(id));
        }
        // A run that pauses is kept after it said so.
        self.paint(false);
    }

    /// Takes in what happened in the open run.
    fn apply(&self, id: RunId, events: Vec<Event>) {
        if !self.is_of_open_run(id) {
            return;
        }
        self.happen(life::Event::Heard(id));
        let (mut state, mut is_edited) = (None, false);
        self.change(id, |run| {
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
        if is_edited {
            let config = self.change(id, |run| *run.config());
            config
                .into_iter()
                .for_each(|config| self.show_settings_of(config));
        }
        if let Some(state) = state {
            self.list();
            if state.has_ended() {
                self.remember_speed();
            }
            self.happen(life::Event::Told(id, state));
        }
        self.paint(state.is_some());
    }

    /// Notes how fast the run was that has ended, for the time that the next one will take.
    fn remember_speed(&self) {
        let speed = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            let rate = run.images_per_sec()?;
            Some((run.identity.backend, run.config().batch_size, rate))
        });
        if let Some((backend, batch_size, rate)) = speed {
            remembered::remember_speed(backend, batch_size, rate);
        }
    }

    /// Lets the components see the run, when its [`crate::pace::Pace`] allows it unless `at_once`.
    pub(super) fn paint(&self, at_once: bool) {
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

    /// Does what belongs to showing the run, some time after it was told to be shown.
    pub fn painting(&self, paint: impl FnOnce()) {
        let start = js_sys::Date::now();
        paint();
        self.private
            .update_value(|private| private.pace.spend(js_sys::Date::now() - start));
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
    pub(super) fn list(&self) {
        let record = self.run.with_untracked(|run| run.as_ref().map(Record::of));
        if let Some(record) = record {
            self.private
                .update_value(|private| private.listed_ms = js_sys::Date::now());
            self.library.show(record);
        }
    }
}
