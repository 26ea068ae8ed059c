//! Time spent between starts and stops.

use std::time::Duration;

use web_time::Instant;

/// Counts only while it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stopwatch {
    before: Duration,
    since: Option<Instant>,
}

impl Stopwatch {
    /// One that stands, and has counted so many seconds before; none where that is no time.
    pub fn standing_at(secs: f64) -> Self {
        Self {
            before: Duration::try_from_secs_f64(secs).unwrap_or_default(),
            since: None,
        }
    }

    /// Lets it run.
    pub fn start(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Lets it stand.
    pub fn stop(&mut self) {
        self.before = self.elapsed();
        self.since = None;
    }

    /// The time counted so far.
    pub fn elapsed(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}
