//! A sweep as a file that `kiln sweep` takes.

use std::fmt::Display;

use kiln_model::config::Config;

use super::{Sweep, SweepError};
use crate::export::flat;
use crate::share::names;

impl Sweep {
    /// The file, in TOML, of the sweep with all that its runs have of `base`: whoever reads it needs no other
    /// settings.
    ///
    /// # Errors
    /// A sweep that cannot be said in TOML.
    pub fn file(&self, base: Config) -> Result<String, SweepError> {
        let unwritten = |error: &dyn Display| SweepError::Unwritten(error.to_string());
        let ordinary = Config::default();
        // Of an optimiser that differs each run has the ordinary settings.
        let optimizer = match self.vary.contains_key("optimizer") {
            true => ordinary.optimizer,
            false => base.optimizer,
        };
        let of_base = flat::settings(&Config { optimizer, ..base });
        let of_base = of_base.map_err(|error| unwritten(&error))?;
        let ordinary = flat::settings(&ordinary).map_err(|error| unwritten(&error))?;
        let differ = names()
            .filter(|key| !self.vary.contains_key(*key) && of_base.get(*key) != ordinary.get(*key));
        let said = differ.filter_map(|key| Some((key.to_owned(), of_base.get(key)?.clone())));
        let alone = Self {
            settings: said.chain(self.settings.clone()).collect(),
            ..self.clone()
        };
        toml::to_string(&alone).map_err(|error| unwritten(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kiln_model::optimizer::Optimizer;
    use serde_json::json;

    use super::*;
    use crate::sweep::Search;

    fn sweep(vary: &[(&str, serde_json::Value)]) -> Sweep {
        let vary = vary
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        Sweep {
            search: Search::Grid,
            runs: None,
            seed: 0,
            first_epochs: None,
            keep_one_of: None,
            settings: BTreeMap::new(),
            vary: vary.collect(),
        }
    }

    fn of(sweep: &Sweep, base: Config) -> Vec<Config> {
        let members = sweep.members(base).unwrap().into_iter();
        members.map(|member| member.config).collect()
    }

    fn of_file(text: &str) -> Vec<Config> {
        of(&toml::from_str(text).unwrap(), Config::default())
    }

    #[test]
    fn a_file_says_the_settings_that_are_not_the_ordinary_ones() {
        let base = Config {
            epochs: 7,
            patience: Some(3),
            optimizer: Optimizer::Sgd { momentum: 0.5 },
            dropout: 0.25,
            ..Config::default()
        };
        let swept = sweep(&[
            ("learning_rate", json!([0.001, 0.01])),
            ("dropout", json!([0.0, 0.5])),
        ]);
        let text = swept.file(base).unwrap();
        assert_eq!(
            text,
            "search = \"grid\"
seed = 0

[settings]
epochs = 7
momentum = 0.5
optimizer = \"sgd\"
patience = 3

[vary]
dropout = [0.0, 0.5]
learning_rate = [0.001, 0.01]
"
        );
        assert_eq!(of_file(&text), of(&swept, base));
    }

    #[test]
    fn where_optimisers_and_ranges_differ_each_run_is_the_same_by_its_file() {
        let base = Config {
            optimizer: Optimizer::Sgd { momentum: 0.5 },
            ..Config::default()
        };
        let swept = sweep(&[
            ("optimizer", json!(["sgd", "adam"])),
            ("dropout", json!({ "from": 0.0, "to": 0.5, "steps": 3 })),
        ]);
        assert_eq!(of_file(&swept.file(base).unwrap()), of(&swept, base));
    }
}
