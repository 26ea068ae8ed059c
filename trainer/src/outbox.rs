//! What happens in a run, gathered on its way to the page.

use kiln_model::event::Event;
use kiln_run::protocol::{FromWorker, RunId};

use crate::host::Host;

/// However many steps a second there are, the page is told of them ten times at most, which is as
/// often as it paints.
const INTERVAL_MS: f64 = 100.0;

/// What the page has not been told yet.
pub struct Outbox {
    run: RunId,
    events: Vec<Event>,
    told_ms: f64,
}

impl Outbox {
    /// One that is empty.
    pub fn new(run: RunId) -> Self {
        Self {
            run,
            events: Vec::new(),
            told_ms: 0.0,
        }
    }

    /// Takes in what happened, and tells the page where it is time, or where a person waits for it.
    pub fn add(&mut self, host: &impl Host, events: Vec<Event>) {
        let is_urgent = events.iter().any(|event| !can_wait(event));
        self.events.extend(events);
        if is_urgent || host.now_ms() - self.told_ms >= INTERVAL_MS {
            self.tell(host);
        }
    }

    /// Tells the page all that it has not been told.
    pub fn tell(&mut self, host: &impl Host) {
        if !self.events.is_empty() {
            let events = std::mem::take(&mut self.events);
            host.post(&FromWorker::Happened {
                run: self.run,
                events,
            });
            self.told_ms = host.now_ms();
        }
    }
}

fn can_wait(event: &Event) -> bool {
    matches!(
        event,
        Event::Step(..) | Event::Throughput(..) | Event::Measuring { .. }
    )
}
