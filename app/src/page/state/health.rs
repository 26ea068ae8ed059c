//! What is known of the trainer's health.

/// A trainer is broken that says nothing for so long, or for `SILENT_STEPS` of its longest steps.
const SILENT_MS: f64 = 20_000.0;
const SILENT_STEPS: f64 = 10.0;
/// Between ticks that are further apart, the tab was frozen: silence then says nothing.
const FROZEN_MS: f64 = 5_000.0;
/// A trainer that breaks twice in so long is not started again unasked.
const PATIENCE_MS: f64 = 300_000.0;

/// What is known of the trainer's health.
#[derive(Default)]
pub struct Health {
    heard_ms: f64,
    longest_silence_ms: f64,
    ticked_ms: f64,
    failures_ms: Vec<f64>,
}

impl Health {
    /// A trainer begins: nothing is known of the length of its steps.
    pub fn restart(&mut self) {
        self.heard_ms = js_sys::Date::now();
        self.longest_silence_ms = 0.0;
    }

    /// The trainer said something; `is_busy` where it was at work until now.
    pub fn heard(&mut self, is_busy: bool) {
        let now = js_sys::Date::now();
        // The time that a frozen tab was silent is nobody's step.
        if is_busy && now - self.ticked_ms <= FROZEN_MS {
            self.longest_silence_ms = self.longest_silence_ms.max(now - self.heard_ms);
        }
        self.heard_ms = now;
    }

    /// Milliseconds since the last tick, once there was one; silence counts anew after a freeze.
    pub fn tick(&mut self) -> Option<f64> {
        let now = js_sys::Date::now();
        let before = std::mem::replace(&mut self.ticked_ms, now);
        let passed = (before > 0.0).then_some(now - before);
        if passed.is_some_and(|passed| passed > FROZEN_MS) {
            self.heard_ms = now;
        }
        passed
    }

    /// Whether it has said nothing for longer than any step takes.
    pub fn is_silent(&self) -> bool {
        let limit = SILENT_MS.max(SILENT_STEPS * self.longest_silence_ms);
        js_sys::Date::now() - self.heard_ms > limit
    }

    /// Notes a failure and says whether it is the first in a while.
    pub fn fail(&mut self) -> bool {
        let now = js_sys::Date::now();
        self.failures_ms.retain(|then| now - then < PATIENCE_MS);
        self.failures_ms.push(now);
        self.failures_ms.len() == 1
    }
}
