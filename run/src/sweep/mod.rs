//! A sweep: runs that differ in some settings, which of them there are, and which of them go on.

mod error;
mod file;
mod importance;
mod parallel;
mod standing;
mod values;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use kiln_model::config::Config;
use kiln_model::random::{Purpose, numbers, uniform};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::set;
pub use error::SweepError;
pub use importance::{Importance, importances};
pub use parallel::{Axis, Line, Parallel};
pub use standing::{Standing, better, loss};
pub use values::{MOST_RUNS, Range, Scale};
use values::{Values, text, values};
pub use written::read;

/// Halving, where nothing else is said: epochs of the first rung, and that one of so many goes on.
const FIRST_EPOCHS: u32 = 1;
const KEEP_ONE_OF: u32 = 3;
/// How often is drawn for each run before there are no other settings to draw.
const DRAWS: usize = 64;

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

/// Settings by name, as files write them.
pub type Pairs = Vec<(String, String)>;

/// A run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The settings that the sweep says.
    pub pairs: Pairs,
    /// All of its settings; with as many epochs as it does if it goes on to the end.
    pub config: Config,
}

/// What runs are compared after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Epochs of each of its runs.
    pub epochs: u32,
    /// How many there are.
    pub runs: usize,
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

    /// Its runs, with these settings but for those that it says.
    ///
    /// # Errors
    /// A sweep that cannot be, or a setting that cannot be so.
    pub fn members(&self, base: Config) -> Result<Vec<Member>, SweepError> {
        let mut members = Vec::new();
        for pairs in self.all()? {
            let mut config = base;
            let texts = pairs
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()));
            set::all(&mut config, texts)?;
            members.push(Member { pairs, config });
        }
        let most = members.iter().map(|member| member.config.epochs).max();
        self.check_epochs(members.len(), most.unwrap_or_default())?;
        Ok(members)
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

    /// Whether a halving of so many runs, the last of which do so many epochs, compares any before.
    ///
    /// # Errors
    /// It compares none: it would be a draw.
    fn check_epochs(&self, runs: usize, epochs: u32) -> Result<(), SweepError> {
        let is_none = runs > 1 && self.rungs(runs, epochs).len() == 1;
        if self.search == Search::Halving && is_none {
            let first = self.first_epochs.unwrap_or(FIRST_EPOCHS);
            return Err(SweepError::Short { first, epochs });
        }
        Ok(())
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
        let twice = self
            .vary
            .keys()
            .find(|key| self.settings.contains_key(*key));
        if let Some(key) = twice {
            return Err(SweepError::Twice { key: key.clone() });
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

/// What the runs of a sweep of this name are called.
pub fn names(sweep: &str, runs: usize) -> Vec<String> {
    let digits = runs.to_string().len();
    let name = |number| format!("{sweep}-{number:0digits$}");
    (1..=runs).map(name).collect()
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

#[cfg(test)]
mod tests;
