//! Settings by name: out of `--set`, and out of a file of settings.

use crate::share::{NUMBERS, choices, is_word, names, put_word};
use kiln_model::config::{Config, DEFAULT_PATIENCE, OutOfRange, Setting};
use serde_json::{Map, Value};

/// The key and what it is where a run always goes to its last epoch.
const NO_PATIENCE: [&str; 2] = ["none", "null"];
/// What a beginner's dictionary says that can only be so.
const FIXED: [(&str, &str); 2] = [("loss", "categorical_crossentropy"), ("metric", "accuracy")];
/// Where a file of settings has all of them.
const SETTINGS: &str = "settings";

/// A setting that cannot be.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum SetError {
    /// No `=`.
    #[error("{0:?} sets nothing. Write KEY=VALUE, such as epochs=3.")]
    NoPair(String),
    /// No setting has this name.
    #[error("There is no setting {key:?}. The nearest is {nearest}; all are: {}.", names().collect::<Vec<_>>().join(", "))]
    UnknownKey {
        /// The name.
        key: String,
        /// The one that looks most like it.
        nearest: &'static str,
    },
    /// Not one of the choices.
    #[error("{key} can be {}, not {value:?}.", .choices.join(", "))]
    UnknownValue {
        /// The setting.
        key: String,
        /// What was asked for.
        value: String,
        /// What it can be.
        choices: Vec<String>,
    },
    /// Not a number.
    #[error("{key} must be a number from {min} to {max}, not {value:?}.")]
    NoNumber {
        /// The setting.
        key: String,
        /// What was asked for.
        value: String,
        /// The least it may be.
        min: f64,
        /// The most it may be.
        max: f64,
    },
    /// Outside its range.
    #[error("{key}: {reason}")]
    OutOfRange {
        /// The setting.
        key: String,
        /// Its range.
        reason: OutOfRange,
    },
    /// The optimiser has no such setting.
    #[error("{key} is no setting of {optimizer}. Set optimizer first.")]
    Unused {
        /// The setting.
        key: String,
        /// The optimiser.
        optimizer: &'static str,
    },
    /// A file that says a setting twice.
    #[error(
        "{key} is {first} at the top of the file and {second} in its settings. Give both the same value."
    )]
    Differs {
        /// The setting.
        key: String,
        /// What stands at the top.
        first: String,
        /// What stands in the settings.
        second: String,
    },
    /// A run under way keeps what it began with.
    #[error(
        "{key} cannot change in a run that goes on; epochs, learning_rate and patience can. Its settings can begin another run."
    )]
    Settled {
        /// The setting.
        key: String,
    },
}

/// The two sides of `KEY=VALUE`.
///
/// # Errors
/// A text without `=`.
pub fn pair(text: &str) -> Result<(&str, &str), SetError> {
    let pair = text.split_once('=');
    let (key, value) = pair.ok_or_else(|| SetError::NoPair(text.to_owned()))?;
    Ok((key.trim(), value.trim()))
}

/// Sets all of these, the optimiser first: it decides what others mean.
///
/// # Errors
/// The first that cannot be; `config` is then partly changed.
pub fn all<'a>(
    config: &mut Config,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), SetError> {
    let (first, then): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| is_word(key));
    first
        .into_iter()
        .chain(then)
        .try_for_each(|(key, value)| one(config, key, value))
}

fn one(config: &mut Config, key: &str, value: &str) -> Result<(), SetError> {
    if is_word(key) {
        return if put_word(config, key, value) {
            Ok(())
        } else {
            Err(SetError::UnknownValue {
                key: key.to_owned(),
                value: value.to_owned(),
                choices: choices(key),
            })
        };
    }
    let named = NUMBERS.into_iter().find(|(name, _)| *name == key);
    let (_, setting) = named.ok_or_else(|| SetError::UnknownKey {
        key: key.to_owned(),
        nearest: nearest(key),
    })?;
    if setting == Setting::Patience {
        if NO_PATIENCE.contains(&value) {
            config.patience = None;
            return Ok(());
        }
        config.patience = config.patience.or(Some(DEFAULT_PATIENCE));
    }
    let (min, max) = setting.range();
    let number: f64 = value.parse().map_err(|_| SetError::NoNumber {
        key: key.to_owned(),
        value: value.to_owned(),
        min,
        max,
    })?;
    if !setting.is_used_by(config) {
        return Err(SetError::Unused {
            key: key.to_owned(),
            optimizer: config.optimizer.label(),
        });
    }
    setting
        .set(config, number)
        .map_err(|reason| SetError::OutOfRange {
            key: key.to_owned(),
            reason,
        })
}

/// The setting whose name looks most like this.
fn nearest(key: &str) -> &'static str {
    let likeness = |name: &&str| strsim::jaro_winkler(key, name);
    let nearest = names().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.unwrap_or_default()
}

/// The settings in a file of them: as Kiln writes it, or a dictionary such as a beginner's script has.
///
/// # Errors
/// A key or a value that is none.
pub fn of_file(file: &Map<String, Value>) -> Result<Config, SetError> {
    let mut config = Config::default();
    let Some(Value::Object(settings)) = file.get(SETTINGS) else {
        let dictionary = texts(file);
        for (key, value) in &dictionary {
            if let Some((_, fixed)) = FIXED.into_iter().find(|(name, _)| name == key)
                && fixed != value
            {
                return Err(SetError::UnknownValue {
                    key: key.clone(),
                    value: value.clone(),
                    choices: vec![fixed.to_owned()],
                });
            }
        }
        let pairs = dictionary
            .iter()
            .filter(|(key, _)| FIXED.iter().all(|(name, _)| name != key));
        all(
            &mut config,
            pairs.map(|(key, value)| (key.as_str(), as_word(key, value))),
        )?;
        return Ok(config);
    };
    let mut flat = settings.clone();
    // An optimiser is written with what belongs to it.
    if let Some(Value::Object(optimizer)) = settings.get("optimizer") {
        flat.remove("optimizer");
        for (key, value) in optimizer.clone() {
            let key = if key == "name" {
                "optimizer".to_owned()
            } else {
                key
            };
            flat.insert(key, value);
        }
    }
    let pairs = texts(&flat);
    all(
        &mut config,
        pairs
            .iter()
            .map(|(key, value)| (key.as_str(), as_word(key, value))),
    )?;
    agrees(&config, file)?;
    Ok(config)
}

/// Whether what a file says first, for a person, is what its settings say.
fn agrees(config: &Config, file: &Map<String, Value>) -> Result<(), SetError> {
    let differs = |key: &str, first: &str, second: String| SetError::Differs {
        key: key.to_owned(),
        first: first.to_owned(),
        second,
    };
    for (key, first) in texts(file) {
        if let Some((_, setting)) = NUMBERS.into_iter().find(|(name, _)| *name == key) {
            let second = setting.get(config);
            if first.parse() != Ok(second) {
                return Err(differs(&key, &first, second.to_string()));
            }
        } else if key == "optimizer" {
            let mut other = *config;
            one(&mut other, &key, as_word(&key, &first))?;
            if other.optimizer.label() != config.optimizer.label() {
                return Err(differs(
                    &key,
                    &first,
                    config.optimizer.label().to_lowercase(),
                ));
            }
        }
    }
    Ok(())
}

/// What stands in a file as it would stand behind a `=`.
fn texts(values: &Map<String, Value>) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    values
        .iter()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

/// An optimiser under the name that Keras has for it.
fn as_word<'a>(key: &str, value: &'a str) -> &'a str {
    match (key, value) {
        ("optimizer", "adamw") => "adam_w",
        ("optimizer", "rmsprop") => "rms_prop",
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_model::optimizer::Optimizer;
    use kiln_model::schedule::Schedule;
    use serde_json::json;

    fn set(pairs: &[&str]) -> Result<Config, SetError> {
        let mut config = Config::default();
        let pairs = pairs.iter().map(|text| pair(text));
        all(&mut config, pairs.collect::<Result<Vec<_>, _>>()?)?;
        Ok(config)
    }

    fn file(value: Value) -> Result<Config, SetError> {
        of_file(value.as_object().unwrap())
    }

    #[test]
    fn settings_are_set_whatever_their_order() {
        let config = set(&[
            "momentum=0.5",
            "schedule=cosine",
            "optimizer=sgd",
            "patience=2",
        ]);
        let config = config.unwrap();
        assert_eq!(config.optimizer, Optimizer::Sgd { momentum: 0.5 });
        assert_eq!(config.schedule, Schedule::Cosine);
        assert_eq!(config.patience, Some(2));
        assert_eq!(
            set(&["patience=2", "patience=none"]).unwrap().patience,
            None
        );
    }

    #[test]
    fn what_cannot_be_is_said_with_what_can() {
        let said = |pairs: &[&str]| set(pairs).unwrap_err().to_string();
        assert!(said(&["batchsize=3"]).contains("The nearest is batch_size; all are: optimizer, "));
        assert_eq!(
            said(&["epochs=51"]),
            "epochs: Epochs must be a whole number from 1 to 50, not 51."
        );
        assert_eq!(
            said(&["dropout=half"]),
            "dropout must be a number from 0 to 0.9, not \"half\"."
        );
        assert_eq!(
            said(&["optimizer=lion"]),
            "optimizer can be adam, sgd, adam_w, rms_prop, not \"lion\"."
        );
        assert_eq!(
            said(&["momentum=0.5"]),
            "momentum is no setting of Adam. Set optimizer first."
        );
        assert_eq!(
            said(&["epochs"]),
            "\"epochs\" sets nothing. Write KEY=VALUE, such as epochs=3."
        );
    }

    #[test]
    fn a_file_that_kiln_wrote_has_the_settings_of_the_run() {
        let mut wanted = set(&["optimizer=adam_w", "weight_decay=0.05", "seed=7"]).unwrap();
        for patience in [None, Some(4)] {
            wanted.patience = patience;
            let written = json!({
                "epochs": 5, "optimizer": "adamw", "settings": wanted, "network": { "x": 1 },
            });
            assert_eq!(file(written).unwrap(), wanted);
        }
        let plain = json!({ "settings": { "optimizer": "sgd" } });
        assert_eq!(file(plain).unwrap().optimizer.label(), "SGD");
        for (key, value) in [("epochs", json!(50)), ("optimizer", json!("sgd"))] {
            let twice = json!({ key: value, "settings": wanted });
            let said = file(twice).unwrap_err().to_string();
            assert!(said.contains(" at the top of the file and "), "{said}");
        }
        let unknown = json!({ "settings": { "lerning_rate": 0.1 } });
        let said = file(unknown).unwrap_err().to_string();
        assert!(said.contains("The nearest is learning_rate"), "{said}");
    }

    #[test]
    fn the_dictionary_of_the_course_is_read() {
        let dictionary = json!({
            "epochs": 3, "batch_size": 64, "validation_split": 0.2,
            "loss": "categorical_crossentropy", "optimizer": "rmsprop", "metric": "accuracy",
        });
        let config = file(dictionary).unwrap();
        assert_eq!((config.epochs, config.batch_size), (3, 64));
        assert_eq!(config.optimizer, Optimizer::RmsProp);
        let other = file(json!({ "loss": "mse" })).unwrap_err().to_string();
        assert_eq!(other, "loss can be categorical_crossentropy, not \"mse\".");
    }
}
