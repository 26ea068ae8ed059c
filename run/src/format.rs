//! Numbers and moments as a person reads them: decimal point, thin spaces between thousands.

use time::UtcDateTime;

/// What stands where there is no value.
pub const NOTHING: &str = "–";

/// A count, such as `10 000`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count of which two digits are known, such as `14 000`.
pub fn about(value: f64) -> String {
    let unit = 10_f64.powf((value.abs().log10().floor() - 1.0).max(0.0));
    count((unit * (value / unit).round()) as u64)
}

/// A share, such as `98.12 %`.
pub fn percent(share: f64) -> String {
    format!("{:.2}\u{2009}%", 100.0 * share)
}

/// A loss: four decimals.
pub fn loss(value: f64) -> String {
    format!("{value:.4}")
}

/// Three significant digits, such as `0.00042` or `12.3`.
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A size, such as `139 kB`; under 1,000 bytes exact.
pub fn bytes(value: u64) -> String {
    match value {
        0..1_000 => format!("{value}\u{2009}B"),
        1_000..1_000_000 => format!("{:.1}\u{2009}kB", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1}\u{2009}MB", value as f64 / 1e6),
        _ => format!("{:.1}\u{2009}GB", value as f64 / 1e9),
    }
}

/// A time to wait, no finer than it can be known.
pub fn duration(secs: f64) -> String {
    match secs.max(0.0) {
        secs if secs < 90.0 => format!("{}\u{2009}s", secs.ceil()),
        secs if secs < 5_400.0 => format!("{:.0}\u{2009}min", secs / 60.0),
        secs => format!("{:.1}\u{2009}h", secs / 3_600.0),
    }
}

/// A time that has passed, such as `1:05` or `1:02:03`.
pub fn span(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    let (hours, minutes, secs) = (secs / 3_600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{secs:02}")
    } else {
        format!("{minutes}:{secs:02}")
    }
}

/// A time of day such as `14:02` or `14:02:09`, of milliseconds since 1970 as a person's clock
/// counts them.
pub fn time_of_day(local_ms: f64, has_secs: bool) -> String {
    let (hour, minute, second) = moment(local_ms).as_hms();
    if has_secs {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else {
        format!("{hour:02}:{minute:02}")
    }
}

/// A date such as `2026-11-23`, of milliseconds since 1970 as a person's clock counts them.
pub fn date(local_ms: f64) -> String {
    let (year, month, day) = moment(local_ms).to_calendar_date();
    format!("{year}-{:02}-{day:02}", u8::from(month))
}

/// What no calendar has is its beginning.
fn moment(local_ms: f64) -> UtcDateTime {
    UtcDateTime::from_unix_timestamp((local_ms / 1_000.0).floor() as i64)
        .unwrap_or(UtcDateTime::UNIX_EPOCH)
}

/// A tick of an axis: as many decimals as its step needs, and no more.
pub fn tick(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    // A step of 2.5 × 10ⁿ needs one decimal more than its power of ten says.
    let shifted = step * 10.0_f64.powi(decimals as i32);
    let decimals = decimals + usize::from((shifted - shifted.round()).abs() > 1e-6);
    if decimals == 0 {
        count(value.round().max(0.0) as u64)
    } else {
        format!("{value:.decimals$}")
    }
}

/// A text inside of SVG.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn significant_digits_are_three() {
        for (value, text) in [
            (0.001, "0.001"),
            (0.000_424_4, "0.000424"),
            (12.345, "12.3"),
            (1_234.5, "1234"),
            (0.0, "0"),
        ] {
            assert_eq!(significant(value), text);
        }
    }

    #[test]
    fn numbers_are_written_as_agreed() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(percent(0.98125), "98.12\u{2009}%");
        assert_eq!(bytes(999), "999\u{2009}B");
        assert_eq!(bytes(139_304), "139.3\u{2009}kB");
        assert_eq!(bytes(2_140_000_000), "2.1\u{2009}GB");
        assert_eq!(time_of_day(1_795_442_529_900.0, true), "14:02:09");
        assert_eq!(time_of_day(1_795_442_529_900.0, false), "14:02");
        assert_eq!(date(1_795_442_529_900.0), "2026-11-23");
        assert_eq!(date(f64::INFINITY), "1970-01-01");
        assert_eq!(span(65.4), "1:05");
        assert_eq!(span(3_723.0), "1:02:03");
        assert_eq!(duration(24.2), "25\u{2009}s");
        assert_eq!(duration(600.0), "10\u{2009}min");
    }

    #[test]
    fn ticks_have_the_decimals_of_their_step() {
        assert_eq!(tick(0.6000000000000001, 0.2), "0.6");
        assert_eq!(tick(2_000.0, 500.0), "2\u{2009}000");
        assert_eq!(tick(0.25, 0.25), "0.25");
        assert_eq!(tick(2.5, 2.5), "2.5");
    }
}
