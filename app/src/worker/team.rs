//! A worker's helpers, and the crew that it makes with them.
//!
//! What a helper does not answer is computed here, to the same bits, and another takes its place.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use js_sys::Float32Array;
use kiln_model::batch::Draw;
use kiln_model::config::Config;
use kiln_model::dataset::{Dataset, Part};
use kiln_model::train::crew::{
    Branch, Crew, Hand, MOST_SHARES, Pending, branches, divide, neighbours, share_count, whole,
};
use kiln_model::train::fused::{Outcome, Sums};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, MessageEvent, Worker, WorkerOptions, WorkerType};

use super::helper::NAME;
use super::task::{Parcel, Spare, Task, answer};

/// The program of a helper, which is this worker's own.
const PROGRAM: &str = "./cpu_worker_loader.js";
/// A helper that is silent for so long is given up; its part of a step takes milliseconds.
const LONGEST_SILENCE_MS: u32 = 10_000;
/// After so many helpers that broke the work goes on with those that are left.
const MOST_BROKEN: u32 = 5;

/// One other worker.
struct Helper {
    worker: Worker,
    /// Its answers; nothing where it broke.
    heard: UnboundedReceiver<Option<Vec<Float32Array>>>,
    /// Arrays of its answers that have been read.
    spare: Spare,
    is_ready: bool,
    /// The settings whose images it has picked out.
    split: Option<Config>,
    _listeners: [Closure<dyn Fn(Event)>; 2],
}

impl Helper {
    fn start() -> Option<Self> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        options.set_name(NAME);
        let worker = Worker::new_with_options(PROGRAM, &options).ok()?;
        let (sender, heard) = unbounded();
        let broke = sender.clone();
        let on_message = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let message = event.unchecked_ref::<MessageEvent>().data();
            // Where nobody listens any more, nobody misses it.
            drop(sender.unbounded_send(answer(&message)));
        });
        let on_error = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            // Else the page hears of it, and takes this worker for broken.
            event.prevent_default();
            drop(broke.unbounded_send(None));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self {
            worker,
            heard,
            spare: Spare::default(),
            is_ready: false,
            split: None,
            _listeners: [on_message, on_error],
        })
    }

    /// Whether it still works; one that has begun to listen is given the images.
    fn look_after(&mut self, dataset: &Dataset) -> bool {
        match self.heard.try_recv() {
            Ok(Some(_)) => {
                let [training, test] = dataset.files().map(|images| images.bytes());
                let bytes = [training.0, training.1, test.0, test.1];
                self.is_ready = true;
                self.send(Parcel::with_bytes(&Task::Hold, &bytes))
            }
            Ok(None) => false,
            Err(_) => true,
        }
    }

    /// Gives it a task; says whether it could be given.
    fn ask(&mut self, config: &Config, task: &Task, weights: &[f32]) -> bool {
        if self.split != Some(*config) {
            self.split = Some(*config);
            if !self.send(Parcel::with_bytes(&Task::Split(*config), &[])) {
                return false;
            }
        }
        let parcel = Parcel::with_weights(task, weights, &mut self.spare);
        self.send(parcel)
    }

    fn send(&self, parcel: Result<Parcel, crate::browser::codec::CodecError>) -> bool {
        parcel.is_ok_and(|Parcel { message, transfer }| {
            self.worker
                .post_message_with_transfer(&message, &transfer)
                .is_ok()
        })
    }

    async fn answer(&mut self) -> Option<Vec<Float32Array>> {
        let silence = TimeoutFuture::new(LONGEST_SILENCE_MS);
        match select(self.heard.next(), silence).await {
            Either::Left((heard, _)) => heard.flatten(),
            Either::Right(_) => None,
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// A worker's helpers; a handle that is copied about.
#[derive(Clone)]
pub struct Helpers {
    dataset: Dataset,
    wanted: Rc<Cell<usize>>,
    broken: Rc<Cell<u32>>,
    present: Rc<Cell<Vec<Helper>>>,
}

impl fmt::Debug for Helpers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Helpers({})", self.wanted.get())
    }
}

impl Helpers {
    /// Helpers for this data, so that there are so many workers in all.
    pub fn new(dataset: Dataset, workers: u32) -> Self {
        let helpers = Self {
            dataset,
            wanted: Rc::default(),
            broken: Rc::default(),
            present: Rc::default(),
        };
        helpers.set(workers);
        helpers
    }

    /// Has so many workers in all from the next step on; this one is one of them.
    pub fn set(&self, workers: u32) {
        let workers = (workers as usize).clamp(1, MOST_SHARES);
        self.wanted.set(workers - 1);
        self.broken.set(0);
        self.present.set(self.gather());
    }

    /// The crew for a run.
    pub fn team(&self, config: &Config) -> Team {
        Team {
            hand: Hand::new(self.dataset.split_for(config)),
            config: *config,
            helpers: self.clone(),
        }
    }

    /// All helpers, as many as there are to be, some of which may not listen yet.
    fn gather(&self) -> Vec<Helper> {
        let mut helpers = self.present.take();
        let before = helpers.len();
        helpers.retain_mut(|helper| helper.look_after(&self.dataset));
        self.count_broken(before - helpers.len());
        helpers.truncate(self.wanted.get());
        while helpers.len() < self.wanted.get() && self.broken.get() < MOST_BROKEN {
            match Helper::start() {
                Some(helper) => helpers.push(helper),
                None => self.count_broken(1),
            }
        }
        helpers
    }

    fn count_broken(&self, count: usize) {
        self.broken.set(self.broken.get() + count as u32);
    }
}

/// This worker and its helpers, on one run.
#[derive(Debug)]
pub struct Team {
    hand: Hand,
    config: Config,
    helpers: Helpers,
}

impl Team {
    /// Has each part of some work done by somebody, the first by this worker, and joins the
    /// results in order. `results` reads a helper's answer to a part.
    async fn share<R>(
        &self,
        weights: &[f32],
        tasks: Vec<usize>,
        task: impl Fn(&[usize]) -> Task,
        here: impl Fn(&[usize]) -> Vec<R>,
        results: impl Fn(&[usize], &[Float32Array]) -> Option<Vec<R>>,
    ) -> Vec<R> {
        let mut helpers = self.helpers.gather();
        let mut ready: Vec<&mut Helper> = helpers
            .iter_mut()
            .filter(|helper| helper.is_ready)
            .collect();
        let parts = divide(tasks, ready.len() + 1);
        let asked: Vec<bool> = ready
            .iter_mut()
            .zip(&parts[1..])
            .map(|(helper, part)| {
                !part.is_empty() && helper.ask(&self.config, &task(part), weights)
            })
            .collect();
        let mut all = here(&parts[0]);
        let mut broken = 0;
        for ((helper, part), asked) in ready.into_iter().zip(&parts[1..]).zip(asked) {
            if part.is_empty() {
                continue;
            }
            let answer = if asked { helper.answer().await } else { None };
            let found = answer.and_then(|answer| {
                let found = results(part, &answer);
                helper.spare = Spare::new(answer);
                found
            });
            match found {
                Some(found) => all.extend(found),
                None => {
                    helper.is_ready = false;
                    broken += 1;
                    all.extend(here(part));
                }
            }
        }
        if broken > 0 {
            // Those that have been given the images and no longer listen are ended here.
            helpers.retain(|helper| helper.is_ready || helper.split.is_none());
            self.helpers.count_broken(broken);
        }
        self.helpers.present.set(helpers);
        all
    }
}

impl Crew for Team {
    fn train<'a>(&'a mut self, weights: &'a [f32], draw: &'a Draw) -> Pending<'a, Outcome> {
        Box::pin(async move {
            let found = self.share(
                weights,
                (0..share_count(draw.rows.len())).collect(),
                |shares| Task::Train {
                    draw: draw.clone(),
                    shares: neighbours(shares),
                },
                |shares| self.hand.train(weights, draw, neighbours(shares)),
                |shares, answer| {
                    let mut arrays = answer.iter();
                    let branch = |shares| {
                        let sums = arrays.next()?;
                        let outcome = Outcome {
                            sums: Sums::of_numbers(sums.length() as usize, |own| {
                                sums.copy_to(own)
                            })?,
                            logits: arrays.next()?.to_vec(),
                        };
                        Some(Branch { shares, outcome })
                    };
                    branches(neighbours(shares))
                        .into_iter()
                        .map(branch)
                        .collect()
                },
            );
            Ok(whole(found.await))
        })
    }

    fn logits<'a>(
        &'a mut self,
        weights: &'a [f32],
        part: Part,
        images: Range<usize>,
    ) -> Pending<'a, Vec<f32>> {
        Box::pin(async move {
            let logits = self.share(
                weights,
                images.collect(),
                |images| Task::Answer {
                    part,
                    images: neighbours(images),
                },
                |images| self.hand.logits(weights, part, neighbours(images)),
                |_, answer| answer.first().map(Float32Array::to_vec),
            );
            Ok(logits.await)
        })
    }
}
