//! The loop that drives a session: what it tells, in which order, and when it keeps.

use std::collections::VecDeque;

use kiln_model::checkpoint::Snapshot;
use kiln_model::config::Config;
use kiln_model::event::{Command, Event, State};
use kiln_model::train::driver::{Order, Surroundings, drive};
use kiln_model::train::session::{Answers, ReadBack, Session};

use crate::dataset;
use crate::session::{SHORT, words};

/// A process whose clock advances with every step, and whose orders are written down beforehand.
#[derive(Default)]
struct Script {
    now_ms: f64,
    step_ms: f64,
    /// Orders, each with the number of steps after which it comes.
    orders: VecDeque<(usize, Order)>,
    steps: usize,
    untold: Vec<Event>,
    /// What was told, kept and answered, in words.
    told: Vec<String>,
    kept_ms: Vec<f64>,
    last: Option<Snapshot>,
}

impl Surroundings for Script {
    fn now_ms(&self) -> f64 {
        self.now_ms
    }

    async fn order(&mut self, waits: bool) -> Option<Order> {
        let is_due = |(after, _): &mut (usize, Order)| waits || *after <= self.steps;
        self.orders.pop_front_if(is_due).map(|(_, order)| order)
    }

    fn take(&mut self, events: Vec<Event>) {
        self.untold.extend(events);
    }

    fn tell(&mut self) {
        let said = self.untold.iter().filter_map(words);
        self.told.extend(said);
        self.untold.clear();
    }

    fn answer(&mut self, answers: Answers) {
        self.told.push(format!("answers to {:?}", answers.part));
    }

    fn keep(&mut self, snapshot: Snapshot) {
        assert_eq!(self.untold, [], "something was not told before");
        self.told.push(format!("kept at {}", snapshot.step));
        self.kept_ms.push(self.now_ms);
        self.last = Some(snapshot);
    }

    async fn rest(&mut self) {
        self.steps += 1;
        self.now_ms += self.step_ms;
    }
}

fn run(config: Config, step_ms: f64, orders: impl Into<VecDeque<(usize, Order)>>) -> Script {
    let place = burn::tensor::Device::flex();
    let mut session = Session::new(config, dataset(), place, ReadBack::EveryStep).unwrap();
    let mut script = Script {
        step_ms,
        orders: orders.into(),
        ..Script::default()
    };
    pollster::block_on(drive(&mut session, &mut script)).unwrap();
    script.tell();
    script
}

#[test]
fn the_end_is_told_after_all_that_the_run_leaves() {
    let script = run(Config { epochs: 1, ..SHORT }, 1.0, []);
    let place = |what: &str| {
        let found = script.told.iter().rposition(|said| said.starts_with(what));
        found.unwrap_or_else(|| panic!("no {what} in {:?}", script.told))
    };
    assert!(place("kept at") < place("Finished"), "{:?}", script.told);
    assert!(place("answers to Test") < place("Finished"));
}

#[test]
fn a_run_is_kept_often_at_first_and_every_half_minute_later() {
    let long = Config {
        epochs: 20,
        batch_size: 1,
        training_images: 1_000,
        ..SHORT
    };
    // So slow a machine that the time alone decides: left after 200 seconds.
    let script = run(long, 1_000.0, [(200, Order::End)]);
    let pauses: Vec<f64> = script.kept_ms.array_windows().map(|[a, b]| b - a).collect();
    assert_eq!(script.kept_ms[0], 2_000.0);
    assert!(pauses.is_sorted(), "{pauses:?}");
    assert_eq!(pauses.last(), Some(&30_000.0));
}

#[test]
fn a_run_is_kept_when_it_pauses_and_when_it_is_asked_for() {
    let script = run(
        SHORT,
        1.0,
        [
            (1, Order::Command(Command::Pause)),
            (2, Order::Keep),
            (2, Order::Command(Command::Step)),
            (3, Order::End),
        ],
    );
    let kept = |said: &&String| said.starts_with("kept");
    let steps: Vec<&String> = script.told.iter().filter(kept).collect();
    assert_eq!(steps, ["kept at 1", "kept at 1", "kept at 2"]);
    assert_eq!(script.told.last().map(String::as_str), Some("kept at 2"));
}

#[test]
fn a_run_that_nobody_asks_any_more_is_left() {
    let script = run(SHORT, 1.0, [(1, Order::Command(Command::Pause))]);
    assert_eq!(script.last.map(|kept| kept.step), Some(1));
    assert!(
        !script
            .told
            .iter()
            .any(|said| said == &format!("{:?}", State::Finished))
    );
}
