//! Every state of a page's run meets every event; and no walk through them breaks what must hold.

use kiln_model::event::{Moment, Quality, Score, State, Trained};
use kiln_run::classes::Classes;
use kiln_run::device::Backend;
use kiln_run::life::{Activity, Before, Effect, Event, Goal, Rest, Stage};
use kiln_run::protocol::RunId;
use kiln_run::run::{Identity, Run, Status};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use Activity::{Finishing, Paused, Running};
use Effect as Do;
use Rest::{Failed, Finished, Interrupted, Stopped};
use Stage::{AwaitingNew, AwaitingOld, Claiming, Empty, Open, Preparing, Resting};

/// The run that is shown, the one that is asked for, and one of which nobody knows here.
const OLD: RunId = RunId(1);
const NEW: RunId = RunId(2);
const OTHER: RunId = RunId(3);

const RESUME: Goal = Goal::Resume { paused: false };
const GO_ON: Goal = Goal::Continue { epochs: 9 };

fn stages() -> Vec<Stage> {
    let mut stages = vec![Empty];
    for rest in [Interrupted, Stopped, Finished, Failed] {
        stages.push(Resting(OLD, rest));
    }
    stages.extend([
        Claiming(OLD, Interrupted, RESUME),
        Claiming(OLD, Finished, GO_ON),
        AwaitingNew(None, NEW),
        AwaitingNew(Some((OLD, Finished)), NEW),
        AwaitingOld(OLD, Interrupted, RESUME),
        AwaitingOld(OLD, Finished, GO_ON),
        Preparing(OLD, Before::New(None)),
        Preparing(OLD, Before::New(Some((NEW, Finished)))),
        Preparing(OLD, Before::Resumed),
        Preparing(OLD, Before::Continued(Finished, 9)),
        Open(OLD, Running),
        Open(OLD, Paused),
        Open(OLD, Finishing),
    ]);
    stages
}

fn events() -> Vec<Event> {
    let mut events = vec![
        Event::Begin(NEW),
        Event::Resume,
        Event::Continue { epochs: 9 },
        Event::Close,
        Event::Cancel,
        Event::Read(OTHER, Stopped),
        Event::Ready,
        Event::Broke { is_first: true },
        Event::Broke { is_first: false },
    ];
    for run in [OLD, OTHER] {
        events.extend([
            Event::Gone(run),
            Event::Claimed(run, true),
            Event::Claimed(run, false),
            Event::Heard(run),
            Event::Refused(run),
            Event::Wanted(run),
        ]);
        for state in [
            State::Running,
            State::Paused,
            State::Finishing,
            State::Stopped,
            State::Finished,
            State::Failed,
        ] {
            events.push(Event::Told(run, state));
        }
    }
    events
}

type Row = (Stage, Event, bool, Stage, Vec<Effect>);

/// A row for an event that means the same whether device and data are there or not.
fn both(rows: &mut Vec<Row>, stage: Stage, event: Event, then: Stage, effects: &[Effect]) {
    for is_ready in [false, true] {
        rows.push((stage, event, is_ready, then, effects.to_vec()));
    }
}

/// Everything that means anything. What is not here changes nothing and has nothing done.
fn table() -> Vec<Row> {
    let mut rows = Vec::new();
    let new = |before| {
        [
            (false, AwaitingNew(before, NEW), vec![Do::OpenTrainer]),
            (
                true,
                Preparing(NEW, Before::New(before)),
                vec![Do::Start(NEW)],
            ),
        ]
    };

    // A new run begins where none is under way, and waits for what is not there yet.
    for rest in [
        None,
        Some(Interrupted),
        Some(Stopped),
        Some(Finished),
        Some(Failed),
    ] {
        let stage = rest.map_or(Empty, |rest| Resting(OLD, rest));
        for (is_ready, then, effects) in new(rest.map(|rest| (OLD, rest))) {
            rows.push((stage, Event::Begin(NEW), is_ready, then, effects));
        }
        both(
            &mut rows,
            stage,
            Event::Read(OTHER, Stopped),
            Resting(OTHER, Stopped),
            &[],
        );
    }
    for before in [None, Some((OLD, Finished))] {
        let (stage, back) = (
            AwaitingNew(before, NEW),
            before.map_or(Empty, |(run, rest)| Resting(run, rest)),
        );
        let begun = Preparing(NEW, Before::New(before));
        both(&mut rows, stage, Event::Ready, begun, &[Do::Start(NEW)]);
        both(&mut rows, stage, Event::Cancel, back, &[Do::Measure]);
        for is_first in [true, false] {
            let broke = Event::Broke { is_first };
            both(&mut rows, stage, broke, back, &[Do::SayBroken]);
        }
    }
    let gone = Event::Gone(OLD);
    both(
        &mut rows,
        AwaitingNew(Some((OLD, Finished)), NEW),
        gone,
        AwaitingNew(None, NEW),
        &[],
    );

    // What rests can go on, once no other tab has it.
    let resting = |rest| Resting(OLD, rest);
    let claim = [Do::Claim(OLD)];
    let claiming = Claiming(OLD, Interrupted, RESUME);
    both(
        &mut rows,
        resting(Interrupted),
        Event::Resume,
        claiming,
        &claim,
    );
    for rest in [Stopped, Finished] {
        let event = Event::Continue { epochs: 9 };
        both(
            &mut rows,
            resting(rest),
            event,
            Claiming(OLD, rest, GO_ON),
            &claim,
        );
    }
    let close = [Do::Close(OLD), Do::Keep(OLD)];
    both(
        &mut rows,
        resting(Interrupted),
        Event::Close,
        resting(Stopped),
        &close,
    );
    for rest in [Interrupted, Stopped, Finished, Failed] {
        both(&mut rows, resting(rest), gone, Empty, &[]);
    }
    for (rest, goal, before) in [
        (Interrupted, RESUME, Before::Resumed),
        (Finished, GO_ON, Before::Continued(Finished, 9)),
    ] {
        let stage = Claiming(OLD, rest, goal);
        let (waits, begun) = (AwaitingOld(OLD, rest, goal), Preparing(OLD, before));
        let given = Event::Claimed(OLD, true);
        rows.push((stage, given, false, waits, vec![Do::OpenTrainer]));
        rows.push((stage, given, true, begun, vec![Do::GoOn(OLD, goal)]));
        let refused = Event::Claimed(OLD, false);
        both(
            &mut rows,
            stage,
            refused,
            resting(rest),
            &[Do::SayElsewhere(OLD)],
        );
        both(&mut rows, stage, Event::Cancel, resting(rest), &[]);
        both(&mut rows, stage, gone, Empty, &[]);
        both(
            &mut rows,
            waits,
            Event::Ready,
            begun,
            &[Do::GoOn(OLD, goal)],
        );
    }
    let (waits, ended) = (
        AwaitingOld(OLD, Interrupted, RESUME),
        AwaitingOld(OLD, Finished, GO_ON),
    );
    let interrupted = [Do::Interrupt(OLD), Do::LetGo, Do::Measure];
    both(
        &mut rows,
        waits,
        Event::Cancel,
        resting(Interrupted),
        &interrupted,
    );
    both(
        &mut rows,
        ended,
        Event::Cancel,
        resting(Finished),
        &[Do::LetGo, Do::Measure],
    );
    for is_first in [true, false] {
        let broke = Event::Broke { is_first };
        let lost: &[Effect] = if is_first {
            &[Do::Interrupt(OLD), Do::LetGo, Do::Measure, Do::SayBroken]
        } else {
            &[Do::Interrupt(OLD), Do::LetGo, Do::AskAboutLoss(OLD)]
        };
        both(&mut rows, waits, broke, resting(Interrupted), lost);
        let kept = [Do::LetGo, Do::Measure, Do::SayBroken];
        both(&mut rows, ended, broke, resting(Finished), &kept);
    }

    // What was asked of the trainer is as it was until the trainer says a word.
    let began = [Do::TakeUp(OLD), Do::MindScreen];
    let cancelled = Do::CancelTraining(OLD);
    for (before, back, first, forgotten) in [
        (Before::New(None), Empty, None, Do::Forget(OLD, None)),
        (
            Before::New(Some((NEW, Finished))),
            Resting(NEW, Finished),
            None,
            Do::Forget(OLD, Some(NEW)),
        ),
        (
            Before::Resumed,
            resting(Interrupted),
            Some(Do::GoBack(OLD)),
            Do::Interrupt(OLD),
        ),
        (
            Before::Continued(Finished, 9),
            resting(Finished),
            Some(Do::Reopen(OLD, 9)),
            Do::Measure,
        ),
    ] {
        let stage = Preparing(OLD, before);
        let effects: Vec<Effect> = first.into_iter().chain(began).collect();
        both(
            &mut rows,
            stage,
            Event::Heard(OLD),
            Open(OLD, Running),
            &effects,
        );
        let effects = match before {
            Before::New(_) => vec![cancelled, Do::LetGo, forgotten, Do::Measure],
            Before::Resumed => vec![cancelled, forgotten, Do::LetGo, Do::Measure],
            Before::Continued(..) => vec![cancelled, Do::LetGo, forgotten],
        };
        both(&mut rows, stage, Event::Cancel, back, &effects);
    }
    let continued = Preparing(OLD, Before::Continued(Finished, 9));
    let as_it_was = [Do::LetGo, Do::Measure];
    both(
        &mut rows,
        continued,
        Event::Refused(OLD),
        resting(Finished),
        &as_it_was,
    );
    let again = [Do::SayGoesOn(OLD), Do::OpenTrainer];
    let broke = |is_first| Event::Broke { is_first };
    both(&mut rows, continued, broke(true), ended, &again);
    let told = [Do::LetGo, Do::SayBroken];
    both(&mut rows, continued, broke(false), resting(Finished), &told);
    let handed = [
        cancelled,
        Do::Interrupt(OLD),
        Do::LetGo,
        Do::HandOver(OLD),
        Do::Measure,
    ];
    both(&mut rows, continued, Event::Wanted(OLD), Empty, &handed);

    // What goes wrong with a run that is under way leaves it where it was kept.
    for stage in [
        Preparing(OLD, Before::New(None)),
        Preparing(OLD, Before::New(Some((NEW, Finished)))),
        Preparing(OLD, Before::Resumed),
        Open(OLD, Running),
        Open(OLD, Paused),
        Open(OLD, Finishing),
    ] {
        let paused = stage == Open(OLD, Paused);
        let goes_on = AwaitingOld(OLD, Interrupted, Goal::Resume { paused });
        both(&mut rows, stage, broke(true), goes_on, &again);
        let lost = [Do::Interrupt(OLD), Do::LetGo, Do::AskAboutLoss(OLD)];
        both(&mut rows, stage, broke(false), resting(Interrupted), &lost);
        both(
            &mut rows,
            stage,
            Event::Refused(OLD),
            resting(Interrupted),
            &interrupted,
        );
        both(&mut rows, stage, Event::Wanted(OLD), Empty, &handed);
    }

    // What the trainer says of the open run.
    for activity in [Running, Paused, Finishing] {
        let stage = Open(OLD, activity);
        let mut told = |state, then, effects: &[Effect]| {
            both(&mut rows, stage, Event::Told(OLD, state), then, effects);
        };
        let screen = [Do::MindScreen];
        let running: &[Effect] = if activity == Running { &[] } else { &began };
        told(State::Running, Open(OLD, Running), running);
        told(State::Paused, Open(OLD, Paused), &screen);
        told(State::Finishing, Open(OLD, Finishing), &screen);
        let over = |last| [Do::LetGo, Do::Keep(OLD), last, Do::Measure];
        told(State::Stopped, resting(Stopped), &over(Do::TakeNext));
        told(State::Finished, resting(Finished), &over(Do::TakeNext));
        told(
            State::Failed,
            resting(Failed),
            &over(Do::AskAboutFailure(OLD)),
        );
    }

    for stage in stages() {
        // Speeds are found out whenever device and data come and nothing waits for them.
        if !matches!(stage, AwaitingNew(..) | AwaitingOld(..)) {
            both(&mut rows, stage, Event::Ready, stage, &[Do::Measure]);
        }
        // A trainer that broke while nothing was asked of it.
        if matches!(stage, Empty | Resting(..) | Claiming(..)) {
            for is_first in [true, false] {
                both(&mut rows, stage, broke(is_first), stage, &[Do::SayBroken]);
            }
        }
        // A lock that comes too late is given back.
        for run in [OLD, OTHER] {
            let is_wanted = matches!(stage, Claiming(..)) && run == OLD;
            if !is_wanted && stage.locked() != Some(run) {
                both(
                    &mut rows,
                    stage,
                    Event::Claimed(run, true),
                    stage,
                    &[Do::LetGo],
                );
            }
        }
    }
    rows
}

#[test]
fn every_state_meets_every_event() {
    let table = table();
    for stage in stages() {
        for event in events() {
            for is_ready in [false, true] {
                let mut rows = table
                    .iter()
                    .filter(|row| (row.0, row.1, row.2) == (stage, event, is_ready));
                let (then, effects) = match rows.next() {
                    Some((.., then, effects)) => (*then, effects.clone()),
                    None => (stage, vec![]),
                };
                assert_eq!(rows.next(), None, "{stage:?} meets {event:?} twice");
                assert_eq!(
                    stage.on(event, is_ready),
                    (then, effects),
                    "{stage:?} meets {event:?}, ready: {is_ready}"
                );
            }
        }
    }
}

/// A page without a browser: it does what it is told, and two runs are all there are.
struct World {
    rng: ChaCha8Rng,
    stage: Stage,
    is_ready: bool,
    runs: Vec<Run>,
    lock: Option<RunId>,
    trained: Option<RunId>,
    asked_about: Option<RunId>,
    next: u64,
}

fn new_run(id: RunId) -> Run {
    let identity = Identity {
        id,
        name: format!("run-{}", id.0),
        backend: Backend::Cpu,
        adapter: None,
        started_at: String::new(),
        colour: 0,
        tags: Vec::new(),
        notes: String::new(),
        data_name: String::new(),
        classes: Classes::default(),
        taken_up: Vec::new(),
    };
    Run::new(
        identity,
        kiln_model::config::Config::default(),
        "data".to_owned(),
    )
}

impl World {
    fn run(&mut self, id: RunId) -> &mut Run {
        let index = self.runs.iter().position(|run| run.identity.id == id);
        if index.is_none() {
            self.runs.push(new_run(id));
        }
        let index = index.unwrap_or(self.runs.len() - 1);
        &mut self.runs[index]
    }

    fn happen(&mut self, event: Event) {
        let (stage, effects) = self.stage.on(event, self.is_ready);
        self.stage = stage;
        for effect in effects {
            match effect {
                Effect::Claim(_)
                | Effect::OpenTrainer
                | Effect::MindScreen
                | Effect::Keep(_)
                | Effect::HandOver(_)
                | Effect::TakeNext
                | Effect::Measure
                | Effect::SayGoesOn(_)
                | Effect::SayBroken
                | Effect::SayElsewhere(_) => {}
                Effect::LetGo => self.lock = None,
                Effect::Start(run) => {
                    assert_eq!(self.trained, None, "two runs are trained");
                    self.run(run);
                    (self.lock, self.trained) = (Some(run), Some(run));
                }
                Effect::GoOn(run, _) => {
                    assert_eq!(self.trained, None, "two runs are trained");
                    assert_eq!(self.lock, Some(run), "it goes on without its lock");
                    self.trained = Some(run);
                }
                Effect::CancelTraining(run) => {
                    assert_eq!(self.trained.take(), Some(run));
                }
                Effect::GoBack(run) => self.run(run).rewind(),
                Effect::Reopen(run, epochs) => self.run(run).reopen(epochs),
                Effect::TakeUp(run) => self.run(run).take_up(0.0),
                Effect::Interrupt(run) => self.run(run).interrupt(),
                Effect::Close(run) => self.run(run).close(),
                Effect::Forget(run, _) => {
                    assert_eq!(
                        self.run(run).steps_done(),
                        0,
                        "a run with steps was forgotten"
                    );
                    self.runs.retain(|other| other.identity.id != run);
                }
                Effect::AskAboutFailure(run) | Effect::AskAboutLoss(run) => {
                    self.asked_about = Some(run);
                }
            }
        }
        // A trainer that has broken or said the last word trains nothing.
        let is_over = match event {
            Event::Broke { .. } => true,
            Event::Refused(run) => self.trained == Some(run),
            _ => self.stage.trained().is_none(),
        };
        if is_over {
            self.trained = None;
        }
        let waits = matches!(self.stage, Resting(..));
        if !waits || self.stage.shown() != self.asked_about {
            self.asked_about = None;
        }
    }

    /// What the trainer, the person, the browser or another tab does next.
    fn step(&mut self) {
        let some = |rng: &mut ChaCha8Rng, next: u64| RunId(rng.random_range(1..=next.max(1)));
        match self.rng.random_range(0..20) {
            0 | 1 => {
                self.next += 1;
                self.happen(Event::Begin(RunId(self.next)));
            }
            2 => self.happen(Event::Resume),
            3 => {
                let epochs = self.rng.random_range(1..50);
                self.happen(Event::Continue { epochs });
            }
            4 => self.happen(Event::Close),
            5 => self.happen(Event::Cancel),
            6 => {
                let run = some(&mut self.rng, self.next);
                let rest = self.runs.iter().find(|other| other.identity.id == run);
                let rest = rest.and_then(|run| Rest::of(run.status()));
                if let Some(rest) = rest {
                    self.happen(Event::Read(run, rest));
                }
            }
            7 => {
                let run = some(&mut self.rng, self.next);
                self.happen(Event::Gone(run));
            }
            8 | 9 => {
                let run = match self.stage {
                    Claiming(run, ..) => run,
                    _ => some(&mut self.rng, self.next),
                };
                // A browser gives a lock to one tab at a time, and this one has none to spare.
                let is_given = self.lock.is_none() && self.rng.random_range(0..4) > 0;
                if is_given {
                    self.lock = Some(run);
                }
                self.happen(Event::Claimed(run, is_given));
            }
            10 => {
                self.is_ready = true;
                self.happen(Event::Ready);
            }
            11 if self.rng.random_range(0..4) == 0 => {
                self.is_ready = false;
            }
            12 if self.rng.random_range(0..4) == 0 => {
                self.is_ready = false;
                let is_first = self.rng.random_range(0..2) == 0;
                self.happen(Event::Broke { is_first });
            }
            13 if self.rng.random_range(0..8) == 0 => {
                let run = some(&mut self.rng, self.next);
                self.happen(Event::Wanted(run));
            }
            14 if self.rng.random_range(0..8) == 0 => {
                let run = some(&mut self.rng, self.next);
                self.happen(Event::Refused(run));
            }
            _ => self.speak(),
        }
        self.check();
    }

    /// The trainer does a step, or changes its state.
    fn speak(&mut self) {
        let Some(run) = self.trained else {
            let late = RunId(self.rng.random_range(1..=self.next.max(1)));
            self.happen(Event::Heard(late));
            return self.happen(Event::Told(late, State::Finished));
        };
        self.happen(Event::Heard(run));
        let step = self.run(run).steps_done() + 1;
        let at = Moment {
            step,
            epoch: 0.0,
            images: 0,
            elapsed_secs: f64::from(step),
        };
        let quality = Quality {
            loss: 1.0,
            accuracy: 0.5,
        };
        let trained = Trained {
            quality,
            learning_rate: 0.1,
            gradient_norm: 1.0,
        };
        use kiln_model::event::Event as Said;
        self.run(run).apply(Said::Step(at, trained));
        let state = [
            State::Running,
            State::Running,
            State::Paused,
            State::Finishing,
            State::Stopped,
            State::Finished,
            State::Failed,
        ][self.rng.random_range(0..7)];
        if matches!(state, State::Stopped | State::Finished) {
            let score = Score {
                quality,
                correct: 1,
                images: 2,
            };
            self.run(run).apply(Said::Score(at, score));
        }
        self.run(run).apply(Said::State(state));
        self.happen(Event::Told(run, state));
    }

    fn check(&self) {
        assert_eq!(self.trained, self.stage.trained(), "{:?}", self.stage);
        if let Some(run) = self.stage.locked() {
            assert_eq!(self.lock, Some(run), "{:?} without its lock", self.stage);
        }
        for run in &self.runs {
            let steps = run.history().steps.iter();
            let numbers: Vec<u32> = steps.map(|step| step.moment.step).collect();
            assert!(
                numbers.is_sorted_by(|a, b| a + 1 == *b),
                "a gap in {numbers:?}"
            );
            if run.status() == Status::Session(State::Finished) {
                assert!(run.history().score.is_some(), "a score was lost");
            }
        }
        if let Resting(run, rest) = self.stage {
            let shown = self.runs.iter().find(|other| other.identity.id == run);
            let is = shown.and_then(|run| Rest::of(run.status()));
            assert_eq!(is, Some(rest), "what is shown of {run:?} is not so");
        }
        if let Some(run) = self.asked_about {
            assert_eq!(self.stage.shown(), Some(run), "a question outlived its run");
        }
    }
}

#[test]
fn no_walk_breaks_what_must_hold() {
    // One long life, and many short ones: what a page is at its start is rarely met later.
    for (seed, events) in (0..100).map(|seed| (seed, 1_000)).chain([(100, 100_000)]) {
        let mut world = World {
            rng: ChaCha8Rng::seed_from_u64(seed),
            stage: Stage::default(),
            is_ready: false,
            runs: Vec::new(),
            lock: None,
            trained: None,
            asked_about: None,
            next: 0,
        };
        for _ in 0..events {
            world.step();
        }
    }
}
