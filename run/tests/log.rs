//! Whatever happens to a run, and however it is cut into segments: what is read back is what was.
#![allow(
    clippy::unwrap_used,
    reason = "a test that finds nothing to unwrap has failed"
)]

use kiln_model::checkpoint::{self, Snapshot};
use kiln_model::config::{Config, Edit};
use kiln_model::event::{Event, Moment, Quality, Score, State, Trained};
use kiln_run::classes::Classes;
use kiln_run::device::Backend;
use kiln_run::log::segment::LogError;
use kiln_run::protocol::RunId;
use kiln_run::run::checkpoint::Checkpoint;
use kiln_run::run::reading::Reading;
use kiln_run::run::{Identity, Run, Status, Weights};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// 20 epochs of 9 steps.
fn config() -> Config {
    Config {
        epochs: 20,
        batch_size: 100,
        learning_rate: 0.01,
        training_images: 1_000,
        ..Config::default()
    }
}

fn identity() -> Identity {
    Identity {
        id: RunId(1),
        name: "amber-bowl-1".to_owned(),
        backend: Backend::Cpu,
        adapter: None,
        started_at: "2026-11-23T14:02:00Z".to_owned(),
        colour: 0,
        tags: Vec::new(),
        notes: String::new(),
        data_name: "letters".to_owned(),
        classes: Classes::default(),
        taken_up: Vec::new(),
    }
}

fn checkpoint(config: Config, step: u32) -> Checkpoint {
    let snapshot = Snapshot {
        step,
        weights_step: step,
        ..Snapshot::initial(config, "data".to_owned())
    };
    Checkpoint::new(checkpoint::write(&snapshot).unwrap()).unwrap()
}

/// A run to which anything happens.
struct Story {
    rng: ChaCha8Rng,
    run: Run,
    seconds: f64,
    /// What the store has, by the number of the first entry.
    store: std::collections::BTreeMap<u64, Vec<u8>>,
    kept: Option<Checkpoint>,
}

impl Story {
    fn new(seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            run: Run::new(identity(), config(), "data".to_owned()),
            seconds: 0.0,
            store: std::collections::BTreeMap::new(),
            kept: None,
        }
    }

    /// A figure, now and then none at all.
    fn figure(&mut self) -> f64 {
        match self.rng.random_range(0..40) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            _ => self.rng.random_range(0.0..3.0),
        }
    }

    fn quality(&mut self) -> Quality {
        let accuracy = f64::from(self.rng.random_range(0..=100_u32)) / 100.0;
        Quality {
            loss: self.figure(),
            accuracy,
        }
    }

    fn at(&mut self, step: u32) -> Moment {
        self.seconds += self.rng.random_range(0.0..0.01);
        let plan = self.run.plan();
        // A session of another kind may count otherwise.
        let epoch = if self.rng.random_range(0..30) == 0 {
            0.5
        } else {
            plan.epochs_after(step)
        };
        Moment {
            step,
            epoch,
            images: plan.images_after(step),
            elapsed_secs: self.seconds,
        }
    }

    fn happen(&mut self) {
        let done = self.run.steps_done();
        match self.rng.random_range(0..24) {
            0 => {
                let (at, quality) = (self.at(done), self.quality());
                self.run.apply(Event::Validation(at, quality));
            }
            1 => {
                let (at, quality) = (self.at(done), self.quality());
                self.run.apply(Event::Epoch(at, quality));
            }
            2 => {
                let (at, rate) = (self.at(done), self.figure());
                self.run.apply(Event::Throughput(at, rate));
            }
            3 => {
                let (at, rate) = (self.at(done), self.rng.random_range(1e-4..1.0));
                let edit = Event::Edited(at, Edit::LearningRate(rate));
                self.run.apply(edit);
            }
            4 => {
                let states = [
                    State::Running,
                    State::Paused,
                    State::Finishing,
                    State::Finished,
                    State::Failed,
                ];
                let state = states[self.rng.random_range(0..states.len())];
                self.run.apply(Event::State(state));
            }
            5 => self.run.take_up(self.seconds * 1_000.0),
            6 => {
                let step = done.min(self.run.plan().total_steps());
                let kept = checkpoint(*self.run.config(), step);
                self.kept = Some(kept.clone());
                self.run.keep(kept);
            }
            7 if self.rng.random_range(0..4) == 0 => self.run.rewind(),
            8 if self.rng.random_range(0..4) == 0 => {
                let epochs = self.rng.random_range(1..=50);
                self.run.reopen(epochs);
            }
            9 => self.run.interrupt(),
            10 => {
                let (at, quality) = (self.at(done), self.quality());
                let score = Score {
                    quality,
                    correct: 9_000,
                    images: 10_000,
                };
                self.run.apply(Event::Score(at, score));
            }
            11 => {
                let at = self.at(done);
                self.run.apply(Event::StoppedEarly(at, done / 2));
            }
            12 => {
                let (at, trained) = (self.at(done + 1), self.trained());
                self.run.apply(Event::Diverged(at, trained));
            }
            13 if self.rng.random_range(0..4) == 0 => {
                self.run.tell_again();
                self.store.clear();
            }
            13 => self.run.apply(Event::Measuring {
                images: 1,
                total: 2,
            }),
            14 => self.write(),
            _ => {
                let (at, trained) = (self.at(done + 1), self.trained());
                self.run.apply(Event::Step(at, trained));
            }
        }
    }

    fn trained(&mut self) -> Trained {
        Trained {
            quality: self.quality(),
            learning_rate: self.run.config().learning_rate,
            gradient_norm: self.figure(),
        }
    }

    /// The store takes what is new; now and then nobody hears that it did.
    fn write(&mut self) {
        let unkept = self.run.unkept().unwrap();
        if let Some(segment) = &unkept.segment {
            self.store.insert(segment.first, segment.bytes.clone());
        }
        if self.rng.random_range(0..4) > 0 {
            self.run.note_kept(&unkept);
        }
    }

    fn read(&self) -> Run {
        let mut reading = Reading::new(identity());
        for segment in self.store.values() {
            reading.take(segment);
        }
        reading.end(self.kept.clone())
    }
}

/// All that a person can see of a run. In words, since a number that is none equals nothing.
fn seen(run: &Run) -> String {
    format!(
        "{:?}",
        (
            &run.identity,
            run.config(),
            run.data(),
            run.status(),
            run.history(),
            run.reopened(),
            run.is_scoring(),
            run.weights_step(kiln_run::run::Weights::Last),
            run.damage(),
        )
    )
}

#[test]
fn a_log_gives_the_run_back_however_it_was_cut() {
    for seed in 0..200 {
        let mut story = Story::new(seed);
        for _ in 0..300 {
            story.happen();
        }
        story.write();
        let (mut run, mut again) = (story.run.clone(), story.read());
        assert_eq!(seen(&again), seen(&run), "seed {seed}");
        // And where it goes back to is the same.
        run.rewind();
        again.rewind();
        assert_eq!(seen(&again), seen(&run), "seed {seed}");
        // What is added to what was read is written behind it.
        again.apply(Event::State(State::Running));
        run.apply(Event::State(State::Running));
        let added = again.unkept().unwrap().segment.unwrap();
        story.store.insert(added.first, added.bytes);
        assert_eq!(seen(&story.read()), seen(&run), "seed {seed}");
    }
}

/// A run of so many steps, the store of which took a segment after every tenth.
fn written(steps: u32) -> Story {
    let mut story = Story::new(0);
    for step in 1..=steps {
        let at = Moment {
            step,
            epoch: story.run.plan().epochs_after(step),
            images: story.run.plan().images_after(step),
            elapsed_secs: f64::from(step),
        };
        let trained = Trained {
            quality: Quality {
                loss: 1.0 / f64::from(step),
                accuracy: f64::from(step % 100) / 100.0,
            },
            learning_rate: 0.01,
            gradient_norm: f64::from(step).sqrt(),
        };
        story.run.apply(Event::Step(at, trained));
        if step % 10 == 0 {
            let unkept = story.run.unkept().unwrap();
            let segment = unkept.segment.clone().unwrap();
            story.store.insert(segment.first, segment.bytes);
            story.run.note_kept(&unkept);
        }
    }
    story
}

#[test]
fn a_damaged_log_is_read_as_far_as_it_is_whole() {
    let whole = written(50);
    let third = *whole.store.keys().nth(2).unwrap();
    let spoil = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut story = written(50);
        change(story.store.get_mut(&third).unwrap());
        story.read()
    };
    let middle = whole.store[&third].len() / 2;
    let damaged = [
        spoil(&|file| file.truncate(middle)),
        spoil(&|file| file[middle] ^= 1),
        spoil(&|file| file[8] = 9),
        spoil(&|file| file.clear()),
    ];
    for run in &damaged {
        assert_eq!(run.steps_done(), 20, "{:?}", run.damage());
        assert!(run.damage().is_some());
    }
    assert_eq!(damaged[0].damage(), Some(&LogError::Damaged));
    assert_eq!(damaged[2].damage(), Some(&LogError::Version { found: 9 }));
    let mut gone = written(50);
    gone.store.remove(&third);
    assert_eq!(gone.read().damage(), Some(&LogError::Missing(third)));
    // Nothing is ever written behind what is missing.
    let mut run = gone.read();
    run.apply(Event::State(State::Running));
    assert_eq!(run.unkept().unwrap().segment, None);
    // That a person has ended it stands in its record.
    let ended = Status::Session(State::Stopped);
    run.end_as(Status::Interrupted);
    assert!(run.status().is_open());
    run.end_as(ended);
    assert_eq!(run.status(), ended);
    // Nor is a score added to what cannot be added to.
    let score = Score {
        quality: Quality {
            loss: 0.1,
            accuracy: 0.9,
        },
        correct: 9_000,
        images: 10_000,
    };
    run.keep(checkpoint(*run.config(), 10));
    let best = run.weights_step(Weights::Best).unwrap();
    assert!(!run.take_score(best, score));
    let mut open = written(50).read();
    let status = open.status();
    open.end_as(ended);
    assert_eq!(open.status(), status);
    // A log of which nothing is there is damaged too.
    gone.store.clear();
    assert_eq!(gone.read().damage(), Some(&LogError::Missing(0)));
}

#[test]
fn a_flipped_bit_never_gives_another_run() {
    let mut story = written(20);
    let (first, last) = {
        let mut keys = story.store.keys().copied();
        (keys.next().unwrap(), keys.next().unwrap())
    };
    let whole = seen(&story.read());
    for key in [first, last] {
        let len = story.store[&key].len();
        for bit in (0..8 * len).step_by(7) {
            story.store.get_mut(&key).unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert!(story.read().damage().is_some(), "bit {bit}");
            story.store.get_mut(&key).unwrap()[bit / 8] ^= 1 << (bit % 8);
        }
    }
    assert_eq!(seen(&story.read()), whole);
}

#[test]
fn a_keep_costs_what_is_new() {
    let story = written(200);
    // Five columns, of which two are left out or short; 25 bytes a step and the names of columns.
    for (first, segment) in story.store.iter().skip(1) {
        assert!(segment.len() < 600, "{first}: {} bytes", segment.len());
    }
    let mut long = written(0);
    for step in 1..=10_000 {
        let at = Moment {
            step,
            epoch: long.run.plan().epochs_after(step),
            images: long.run.plan().images_after(step),
            elapsed_secs: f64::from(step) / 3.0,
        };
        let mut trained = long.trained();
        trained.quality.loss = 1.0 / f64::from(step);
        long.run.apply(Event::Step(at, trained));
    }
    let segment = long.run.unkept().unwrap().segment.unwrap();
    let bytes = segment.bytes.len() as f64 / 10_000.0;
    assert!(bytes < 27.0, "{bytes} bytes a step");
}
