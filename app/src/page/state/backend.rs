//! Which backend trains, and how fast each is: the worker that fits is started; where the page may
//! choose, a second one is timed in the background.

use kiln_model::config::Config;
use leptos::prelude::*;

use crate::browser::bridge::{Bridge, Program};
use crate::browser::probe::probe;
use crate::browser::remembered;
use crate::page::state::notice::{Notice, Remedy};
use crate::page::state::trainer::{Loading, Trainer};
use kiln_run::device::{Backend, BackendChoice, Chosen, NoGpu, choose};
use kiln_run::protocol::{Data, FromWorker, ToWorker};

impl Trainer {
    /// What is trained on, once it is known.
    pub fn backend(&self) -> Option<Backend> {
        self.chosen
            .with(|chosen| chosen.as_ref().map(|chosen| chosen.backend))
    }

    /// Changes what the person asks to train on.
    pub fn choose(&self, choice: BackendChoice) {
        self.choice.set(choice);
        // Whoever chooses is not overruled by a measurement that is still under way.
        self.private.update_value(|private| private.rival = None);
        let was_refused = self
            .private
            .with_value(|private| matches!(private.probed, Some(Err(_))));
        if choice == BackendChoice::WebGpu && was_refused {
            let trainer = *self;
            wasm_bindgen_futures::spawn_local(async move {
                trainer.look_for_gpu().await;
                if trainer.choice.get_untracked() == choice
                    && !untrack(|| trainer.phase()).is_open()
                {
                    trainer.open_chosen();
                }
            });
        } else {
            self.open_chosen();
        }
    }

    /// Asks the browser for a GPU.
    pub(super) async fn look_for_gpu(self) {
        let probed = if Program::GpuTrainer.is_there() {
            probe().await
        } else {
            Err(NoGpu::NotBuilt)
        };
        self.private
            .update_value(|private| private.probed = Some(probed));
    }

    fn open_chosen(&self) {
        self.open_worker();
        let reason = self
            .chosen
            .with_untracked(|chosen| chosen.as_ref().and_then(|chosen| chosen.reason.clone()));
        if let Some(reason) = reason {
            self.notify(Notice::info(reason.to_string()));
        }
        self.measure();
    }

    /// Changes how many workers train together on the CPU; nothing for as many as there are cores.
    pub fn employ(&self, workers: Option<u32>) {
        self.workers.set(workers);
        remembered::remember_workers(workers);
        self.send(&ToWorker::Employ { workers });
        self.speeds.update(|speeds| speeds.set(Backend::Cpu, None));
        self.measure();
    }

    /// Starts the worker that fits, unless it is there.
    pub(super) fn open_worker(&self) {
        let Some(probed) = self.private.with_value(|private| private.probed.clone()) else {
            return;
        };
        if self.sources.data().is_none() {
            return;
        }
        let speeds = self.speeds.get_untracked();
        let chosen = choose(self.choice.get_untracked(), &probed, &speeds);
        let before = self.chosen.get_untracked();
        let has_worker = self.private.with_value(|private| private.bridge.is_some());
        let is_other = before.is_none_or(|before| before.backend != chosen.backend);
        let backend = chosen.backend;
        self.set_chosen(chosen);
        if is_other || !has_worker {
            self.start_worker(backend);
        }
    }

    /// Says why it is not the GPU where that went wrong; what a browser lacks stands where runs are
    /// started.
    fn set_chosen(&self, chosen: Chosen) {
        if self.chosen.get_untracked().as_ref() == Some(&chosen) {
            return;
        }
        if let Some(reason @ NoGpu::Refused(_)) = &chosen.reason {
            self.notify(Notice::info(reason.to_string()));
        }
        self.chosen.set(Some(chosen));
    }

    pub(super) fn start_worker(&self, backend: Backend) {
        self.private.update_value(|private| {
            private.bridge = None;
            private.rival = None;
        });
        self.is_open.set(false);
        self.adapter.set(None);
        self.loading.set(Loading::Bytes(0, self.sources.bytes()));
        let trainer = *self;
        match Bridge::start(Program::trainer(backend), move |message| {
            trainer.receive(message)
        }) {
            Ok(bridge) => {
                self.private
                    .update_value(|private| private.bridge = Some(bridge));
                self.send(&self.opening());
            }
            Err(details) => self.notify(Notice::problem(
                "The trainer could not be started.",
                [Remedy::Copy(details)],
            )),
        }
    }

    /// Has the worker load the data, and open its device where it has not.
    pub(super) fn opening(&self) -> ToWorker {
        let data = self.sources.data();
        ToWorker::Open {
            data: data.map_or(Data::Mnist, |data| Data::clone(&data)),
            workers: self.workers.get_untracked(),
        }
    }

    /// Has the faster backend train, and whatever was not measured be timed: first what trains, then
    /// the GPU where the page may choose. A run goes before; this is asked for again once it has
    /// ended.
    pub(super) fn measure(&self) {
        let is_free = || untrack(|| self.is_ready() && !self.phase().is_open());
        if is_free() {
            self.open_worker();
        }
        // Another worker is only now being opened; it is measured then.
        let Some(backend) = untrack(|| self.backend()).filter(|_| is_free()) else {
            return;
        };
        let speeds = self.speeds.get_untracked();
        let (has_gpu, has_rival) = self.private.with_value(|private| {
            let has_gpu = private.probed.as_ref().is_some_and(Result::is_ok);
            (has_gpu, private.rival.is_some())
        });
        let is_auto = self.choice.get_untracked() == BackendChoice::Auto;
        if speeds.get(backend).is_none() {
            self.send(&ToWorker::Time);
        } else if is_auto && has_gpu && !has_rival && speeds.fastest().is_none() {
            self.start_rival();
        }
    }

    /// The worker that trains says how fast it is.
    pub(super) fn timed(&self, images_per_sec: f64) {
        if let Some(backend) = untrack(|| self.backend()) {
            self.speeds
                .update(|speeds| speeds.set(backend, Some(images_per_sec)));
        }
        self.measure();
    }

    fn start_rival(&self) {
        let trainer = *self;
        let started = Bridge::start(Program::GpuTrainer, move |message| {
            if untrack(|| trainer.backend()) == Some(Backend::WebGpu) {
                trainer.receive(message);
            } else {
                trainer.hear_rival(message);
            }
        });
        let sent = started.and_then(|bridge| {
            bridge.send(&self.opening())?;
            bridge.send(&ToWorker::Time)?;
            Ok(bridge)
        });
        match sent {
            Ok(bridge) => self
                .private
                .update_value(|private| private.rival = Some((bridge, None))),
            Err(reason) => self.refuse(reason),
        }
    }

    fn hear_rival(&self, message: FromWorker) {
        match message {
            FromWorker::Opened { adapter } => self.private.update_value(|private| {
                if let Some((_, known)) = &mut private.rival {
                    *known = adapter;
                }
            }),
            FromWorker::Timed { images_per_sec } => {
                self.speeds
                    .update(|speeds| speeds.set(Backend::WebGpu, Some(images_per_sec)));
                self.let_the_faster_train();
            }
            FromWorker::Unfit { reason } | FromWorker::Fatal { details: reason } => {
                self.refuse(reason);
            }
            // The other worker has the data; which of them is faster is found out another time.
            FromWorker::LoadFailed { .. } => {
                self.private.update_value(|private| private.rival = None);
            }
            _ => {}
        }
    }

    /// Both are measured, and both are there: one of them goes.
    fn let_the_faster_train(&self) {
        let rival = self
            .private
            .try_update_value(|private| private.rival.take())
            .flatten();
        let is_faster = self.speeds.get_untracked().fastest() == Some(Backend::WebGpu);
        let Some((bridge, adapter)) = rival.filter(|_| is_faster) else {
            return;
        };
        self.private
            .update_value(|private| private.bridge = Some(bridge));
        self.set_chosen(Chosen {
            backend: Backend::WebGpu,
            reason: None,
        });
        self.adapter.set(adapter);
        self.is_open.set(true);
        self.loading.set(Loading::Done);
    }

    /// What was chosen cannot be had: without the process beside the page the tab trains, and without the
    /// GPU the CPU.
    pub(super) fn refuse(&self, reason: String) {
        if self.choice.get_untracked() == BackendChoice::Native {
            self.choice.set(BackendChoice::Auto);
            self.notify(Notice::problem(
                format!("The trainer on this machine cannot be used: {reason}. This tab trains."),
                [],
            ));
        } else {
            self.private.update_value(|private| {
                private.probed = Some(Err(NoGpu::Refused(reason)));
                private.rival = None;
            });
        }
        self.open_worker();
    }

    /// Seconds that the settings will take, from the speed that was measured or else that of a run
    /// before; training alone. What was measured now counts: the machine may be busy, or have other
    /// workers than it had then.
    pub fn estimated_secs(&self, config: &Config) -> Option<f64> {
        let backend = self.backend()?;
        let rate = self
            .speeds
            .get()
            .get(backend)
            .or_else(|| remembered::speed(backend, config.batch_size))?;
        let plan = config.plan();
        Some(plan.images_after(plan.total_steps()) as f64 / rate)
    }
}
