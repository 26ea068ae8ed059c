//! How often the figures of a run that goes on are painted.
//!
//! Where workers use every core, a painting holds all of them up: they wait for the one whose core
//! the page took. So the page paints as often as it costs no more than a small share of the time.

/// The share of the time that paintings may take.
const SHARE: f64 = 1.0 / 30.0;
/// Shortest time between two paintings, however little they cost.
const SHORTEST_MS: f64 = 100.0;
/// Longest time between two paintings, however much they cost.
const LONGEST_MS: f64 = 500.0;

/// When the next painting may begin. Moments are milliseconds since whenever.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pace {
    began_ms: f64,
    /// What the newest painting has taken so far.
    spent_ms: f64,
    /// What a painting takes, one that is out of the ordinary smoothed away.
    usual_ms: f64,
}

impl Pace {
    /// A painting begins.
    pub fn begin(&mut self, now_ms: f64) {
        self.usual_ms = self.usual_ms.midpoint(self.spent_ms);
        self.spent_ms = 0.0;
        self.began_ms = now_ms;
    }

    /// The newest painting took so long, or so much longer.
    pub fn spend(&mut self, ms: f64) {
        self.spent_ms += ms;
    }

    /// How long the next painting has to wait; 0 or less where it may begin.
    pub fn wait_ms(&self, now_ms: f64) -> f64 {
        self.began_ms + (self.usual_ms / SHARE).clamp(SHORTEST_MS, LONGEST_MS) - now_ms
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    /// The time between paintings that take so long, once that is known.
    fn interval_ms(painting_ms: f64) -> f64 {
        let mut pace = Pace::default();
        for _ in 0..20 {
            pace.begin(1_000.0);
            pace.spend(painting_ms / 4.0);
            pace.spend(painting_ms * 3.0 / 4.0);
        }
        pace.wait_ms(1_000.0)
    }

    #[test]
    fn paintings_take_a_thirtieth_of_the_time_within_limits() {
        assert_eq!(interval_ms(0.0), 100.0);
        assert_eq!(interval_ms(1.0), 100.0);
        assert!((interval_ms(8.0) - 240.0).abs() < 0.1);
        assert_eq!(interval_ms(100.0), 500.0);
    }

    #[test]
    fn the_first_painting_does_not_wait() {
        assert!(Pace::default().wait_ms(1_000.0) <= 0.0);
    }

    #[test]
    fn what_has_passed_need_not_be_waited_for() {
        let mut pace = Pace::default();
        pace.begin(1_000.0);
        assert_eq!(pace.wait_ms(1_030.0), 70.0);
    }
}
