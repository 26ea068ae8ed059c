//! Asks a session for its steps until it is over, takes up orders in between, and decides when it
//! is kept. The same loop serves a worker in a tab and a native process: what differs is a
//! [`Surroundings`].

use std::future::Future;

use super::session::{Answers, Session, TrainError};
use crate::checkpoint::Snapshot;
use crate::event::{Command, Event, State};

/// Time from the start of a run to its first snapshot; each next one waits twice as long, so that
/// little is lost early and little is spent late.
const FIRST_KEEP_MS: f64 = 2_000.0;
/// Longest time between two snapshots.
const LONGEST_KEEP_MS: f64 = 30_000.0;

/// What is asked of a session that is being driven.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Something that the session takes up.
    Command(Command),
    /// Say where it is.
    Keep,
    /// Leave it where it is.
    End,
}

/// Whoever has a session driven: the clock, and the way to and from a person.
pub trait Surroundings {
    /// Milliseconds since any moment.
    fn now_ms(&self) -> f64;

    /// The next order, where there is one. Where the session `waits`, one is waited for, and none
    /// says that nobody will ever ask.
    fn order(&mut self, waits: bool) -> impl Future<Output = Option<Order>>;

    /// Takes in what happened. What can wait may be told later, together with what comes next.
    fn take(&mut self, events: Vec<Event>);

    /// Tells all that was taken in until now.
    fn tell(&mut self);

    /// Takes in what was answered in a validation or in the score.
    fn answer(&mut self, answers: Answers);

    /// Takes in where the session is, after all that was told.
    fn keep(&mut self, snapshot: Snapshot);

    /// Lets others work, once after each step.
    fn rest(&mut self) -> impl Future<Output = ()>;
}

/// Drives a session until it is over or left.
///
/// # Errors
/// A device that gives no results; what happened until then was taken in.
pub async fn drive(
    session: &mut Session,
    surroundings: &mut impl Surroundings,
) -> Result<(), TrainError> {
    let mut kept_ms = surroundings.now_ms();
    let mut interval_ms = FIRST_KEEP_MS;
    loop {
        let waits = !session.wants_step();
        if waits && session.state().has_ended() {
            return Ok(());
        }
        match surroundings.order(waits).await {
            Some(Order::Command(command)) => {
                session.command(command);
                continue;
            }
            Some(Order::Keep) => {
                keep(session, surroundings).await?;
                continue;
            }
            Some(Order::End) => return Ok(()),
            None if waits => return Ok(()),
            None => {}
        }
        let events = session.advance().await?;
        let is_time = surroundings.now_ms() - kept_ms >= interval_ms;
        if is_time {
            interval_ms = LONGEST_KEEP_MS.min(2.0 * interval_ms);
        }
        let pauses = session.state() == State::Paused && !events.is_empty();
        let ends = |event: &Event| matches!(event, Event::State(state) if state.has_ended());
        let asks_for_it = |event: &Event| ends(event) || matches!(event, Event::Epoch(..));
        let is_due = is_time || pauses || events.iter().any(asks_for_it);
        // Whoever hears of the end has all that the run leaves.
        let (end, events): (Vec<_>, Vec<_>) = events.into_iter().partition(ends);
        surroundings.take(events);
        if pauses {
            surroundings.tell();
        }
        if let Some(answers) = session.take_answers() {
            surroundings.answer(answers);
        }
        if is_due {
            keep(session, surroundings).await?;
            kept_ms = surroundings.now_ms();
        }
        surroundings.take(end);
        surroundings.rest().await;
    }
}

/// Says where the session is, after what happened until then.
async fn keep(
    session: &mut Session,
    surroundings: &mut impl Surroundings,
) -> Result<(), TrainError> {
    let (events, snapshot) = session.snapshot().await?;
    surroundings.take(events);
    surroundings.tell();
    if let Some(snapshot) = snapshot {
        surroundings.keep(snapshot);
    }
    Ok(())
}
