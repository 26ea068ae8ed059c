//! Tells [`kiln_run::life`] what happens, and carries out what it decides.

use kiln_model::event::Command;
use leptos::prelude::*;

use super::notice::{Answer, Notice, Remedy};
use super::order::tenth_of;
use super::trainer::Trainer;
use crate::browser::lock::{Alive, Patience};
use crate::browser::store::StoreError;
use kiln_run::device::{Backend, BackendChoice};
use kiln_run::life::{Effect, Event, Goal, Rest, Stage};
use kiln_run::order::Turn;
use kiln_run::protocol::{RunId, ToWorker};
use kiln_run::run::identity::rarest_colour;
use kiln_run::run::names::unused_name;
use kiln_run::run::{Identity, Run};

impl Trainer {
    /// Takes in what happened to the run, and does what follows from it.
    pub(super) fn happen(&self, event: Event) {
        let before = self.stage.get_untracked();
        let (stage, effects) = before.on(event, untrack(|| self.is_ready()));
        if stage != before {
            self.stage.set(stage);
            if !stage.is_busy() {
                self.is_drafting.set(false);
            }
        }
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&self, effect: Effect) {
        match effect {
            Effect::OpenTrainer => {
                self.take_the_machine();
                let (is_incomplete, has_bridge) = self
                    .private
                    .with_value(|private| (private.is_incomplete, private.bridge.is_some()));
                if is_incomplete {
                    self.say_incomplete();
                } else if !has_bridge {
                    self.open_worker();
                }
            }
            Effect::Claim(run) => self.claim(run),
            Effect::LetGo => self.private.update_value(|private| {
                private.alive = None;
                private.awake = None;
            }),
            Effect::Start(run) => self.start_new(run),
            Effect::GoOn(run, goal) => self.go_on(run, goal),
            Effect::CancelTraining(run) => self.send(&ToWorker::Cancel { run }),
            Effect::GoBack(run) => {
                self.take_up_here(run);
                self.change(run, Run::rewind);
            }
            Effect::Reopen(run, epochs) => {
                self.take_up_here(run);
                self.change(run, |run| run.reopen(epochs));
            }
            Effect::TakeUp(run) => {
                self.change(run, |run| run.take_up(js_sys::Date::now()));
            }
            Effect::MindScreen => self.mind_screen(),
            Effect::Interrupt(run) => {
                self.change(run, Run::interrupt);
                self.list();
                self.paint(true);
            }
            Effect::Close(run) => {
                self.change(run, Run::close);
                self.list();
                self.paint(true);
            }
            Effect::Keep(_) => self.store_run(),
            Effect::Forget(run, before) => {
                self.library.hide(run);
                let before = before.and_then(|_| {
                    let taken = self
                        .private
                        .try_update_value(|private| private.before.take());
                    taken.flatten()
                });
                self.run.set(before);
            }
            Effect::HandOver(run) => {
                // Whoever took it has the other tab before them.
                self.stop_sweeping();
                self.release(run);
            }
            Effect::TakeNext => self.begin_next(),
            Effect::Measure => self.measure(),
            Effect::AskAboutFailure(run) => {
                if !self.offer(Turn::Failed(run)) {
                    self.ask_about_failure(run);
                }
            }
            Effect::AskAboutLoss(run) => {
                // What becomes of the run decides a person, and then whether the sweep goes on.
                self.stop_sweeping();
                self.ask_about_loss(run);
            }
            Effect::SayGoesOn(_) => self.say_it_goes_on(),
            Effect::SayBroken => {
                self.stop_sweeping();
                self.notify(Notice::problem(
                    "The trainer stopped. Start begins with a new one.",
                    [Remedy::Copy(self.last_crash())],
                ));
            }
            Effect::SayElsewhere(run) => {
                self.notify(in_another_tab(run));
                self.pass_on();
            }
        }
    }

    /// Whatever else is being timed makes way for a run.
    fn take_the_machine(&self) {
        self.private.update_value(|private| private.rival = None);
    }

    /// Asks for the lock of a run.
    fn claim(&self, run: RunId) {
        let (private, trainer) = (self.private, *self);
        let patience = private
            .try_update_value(|private| std::mem::take(&mut private.patience))
            .unwrap_or_default();
        wasm_bindgen_futures::spawn_local(async move {
            match Alive::claim(run, patience).await {
                Ok(alive) => {
                    let is_given = alive.is_some();
                    if is_given {
                        private.update_value(|private| private.alive = alive);
                    }
                    trainer.happen(Event::Claimed(run, is_given));
                }
                Err(reason) => {
                    let stage = trainer.stage.get_untracked();
                    if matches!(stage, Stage::Claiming(claimed, ..) if claimed == run) {
                        trainer.happen(Event::Cancel);
                    }
                    trainer.stop_sweeping();
                    trainer.library.tell_storage(StoreError::Refused(reason));
                }
            }
        });
    }

    /// Makes the new run that was asked for, and asks it of the trainer.
    fn start_new(&self, id: RunId) {
        let order = self.private.with_value(|private| private.order.clone());
        let Some(backend) = untrack(|| self.backend()) else {
            return self.happen(Event::Cancel);
        };
        self.take_the_machine();
        self.is_drafting.set(false);
        let config = self.settings_of_new(&order);
        let of_sweep = order.of_sweep.as_ref();
        let asked = of_sweep.map(|of_sweep| of_sweep.name.as_str());
        let (name, colour) = self.library.records.with_untracked(|records| {
            let taken = |name: &str| records.iter().any(|run| run.identity.name == name);
            let colours = records.iter().map(|run| run.identity.colour);
            (
                unused_name(asked.or(order.run.name), records.len() as u32 + 1, taken),
                rarest_colour(colours),
            )
        });
        let used = self.sources.used.get_untracked();
        let identity = Identity {
            id,
            name,
            backend,
            adapter: self.adapter.get_untracked().map(|adapter| adapter.name),
            started_at: js_sys::Date::new_0().to_iso_string().into(),
            colour,
            tags: order
                .of_sweep
                .map(|of_sweep| of_sweep.tag)
                .into_iter()
                .collect(),
            notes: String::new(),
            data_name: used.name,
            classes: used.classes,
            taken_up: Vec::new(),
        };
        let data = self.data.get_untracked().map(|data| data.hash);
        let run = Run::new(identity, config, data.unwrap_or_default());
        self.put_on_shelf();
        let before = self.run.try_update(|shown| shown.replace(run)).flatten();
        self.private.update_value(|private| {
            private.before = before;
            private.alive = Alive::of_new(id);
            private.health.restart();
        });
        self.list();
        self.library.set_shown(id, true);
        self.send(&ToWorker::Start {
            run: id,
            config,
            single_step: order.single_step,
        });
    }

    /// Asks the trainer to go on with the shown run.
    fn go_on(&self, id: RunId, goal: Goal) {
        self.take_the_machine();
        self.is_drafting.set(false);
        self.private.update_value(|private| {
            private.before = None;
            private.health.restart();
        });
        let message = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            let epochs = match goal {
                Goal::Resume { .. } => run.reopened(),
                Goal::Continue { epochs } => Some(epochs),
            };
            let mut config = *run.config();
            config.epochs = epochs.unwrap_or(config.epochs);
            self.under_way.set(config);
            Some(match run.checkpoint() {
                Some(checkpoint) => ToWorker::Resume {
                    run: id,
                    checkpoint: checkpoint.file.clone(),
                    reopened: epochs,
                },
                // It was never kept, and begins anew.
                None => ToWorker::Start {
                    run: id,
                    config,
                    single_step: false,
                },
            })
        });
        if let Some(message) = message {
            self.send(&message);
        }
        if goal == (Goal::Resume { paused: true }) {
            self.tell(Command::Pause);
        }
    }

    /// From now on the shown run is trained with what is here.
    fn take_up_here(&self, id: RunId) {
        let backend = untrack(|| self.backend());
        let adapter = self.adapter.get_untracked().map(|adapter| adapter.name);
        let used = self.sources.used.get_untracked();
        let older = self.change(id, |run| {
            run.identity.data_name = used.name;
            run.identity.classes = used.classes;
            run.identity.backend = backend.unwrap_or(run.identity.backend);
            run.identity.adapter = adapter;
            let step = run.checkpoint().map_or(0, |kept| kept.outline.step);
            run.is_of_older_arithmetic()
                .then(|| (run.identity.name.clone(), step))
        });
        if let Some((name, step)) = older.flatten() {
            self.notify(Notice::info(format!(
                "{name} was begun by an older Kiln. From step {step} on its losses differ in the \
                 last digits from what that one would have computed."
            )));
        }
    }

    /// Goes on with the shown run from its last checkpoint, as soon as device and data are there.
    pub fn resume(&self) {
        self.once_it_can_go_on(Event::Resume);
    }

    /// Goes on with the ended run, up to the epochs that are set now.
    pub fn continue_ended(&self) {
        let epochs = self.config.with_untracked(|config| config.epochs);
        self.once_it_can_go_on(Event::Continue { epochs });
    }

    /// Whether the ended run has steps left with the epochs that are set now.
    pub fn can_continue(&self) -> bool {
        let epochs = self.config.with(|config| config.epochs);
        self.run.with(|run| {
            run.as_ref()
                .is_some_and(|run| run.steps_left(epochs) > 0 && run.damage().is_none())
        })
    }

    /// Has the shown run go on, once its data is there.
    pub(super) fn once_it_can_go_on(&self, event: Event) {
        let damaged = self.run.with_untracked(|run| {
            let run = run.as_ref().filter(|run| run.damage().is_some());
            run.map(|run| run.identity.name.clone())
        });
        if let Some(name) = damaged {
            self.private
                .update_value(|private| private.patience = Patience::None);
            self.notify(Notice::info(format!(
                "{name} cannot go on: a part of what happened in it cannot be read. Its settings \
                 can begin another run."
            )));
            return self.pass_on();
        }
        let trainer = *self;
        self.with_data_of_run(move || trainer.happen(event));
    }

    /// Goes on with the shown run on the CPU.
    fn resume_on_cpu(&self) {
        self.choose(BackendChoice::Cpu);
        self.resume();
    }

    /// Gives up what was asked for and has not begun: a run that goes on is again as it was, and of a
    /// new one the run before it comes back.
    pub fn cancel(&self) {
        // A person who gives up one run of a sweep does not want the next at once.
        self.stop_sweeping();
        self.happen(Event::Cancel);
    }

    /// Ends the interrupted run as far as it got.
    pub fn keep_interrupted(&self) {
        let trainer = *self;
        if let Some(id) = self.shown_id() {
            self.unless_elsewhere(id, in_another_tab(id), move || {
                if trainer.shown_id() == Some(id) {
                    trainer.happen(Event::Close);
                }
            });
        }
    }

    /// Forgets the interrupted run.
    pub fn delete_interrupted(&self) {
        if let Some(id) = self.shown_id() {
            self.delete(id);
        }
    }

    /// The trainer broke, and this is known of why.
    pub(super) fn crash(&self, details: String) {
        let has_run = self.open_run().is_some();
        let is_first = self.private.try_update_value(|private| {
            private.bridge = None;
            private.crash = details;
            has_run && private.health.fail()
        });
        self.is_open.set(false);
        // It goes on in the tab.
        if self.choice.get_untracked() == BackendChoice::Native {
            self.choice.set(BackendChoice::Auto);
        }
        self.happen(Event::Broke {
            is_first: is_first == Some(true),
        });
    }

    fn last_crash(&self) -> String {
        self.private.with_value(|private| match private.strays {
            0 => private.crash.clone(),
            strays => format!("{}\n{strays} messages came out of order.", private.crash),
        })
    }

    /// The backend of the shown run, the step it is at, and the step of its checkpoint.
    fn whereabouts(&self) -> (Backend, u32, u32) {
        self.run.with_untracked(|run| {
            run.as_ref().map_or((Backend::Cpu, 0, 0), |run| {
                let saved = run.checkpoint().map_or(0, |kept| kept.outline.step);
                (run.identity.backend, run.steps_done(), saved)
            })
        })
    }

    /// The code that trains and keeps did not arrive: what waits for it waits in vain.
    pub(super) fn say_incomplete(&self) {
        self.notify(Notice::problem(
            "A part of Kiln could not be loaded. Check the connection, then reload the page.",
            [],
        ));
        self.happen(Event::Cancel);
    }

    fn say_it_goes_on(&self) {
        let (backend, step, saved) = self.whereabouts();
        let (what, place) = match backend {
            Backend::WebGpu => ("GPU", ""),
            Backend::Cpu => ("trainer", ""),
            Backend::Native => ("trainer on this machine", " in this tab"),
        };
        self.notify(Notice::problem(
            format!("The {what} stopped at step {step}. Continuing from step {saved}{place}."),
            [Remedy::Copy(self.last_crash())],
        ));
    }

    fn ask_about_loss(&self, run: RunId) {
        let (backend, _, saved) = self.whereabouts();
        let (text, answers) = match backend {
            Backend::WebGpu => (
                "The GPU failed twice.".to_owned(),
                &[
                    Answer::ContinueOnCpu,
                    Answer::Resume("Try again"),
                    Answer::Stop,
                ][..],
            ),
            Backend::Cpu | Backend::Native => (
                format!("The trainer stopped. Saved to step {saved}."),
                &[Answer::Resume("Resume")][..],
            ),
        };
        self.ask(run, text, answers, Some(Remedy::Copy(self.last_crash())));
    }

    fn ask_about_failure(&self, run: RunId) {
        let failure = self.run.with_untracked(|run| {
            let run = run.as_ref()?;
            Some((run.failure()?, run.config().learning_rate))
        });
        if let Some((failure, rate)) = failure {
            let text = format!("{failure}; the learning rate ({rate}) is probably too high.");
            let answers = [Answer::RestartWith(tenth_of(rate)), Answer::KeepAsFailed];
            self.ask(run, text, &answers, None);
        }
    }

    /// Asks what is to become of a run that cannot go on by itself.
    fn ask(&self, run: RunId, text: String, answers: &[Answer], more: Option<Remedy>) {
        let answers = answers.iter().map(|answer| Remedy::Answer(run, *answer));
        let remedies: Vec<Remedy> = answers.chain(more).collect();
        self.notify(Notice::problem(text, remedies));
    }

    /// Does with a run what the person answered. An answer is void where that run is no longer the
    /// shown one, or is under way again.
    pub fn answer(&self, id: RunId, answer: Answer) {
        if self.waiting_run(self.stage.get_untracked()) != Some(id) {
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

    /// The run of which a person may be asked what is to become: what is asked about any other is
    /// asked no more.
    pub(super) fn waiting_run(&self, stage: Stage) -> Option<RunId> {
        match stage {
            Stage::Resting(run, _) | Stage::Claiming(run, ..) => Some(run),
            _ => None,
        }
    }

    /// Shows a run that nobody trains here, as it is now, unless another is under way.
    pub(super) fn show(&self, mut run: Run) {
        if !matches!(
            self.stage.get_untracked(),
            Stage::Empty | Stage::Resting(..)
        ) {
            return;
        }
        if run.status().is_open() {
            run.interrupt();
        }
        let (id, rest) = (run.identity.id, Rest::of(run.status()));
        if let Some(rest) = rest {
            self.run.set(Some(run));
            self.happen(Event::Read(id, rest));
        }
    }

    /// Shows no run any more.
    pub(super) fn show_none(&self, id: RunId) {
        if self.shown_id() == Some(id) {
            self.run.set(None);
            self.happen(Event::Gone(id));
        }
    }
}

/// Another tab trains this run.
pub(super) fn in_another_tab(id: RunId) -> Notice {
    Notice::info_with(
        "Another tab is training. You can look at runs here.",
        [Remedy::MoveHere(id)],
    )
}
