//! What the next run is to be: its settings, the runs that wait for their turn, and what is set while
//! one is open.

use std::collections::HashMap;

use kiln_model::config::{Config, Edit, Setting};
use kiln_model::event::Command;
use kiln_model::preset::Preset;
use leptos::prelude::*;

use super::notice::Notice;
use super::trainer::{Sweeper, Trainer};
use crate::browser::clock::new_run_id;
use kiln_run::format;
use kiln_run::life::{Event, Stage};
use kiln_run::order::{Order, Queued, Turn};
use kiln_run::protocol::{RunId, ToWorker};

impl Trainer {
    /// Sets the settings that the rail shows.
    pub fn set_config(&self, config: Config) {
        let stage = self.stage.get_untracked();
        if stage.is_busy() && !self.is_drafting.get_untracked() {
            self.under_way.set(config);
        } else {
            self.next.set(config);
        }
    }

    /// Changes the settings that the rail shows.
    pub fn change_config(&self, change: impl FnOnce(&mut Config)) {
        let mut config = self.config.get_untracked();
        change(&mut config);
        self.set_config(config);
    }

    /// Takes a preset's settings.
    pub fn take_preset(&self, preset: Preset) {
        self.set_config(preset.config());
        self.invalid.update(HashMap::clear);
    }

    /// Takes the settings that an address names for the next run.
    pub fn take_shared(&self, config: Config) {
        self.next.set(config);
        self.private
            .update_value(|private| private.has_draft = true);
        self.invalid.update(HashMap::clear);
    }

    /// Begins a run with the settings, as soon as device and data are there.
    pub fn begin(&self, single_step: bool) {
        if self.invalid.with_untracked(HashMap::is_empty) {
            self.private
                .update_value(|private| private.has_draft = false);
            let _asked = self.ask_for(Order {
                single_step,
                run: Queued {
                    config: self.next.get_untracked(),
                    name: None,
                },
                of_sweep: None,
            });
        }
    }

    /// Begins again with the settings of the shown run, but for the learning rate.
    pub(super) fn restart_with(&self, learning_rate: f64) {
        let config = self
            .run
            .with_untracked(|run| run.as_ref().map(|run| *run.config()));
        if let Some(config) = config {
            self.ask_for_queued(Queued {
                config: Config {
                    learning_rate,
                    ..config
                },
                name: None,
            });
        }
    }

    fn ask_for_queued(&self, run: Queued) {
        let _asked = self.ask_for(Order {
            single_step: false,
            run,
            of_sweep: None,
        });
    }

    /// Begins a run, unless one is open; says which.
    pub fn ask_for(&self, order: Order) -> Option<RunId> {
        if !matches!(
            self.stage.get_untracked(),
            Stage::Empty | Stage::Resting(..)
        ) {
            return None;
        }
        let id = new_run_id();
        let config = order.run.config;
        self.private.update_value(|private| {
            // What a person has set for the next run stays through a sweep.
            private.has_draft |= order.of_sweep.is_some();
            private.order = order;
        });
        self.invalid.update(HashMap::clear);
        // While it waits the rail shows what it will be.
        self.under_way.set(config);
        self.happen(Event::Begin(id));
        Some(id)
    }

    /// Adds the settings to the runs that wait.
    pub fn queue_settings(&self) {
        if self.invalid.with_untracked(HashMap::is_empty) {
            let run = Queued {
                config: self.config.get_untracked(),
                name: None,
            };
            self.queue.update(|queue| queue.push(run));
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
        self.begin_next();
    }

    /// Has somebody look after a sweep: whoever does is told when a turn is theirs, and says whether they
    /// took it.
    pub fn sweep_with(&self, sweeper: Sweeper) {
        self.is_sweeping.set(true);
        self.private
            .update_value(|private| private.sweeper = Some(sweeper));
    }

    /// Nobody looks after a sweep any more. It is no case of [`Self::sweep_with`]: the compiler knows who
    /// the only sweeper is, and would carry its code to wherever it may be taken away, the first paint too.
    pub fn stop_sweeping(&self) {
        self.is_sweeping.set(false);
        self.private.update_value(|private| private.sweeper = None);
    }

    /// What was asked for did not come about: a sweep goes on with another, once what is done now is done.
    pub(super) fn pass_on(&self) {
        let trainer = *self;
        if trainer.is_sweeping.get_untracked() {
            wasm_bindgen_futures::spawn_local(async move { trainer.begin_next() });
        }
    }

    /// Shows a kept run and goes on with it: with one that has ended up to so many epochs.
    pub fn go_on_with(&self, id: RunId, epochs: u32) {
        // What a person has set for the next run stays.
        self.private
            .update_value(|private| private.has_draft = true);
        self.open_and_then(id, false, move |trainer| {
            let has_ended = trainer
                .run
                .with_untracked(|run| run.as_ref().map(|run| run.status().has_ended()));
            match has_ended {
                Some(true) => trainer.once_it_can_go_on(Event::Continue { epochs }),
                Some(false) => trainer.resume(),
                None => {}
            }
        });
    }

    pub(super) fn offer(&self, turn: Turn) -> bool {
        let sweeper = self.private.with_value(|private| private.sweeper.clone());
        sweeper.is_some_and(|sweeper| sweeper(turn))
    }

    /// Begins the run that waits at the head of the queue, or else the next of a sweep, unless one is
    /// open.
    pub fn begin_next(&self) {
        if !matches!(
            self.stage.get_untracked(),
            Stage::Empty | Stage::Resting(..)
        ) {
            return;
        }
        let next = self
            .queue
            .try_update(|queue| (!queue.is_empty()).then(|| queue.remove(0)));
        match next.flatten() {
            Some(run) => self.ask_for_queued(run),
            None => drop(self.offer(Turn::Next)),
        }
    }

    /// The settings of the run that begins now, as far as the data has images for them; what had to
    /// be lowered is said.
    pub(super) fn settings_of_new(&self, order: &Order) -> Config {
        let mut config = order.run.config;
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
        self.show_settings_of(config);
        config
    }

    /// Has the rail show the settings of a run; those of the next one are the same, unless a person
    /// has set them while another was open.
    pub(super) fn show_settings_of(&self, config: Config) {
        self.under_way.set(config);
        if !self.private.with_value(|private| private.has_draft) {
            self.next.set(config);
        }
    }

    /// The settings of the run that is shown now are those to begin the next one with.
    pub(super) fn take_settings_of_shown(&self) {
        let config = self
            .run
            .with_untracked(|run| run.as_ref().map(|run| *run.config()));
        if let Some(config) = config {
            self.private
                .update_value(|private| private.has_draft = false);
            self.show_settings_of(config);
        }
    }

    /// Shows the settings of the next run while one is open, or again those of the open one.
    pub fn draft_next(&self, is_drafting: bool) {
        self.private
            .update_value(|private| private.has_draft |= is_drafting);
        self.is_drafting.set(is_drafting);
        self.invalid.update(HashMap::clear);
    }

    /// Changes a setting of the open run from its next step on.
    pub fn edit(&self, edit: Edit) {
        self.tell(Command::Edit(edit));
    }

    /// Tells the open run something.
    pub fn tell(&self, command: Command) {
        if let Some(run) = self.stage.get_untracked().trained() {
            self.send(&ToWorker::Tell { run, command });
        }
    }
}

/// A tenth of a learning rate as a person would write it, at least the smallest there is.
pub(super) fn tenth_of(rate: f64) -> f64 {
    let rounded: f64 = format!("{:.4e}", rate / 10.0)
        .parse()
        .unwrap_or(rate / 10.0);
    rounded.max(Setting::LearningRate.range().0)
}
