//! The values that a setting takes in a sweep.

use kiln_model::config::Setting;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::share::NUMBERS;
use crate::sweep::error::SweepError;

/// Most runs of one sweep.
pub const MOST_RUNS: usize = 1_000;

/// Values from one to another, both among them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The least.
    pub from: f64,
    /// The greatest.
    pub to: f64,
    /// What stays the same from one value to the next.
    #[serde(default)]
    pub scale: Scale,
    /// How many values a grid takes of it.
    pub steps: Option<u32>,
}

/// What stays the same from one value to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// The difference.
    #[default]
    Linear,
    /// The ratio.
    Log,
}

/// The values of one setting.
pub enum Values {
    /// One of these.
    Listed(Vec<String>),
    /// Any between two; whether whole ones alone.
    Within(Range, bool),
}

impl Range {
    /// The value at a place from 0 to 1, as short as four digits make it.
    pub fn at(&self, place: f64, is_whole: bool) -> String {
        let value = match self.scale {
            Scale::Linear => self.from + place * (self.to - self.from),
            Scale::Log => self.from * (self.to / self.from).powf(place),
        };
        if is_whole {
            return value.round().to_string();
        }
        let short: f64 = format!("{value:.3e}").parse().unwrap_or(value);
        // Four digits of an end may lie beyond it.
        short.clamp(self.from, self.to).to_string()
    }

    /// As many values as a grid takes.
    ///
    /// # Errors
    /// A range that does not say how many.
    pub fn listed(&self, key: &str, is_whole: bool) -> Result<Vec<String>, SweepError> {
        let steps = self
            .steps
            .filter(|steps| (2..=MOST_RUNS as u32).contains(steps));
        let steps = steps.ok_or_else(|| SweepError::Range {
            key: key.to_owned(),
            reason: format!("a grid needs steps, from 2 to {MOST_RUNS}"),
        })?;
        let mut all: Vec<String> = (0..steps)
            .map(|step| self.at(f64::from(step) / f64::from(steps - 1), is_whole))
            .collect();
        // Whole numbers lie no closer.
        all.dedup();
        Ok(all)
    }
}

/// What a file says of a setting.
///
/// # Errors
/// No values, or a range that is none.
pub fn values(key: &str, value: &Value) -> Result<Values, SweepError> {
    let no_range = |reason: String| SweepError::Range {
        key: key.to_owned(),
        reason,
    };
    match value {
        Value::Array(listed) if !listed.is_empty() => {
            let mut texts = Vec::new();
            for value in listed.iter().map(text) {
                // The same twice would be the same run twice.
                if !texts.contains(&value) {
                    texts.push(value);
                }
            }
            Ok(Values::Listed(texts))
        }
        Value::Object(_) => {
            let range: Range = serde_json::from_value(value.clone())
                .map_err(|error| no_range(error.to_string()))?;
            let named = NUMBERS.into_iter().find(|(name, _)| *name == key);
            let setting = named.map(|(_, setting)| setting);
            for end in [range.from, range.to] {
                let checked = setting.map_or(Ok(()), |setting| setting.check(end));
                checked.map_err(|reason| SweepError::OutOfRange {
                    key: key.to_owned(),
                    reason,
                })?;
            }
            if range.from >= range.to {
                return Err(no_range(format!(
                    "from ({}) must be less than to ({})",
                    range.from, range.to
                )));
            }
            if range.scale == Scale::Log && range.from <= 0.0 {
                return Err(no_range(format!(
                    "a log scale begins above 0, not at {}",
                    range.from
                )));
            }
            Ok(Values::Within(
                range,
                setting.is_some_and(Setting::is_whole),
            ))
        }
        _ => Err(SweepError::NoValues {
            key: key.to_owned(),
        }),
    }
}

/// A value as it would stand behind a `=`.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
