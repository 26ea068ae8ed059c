//! A sweep: runs that differ in some settings, which of them there are, and which of them go on.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use kiln_model::config::{OutOfRange, Setting};
use kiln_model::event::State;
use kiln_model::random::{Purpose, numbers, uniform};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Record;
use crate::run::Status;
use crate::share::NUMBERS;

/// Most runs of one sweep.
pub const MOST_RUNS: usize = 1_000;
/// Halving, where nothing else is said: epochs of the first rung, and that one of so many goes on.
const FIRST_EPOCHS: u32 = 1;
const KEEP_ONE_OF: u32 = 3;
/// How often is drawn for each run before there are no other settings to draw.
const DRAWS: usize = 64;

const FAILED: Status = Status::Session(State::Failed);

/// A sweep as a file says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// How its runs are found.
    pub search: Search,
    /// How many runs are drawn; a grid has as many as there are settings.
    pub runs: Option<u32>,
    /// What the draws follow from.
    #[serde(default)]
    pub seed: u32,
    /// Halving: epochs after which runs are compared for the first time.
    pub first_epochs: Option<u32>,
    /// Halving: one of so many goes on.
    pub keep_one_of: Option<u32>,
    /// Settings that all runs have, by name.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    /// Settings that differ, by name: a list of values, or a [`Range`].
    pub vary: BTreeMap<String, Value>,
}

/// How the settings of runs are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Search {
    /// Every value with every other.
    Grid,
    /// Drawn.
    Random,
    /// Drawn; all begin with few epochs, and the best go on (successive halving, Jamieson and
    /// Talwalkar 2016).
    Halving,
}

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

/// Settings by name, as files write them.
pub type Pairs = Vec<(String, String)>;

/// What runs are compared after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Epochs of each of its runs.
    pub epochs: u32,
    /// How many there are.
    pub runs: usize,
}

/// What came of a run of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// The run, once it was begun.
    pub record: Option<Record>,
    /// Why it cannot be trained.
    pub refused: Option<String>,
}

/// A sweep that cannot be.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SweepError {
    /// Nothing differs.
    #[error(
        "[vary] names no setting, so all runs would be the same. Give it one, such as learning_rate = [0.001, 0.01]."
    )]
    NothingVaries,
    /// No values.
    #[error(
        "{key} in [vary] has no values. Write a list, or {{ from = 0.001, to = 0.1, scale = \"log\" }}."
    )]
    NoValues {
        /// The setting.
        key: String,
    },
    /// A range that is none.
    #[error("{key} in [vary]: {reason}.")]
    Range {
        /// The setting.
        key: String,
        /// Why.
        reason: String,
    },
    /// A range that goes beyond the setting's own.
    #[error("{key} in [vary]: {reason}")]
    OutOfRange {
        /// The setting.
        key: String,
        /// Its range.
        reason: OutOfRange,
    },
    /// A number that does not fit the search.
    #[error("{key} must be from {min} to {max}, not {value}.")]
    Number {
        /// Which.
        key: &'static str,
        /// The least it may be.
        min: usize,
        /// The most it may be.
        max: usize,
        /// What it is.
        value: usize,
    },
    /// A draw without a number of runs.
    #[error("A search that draws needs runs, such as runs = 20.")]
    NoRuns,
    /// A member that the search does nothing with.
    #[error("{key} means nothing to this search. Take it out, or choose another search.")]
    Unused {
        /// Which.
        key: &'static str,
    },
    /// Fewer settings than runs.
    #[error(
        "There are only {found} different settings to draw, not {asked}. Lower runs, or say search = \"grid\"."
    )]
    Few {
        /// How many were found.
        found: usize,
        /// How many runs were asked for.
        asked: u32,
    },
}

/// The values of one setting.
enum Values {
    Listed(Vec<String>),
    Within(Range, bool),
}

impl Sweep {
    /// The settings of each run, those that all have among them.
    ///
    /// # Errors
    /// A sweep that cannot be. Whether settings have these names and values, whoever sets them says.
    pub fn all(&self) -> Result<Vec<Pairs>, SweepError> {
        self.check()?;
        let shared = || {
            self.settings
                .iter()
                .map(|(key, value)| (key.clone(), text(value)))
        };
        let varied = match self.search {
            Search::Grid => self.grid()?,
            Search::Random | Search::Halving => self.drawn()?,
        };
        Ok(varied
            .into_iter()
            .map(|pairs| shared().chain(pairs).collect())
            .collect())
    }

    /// After how many epochs how many of `runs` are compared, if the last of them do so many.
    pub fn rungs(&self, runs: usize, epochs: u32) -> Vec<Rung> {
        let mut rungs = Vec::new();
        if self.search == Search::Halving {
            let keep = self.keep_one_of.unwrap_or(KEEP_ONE_OF).max(2);
            let mut rung = Rung {
                epochs: self.first_epochs.unwrap_or(FIRST_EPOCHS).max(1),
                runs,
            };
            while rung.epochs < epochs && rung.runs > 1 {
                rungs.push(rung);
                rung = Rung {
                    epochs: rung.epochs.saturating_mul(keep),
                    runs: (rung.runs / keep as usize).max(1),
                };
            }
            rungs.push(Rung { epochs, ..rung });
        } else {
            rungs.push(Rung { epochs, runs });
        }
        rungs
    }

    /// The runs that are to be trained now, and for how many epochs, those left out that have done so;
    /// none once all are done. At the end each has as many as `epochs` says.
    pub fn now(&self, standings: &[Standing], epochs: &[u32]) -> Option<(u32, Vec<usize>)> {
        let most = epochs.iter().copied().max().unwrap_or_default();
        let mut members: Vec<usize> = (0..standings.len()).collect();
        for rung in self.rungs(standings.len(), most) {
            // Who went on has only become better since, so that the same go on whenever this is asked.
            members.sort_by(|a, b| better(&standings[*a], &standings[*b]).then(a.cmp(b)));
            members.truncate(rung.runs);
            let mut waiting: Vec<usize> = members.clone();
            waiting.retain(|run| !standings[*run].has_done(rung.epochs.min(epochs[*run])));
            if !waiting.is_empty() {
                waiting.sort_unstable();
                return Some((rung.epochs, waiting));
            }
        }
        None
    }

    fn check(&self) -> Result<(), SweepError> {
        if self.vary.is_empty() {
            return Err(SweepError::NothingVaries);
        }
        let is_halving = self.search == Search::Halving;
        let unused = [
            ("runs", self.runs.is_some() && self.search == Search::Grid),
            ("first_epochs", self.first_epochs.is_some() && !is_halving),
            ("keep_one_of", self.keep_one_of.is_some() && !is_halving),
        ];
        if let Some((key, _)) = unused.into_iter().find(|(_, is_unused)| *is_unused) {
            return Err(SweepError::Unused { key });
        }
        within("runs", self.runs, 1, MOST_RUNS)?;
        within("first_epochs", self.first_epochs, 1, 50)?;
        within("keep_one_of", self.keep_one_of, 2, MOST_RUNS)
    }

    fn grid(&self) -> Result<Vec<Pairs>, SweepError> {
        let mut all = vec![Pairs::new()];
        for (key, value) in &self.vary {
            let listed = match values(key, value)? {
                Values::Listed(listed) => listed,
                Values::Within(range, is_whole) => range.listed(key, is_whole)?,
            };
            let count = all.len() * listed.len();
            within("The number of runs", Some(count), 1, MOST_RUNS)?;
            let each = |pairs: &Pairs| {
                let others = listed.iter().map(|value| (key.clone(), value.clone()));
                others
                    .map(|pair| pairs.iter().cloned().chain([pair]).collect())
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(each).collect();
        }
        Ok(all)
    }

    fn drawn(&self) -> Result<Vec<Pairs>, SweepError> {
        let asked = self.runs.ok_or(SweepError::NoRuns)?;
        let mut dimensions = Vec::new();
        for (key, value) in &self.vary {
            dimensions.push((key, values(key, value)?));
        }
        let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
        for draw in 0..asked as usize * DRAWS {
            let mut rng = numbers(self.seed, Purpose::Sweep, draw as u64);
            let pairs = dimensions.iter().map(|(key, values)| {
                let place = f64::from(uniform(&mut rng));
                let value = match values {
                    Values::Listed(listed) => {
                        listed[(place * listed.len() as f64) as usize].clone()
                    }
                    Values::Within(range, is_whole) => range.at(place, *is_whole),
                };
                ((*key).clone(), value)
            });
            let pairs: Pairs = pairs.collect();
            if seen.insert(pairs.clone()) {
                all.push(pairs);
            }
            if all.len() == asked as usize {
                return Ok(all);
            }
        }
        Err(SweepError::Few {
            found: all.len(),
            asked,
        })
    }
}

impl Range {
    /// The value at a place from 0 to 1, as short as four digits make it.
    fn at(&self, place: f64, is_whole: bool) -> String {
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

    fn listed(&self, key: &str, is_whole: bool) -> Result<Vec<String>, SweepError> {
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

impl Standing {
    /// Whether it will not be trained any further.
    pub fn has_failed(&self) -> bool {
        self.refused.is_some()
            || self
                .record
                .as_ref()
                .is_some_and(|record| record.status == FAILED)
    }

    /// Whether it has done so many epochs, or all that it can.
    pub fn has_done(&self, epochs: u32) -> bool {
        let done = |record: &Record| record.status.has_ended() && record.config.epochs >= epochs;
        self.has_failed() || self.record.as_ref().is_some_and(done)
    }

    /// Its lowest validation loss, which it is judged by.
    pub fn loss(&self) -> Option<f64> {
        let best = self.record.as_ref()?.summary.best?;
        Some(best.loss).filter(|_| !self.has_failed())
    }
}

/// Which of two runs comes first: the one with the lower validation loss; one that has none comes last.
pub fn better(first: &Standing, second: &Standing) -> Ordering {
    let loss = |standing: &Standing| standing.loss().unwrap_or(f64::INFINITY);
    let failed = first.has_failed().cmp(&second.has_failed());
    failed.then(loss(first).total_cmp(&loss(second)))
}

fn within(
    key: &'static str,
    value: Option<impl TryInto<usize>>,
    min: usize,
    max: usize,
) -> Result<(), SweepError> {
    let Some(value) = value else {
        return Ok(());
    };
    let value = value.try_into().unwrap_or(usize::MAX);
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(SweepError::Number {
        key,
        min,
        max,
        value,
    })
}

fn values(key: &str, value: &Value) -> Result<Values, SweepError> {
    let no_range = |reason: String| SweepError::Range {
        key: key.to_owned(),
        reason,
    };
    match value {
        Value::Array(listed) if !listed.is_empty() => {
            Ok(Values::Listed(listed.iter().map(text).collect()))
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
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::scored_run;
    use serde_json::json;

    fn sweep(value: Value) -> Sweep {
        serde_json::from_value(value).unwrap()
    }

    fn values_of(sweep: &Sweep, key: &str) -> Vec<String> {
        let all = sweep.all().unwrap();
        let found = all
            .iter()
            .flat_map(|pairs| pairs.iter().filter(|(name, _)| name == key));
        found.map(|(_, value)| value.clone()).collect()
    }

    fn standing(epochs: u32, loss: f64, status: State) -> Standing {
        let mut record = Record::of(&scored_run());
        record.status = Status::Session(status);
        record.config.epochs = epochs;
        record.summary.best = Some(kiln_model::event::Quality {
            loss,
            accuracy: 0.5,
        });
        Standing {
            record: Some(record),
            refused: None,
        }
    }

    #[test]
    fn a_grid_has_every_value_with_every_other() {
        let sweep = sweep(json!({
            "search": "grid",
            "settings": { "epochs": 2 },
            "vary": {
                "optimizer": ["adam", "sgd"],
                "learning_rate": { "from": 0.001, "to": 0.1, "scale": "log", "steps": 3 },
                "batch_size": { "from": 32, "to": 34, "steps": 9 },
            },
        }));
        let all = sweep.all().unwrap();
        assert_eq!(all.len(), 2 * 3 * 3);
        let (key, value) = &all[0][0];
        assert_eq!((key.as_str(), value.as_str()), ("epochs", "2"));
        let rates: BTreeSet<String> = values_of(&sweep, "learning_rate").into_iter().collect();
        assert_eq!(Vec::from_iter(rates), ["0.001", "0.01", "0.1"]);
        let sizes: BTreeSet<String> = values_of(&sweep, "batch_size").into_iter().collect();
        assert_eq!(Vec::from_iter(sizes), ["32", "33", "34"]);
        let different: BTreeSet<Pairs> = all.into_iter().collect();
        assert_eq!(different.len(), 18);
    }

    #[test]
    fn draws_follow_from_the_seed_and_lie_within() {
        let drawn = |seed: u32| {
            sweep(json!({
                "search": "random", "runs": 200, "seed": seed,
                "vary": { "learning_rate": { "from": 0.0001, "to": 0.1, "scale": "log" } },
            }))
        };
        let rates = values_of(&drawn(1), "learning_rate");
        assert_eq!(rates, values_of(&drawn(1), "learning_rate"));
        assert_ne!(rates, values_of(&drawn(2), "learning_rate"));
        let rates: Vec<f64> = rates.iter().map(|rate| rate.parse().unwrap()).collect();
        assert!(rates.iter().all(|rate| (0.0001..=0.1).contains(rate)));
        // A third of a log scale over three decades lies below 0.001: of 200 draws 67, and 4 standard
        // deviations (6.7 each) to both sides.
        let below = rates.iter().filter(|rate| **rate < 0.001).count();
        assert!((40..=94).contains(&below), "{below}");
    }

    #[test]
    fn what_cannot_be_says_what_and_why() {
        let said = |value: Value| sweep(value).all().unwrap_err().to_string();
        let none = said(json!({ "search": "grid", "vary": {} }));
        assert!(none.starts_with("[vary] names no setting"), "{none}");
        let varied = |search: &str, values: Value| {
            said(json!({ "search": search, "vary": { "learning_rate": values } }))
        };
        assert_eq!(
            varied("grid", json!({ "from": 0.1, "to": 0.01, "steps": 3 })),
            "learning_rate in [vary]: from (0.1) must be less than to (0.01)."
        );
        assert!(varied("grid", json!({ "from": 0.01, "to": 0.1 })).contains("a grid needs steps"));
        assert!(varied("grid", json!({ "form": 0.01 })).contains("unknown field `form`"));
        assert!(varied("grid", json!([])).contains("has no values"));
        let wide = varied("grid", json!({ "from": 0.01, "to": 100, "steps": 3 }));
        assert!(wide.contains("Learning rate must be"), "{wide}");
        assert!(varied("random", json!([0.1])).contains("needs runs"));
        let few = said(json!({ "search": "random", "runs": 3, "vary": { "seed": [1, 2] } }));
        assert!(
            few.starts_with("There are only 2 different settings"),
            "{few}"
        );
        let unused = said(json!({ "search": "grid", "runs": 3, "vary": { "seed": [1, 2] } }));
        assert!(unused.starts_with("runs means nothing"), "{unused}");
        let steps = json!({ "from": 1, "to": 1000, "steps": 1000 });
        let many = said(json!({ "search": "grid", "vary": { "seed": steps, "patience": [1, 2] } }));
        assert!(many.contains("from 1 to 1000, not 2000"), "{many}");
    }

    #[test]
    fn of_a_halving_the_best_go_on_and_a_failed_run_never() {
        let sweep = sweep(json!({
            "search": "halving", "runs": 6, "keep_one_of": 2, "vary": { "seed": [1, 2, 3, 4, 5, 6] },
        }));
        let rungs = sweep.rungs(6, 5);
        let expected = [(1, 6), (2, 3), (5, 1)].map(|(epochs, runs)| Rung { epochs, runs });
        assert_eq!(rungs, expected);

        let mut standings = vec![Standing::default(); 6];
        assert_eq!(
            sweep.now(&standings, &[5; 6]),
            Some((1, vec![0, 1, 2, 3, 4, 5]))
        );
        for (run, loss) in [0.6, 0.5, 0.4, 0.3, 0.2, 0.1].into_iter().enumerate() {
            standings[run] = standing(1, loss, State::Finished);
        }
        standings[5] = standing(1, 0.1, State::Failed);
        assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![2, 3, 4])));
        // Whoever goes on may be better by now; who is asked does not change.
        standings[2] = standing(2, 0.01, State::Finished);
        assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![3, 4])));
        standings[3] = standing(2, 0.3, State::Finished);
        standings[4].refused = Some("damaged".to_owned());
        // In place of the one that cannot.
        assert_eq!(sweep.now(&standings, &[5; 6]), Some((2, vec![1])));
        standings[1] = standing(2, 0.2, State::Finished);
        assert_eq!(sweep.now(&standings, &[5; 6]), Some((5, vec![2])));
        standings[2] = standing(5, 0.005, State::Finished);
        assert_eq!(sweep.now(&standings, &[5; 6]), None);
    }

    #[test]
    fn a_run_of_few_epochs_is_done_after_these() {
        let sweep = sweep(json!({ "search": "grid", "vary": { "epochs": [2, 4] } }));
        let mut standings = vec![standing(2, 0.5, State::Finished), Standing::default()];
        assert_eq!(sweep.now(&standings, &[2, 4]), Some((4, vec![1])));
        standings[1] = standing(4, 0.4, State::Finished);
        assert_eq!(sweep.now(&standings, &[2, 4]), None);
    }

    #[test]
    fn runs_that_all_fail_end_the_sweep() {
        let sweep = sweep(json!({ "search": "halving", "runs": 2, "vary": { "seed": [1, 2] } }));
        let failed = vec![standing(1, 0.1, State::Failed); 2];
        assert_eq!(sweep.now(&failed, &[9; 2]), None);
    }
}
