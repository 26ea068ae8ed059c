//! Moments in the person's time zone.

/// Such as `14:02`, of milliseconds since 1970.
pub fn time_of_day(ms: f64) -> String {
    let date = js_sys::Date::new(&ms.into());
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}

/// Such as `2026-11-23 14:02`, of a moment in ISO 8601; what is no such moment stays as it is.
pub fn date_and_time(iso: &str) -> String {
    let date = js_sys::Date::new(&iso.into());
    if date.get_time().is_nan() {
        return iso.to_owned();
    }
    format!(
        "{}-{:02}-{:02} {}",
        date.get_full_year(),
        date.get_month() + 1,
        date.get_date(),
        time_of_day(date.get_time())
    )
}
