//! Moments of a run as times of day, which other tools want of everything.

use kiln_model::event::Moment;
use kiln_model::history::History;
use time::{Date, Month, Time, UtcDateTime};

use crate::run::Identity;

/// Tells the times of day of a run.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'a> {
    identity: &'a Identity,
    /// When the run was started; 1970 where that is not known.
    pub start: UtcDateTime,
}

impl<'a> Clock<'a> {
    /// The clock of a run.
    pub fn new(identity: &'a Identity) -> Self {
        let taken_up = || {
            let secs = identity.clock_ms(0.0)? / 1_000.0;
            UtcDateTime::from_unix_timestamp(secs.floor() as i64).ok()
        };
        let start = read(&identity.started_at).or_else(taken_up);
        Self {
            identity,
            start: start.unwrap_or(UtcDateTime::UNIX_EPOCH),
        }
    }

    /// Seconds since 1970 when the run was started.
    pub fn start_secs(&self) -> f64 {
        self.start.unix_timestamp() as f64
    }

    /// Seconds since 1970 after so many seconds of training and measuring. Where pauses are not
    /// known there were none.
    pub fn secs(&self, elapsed_secs: f64) -> f64 {
        match self.identity.clock_ms(elapsed_secs) {
            Some(milliseconds) => milliseconds / 1_000.0,
            None => self.start_secs() + elapsed_secs,
        }
    }

    /// Seconds since 1970 at a moment.
    pub fn at(&self, moment: &Moment) -> f64 {
        self.secs(moment.elapsed_secs)
    }
}

/// When something was measured last; nothing where nothing was.
pub fn last_moment(history: &History) -> Option<Moment> {
    let moments = [
        history.steps.last().map(|last| last.moment),
        history.diverged.map(|last| last.moment),
        history.validations.last().map(|last| last.moment),
        history.score.map(|score| score.moment),
    ];
    let later = |a: Moment, b: Moment| {
        if b.elapsed_secs > a.elapsed_secs {
            b
        } else {
            a
        }
    };
    moments.into_iter().flatten().reduce(later)
}

/// A moment in UTC such as `2026-11-23T14:02:00Z` (ISO 8601), to the second.
fn read(text: &str) -> Option<UtcDateTime> {
    let mut parts = text.split(|letter: char| !letter.is_ascii_digit());
    let year = parts.next()?.parse().ok()?;
    let mut next = || parts.next()?.parse::<u8>().ok();
    let month = Month::try_from(next()?).ok()?;
    let date = Date::from_calendar_date(year, month, next()?).ok()?;
    let time = Time::from_hms(next()?, next()?, next()?).ok()?;
    Some(UtcDateTime::new(date, time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::new_run;

    #[test]
    fn a_moment_is_told_by_the_clock_or_counted_from_the_start() {
        let mut run = new_run();
        // 2026-11-23T14:02:00Z.
        let start = 1_795_442_520.0;
        let clock = Clock::new(&run.identity);
        assert_eq!((clock.start_secs(), clock.secs(1.5)), (start, start + 1.5));
        run.take_up(1_795_442_521_250.0);
        let clock = Clock::new(&run.identity);
        assert_eq!((clock.start_secs(), clock.secs(1.5)), (start, start + 2.75));
        for unknown in ["", "2026-13-01T00:00:00Z", "2026-11-23", "yesterday"] {
            run.identity.started_at = unknown.to_owned();
            let clock = Clock::new(&run.identity);
            assert_eq!(clock.start_secs(), start + 1.0, "{unknown}");
        }
        run.identity.taken_up.clear();
        assert_eq!(Clock::new(&run.identity).start_secs(), 0.0);
        run.identity.started_at = "2026-11-23T14:02:00.123Z".to_owned();
        assert_eq!(Clock::new(&run.identity).start_secs(), start);
    }
}
