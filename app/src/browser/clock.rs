//! Moments in the person's time zone, and what is named by one.

use js_sys::Date;

use kiln_run::format;
use kiln_run::protocol::RunId;

/// A number for a new run: the millisecond, and three random digits.
pub fn new_run_id() -> RunId {
    let digits = (1_000.0 * js_sys::Math::random()).floor();
    RunId((1_000.0 * Date::now() + digits) as u64)
}

/// How far the person's clock is before UTC now, in milliseconds.
pub fn utc_offset_ms() -> f64 {
    offset_ms(&Date::new_0())
}

fn offset_ms(date: &Date) -> f64 {
    -60_000.0 * date.get_timezone_offset()
}

/// Such as `14:02`, of milliseconds since 1970.
pub fn time_of_day(ms: f64) -> String {
    format::time_of_day(ms + offset_ms(&Date::new(&ms.into())), false)
}

/// Such as `2026-11-23 14:02`, of a moment in ISO 8601; what is no such moment stays as it is.
pub fn date_and_time(iso: &str) -> String {
    let ms = Date::new(&iso.into()).get_time();
    if ms.is_nan() {
        return iso.to_owned();
    }
    date_and_time_of(ms)
}

/// The same, of milliseconds since 1970.
pub fn date_and_time_of(ms: f64) -> String {
    let local_ms = ms + offset_ms(&Date::new(&ms.into()));
    format!(
        "{} {}",
        format::date(local_ms),
        format::time_of_day(local_ms, false)
    )
}
