//! Settings, and how charts are looked at, as the query of an address: what differs from the defaults.

use kiln_model::config::{Config, DEFAULT_PATIENCE, Setting, ValidateEvery, ValidateOn};
use kiln_model::optimizer::Optimizer;
use kiln_model::schedule::Schedule;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::series::Axis;
use crate::sight::{Beginning, MOST_SMOOTHING, Sight};

/// Of what the keys mean; counted up with whatever an older Kiln would misread.
const VERSION: u32 = 1;
/// Most letters of a key or value that is repeated to a person.
const SAID_LETTERS: usize = 30;

/// What an address says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shared {
    /// The settings.
    pub config: Config,
    /// How charts are looked at.
    pub sight: Sight,
    /// What of it was not taken as it stands: sentences.
    pub remarks: Vec<String>,
}

/// Settings that are numbers, by the names that files give them, with what sets each.
pub const NUMBERS: [(&str, Setting); 10] = [
    ("epochs", Setting::Epochs),
    ("batch_size", Setting::BatchSize),
    ("learning_rate", Setting::LearningRate),
    ("momentum", Setting::Momentum),
    ("weight_decay", Setting::WeightDecay),
    ("dropout", Setting::Dropout),
    ("validation_split", Setting::ValidationSplit),
    ("patience", Setting::Patience),
    ("training_images", Setting::TrainingImages),
    ("seed", Setting::Seed),
];

/// Settings that are words, by the names that files give them, with what a person reads.
pub const WORDS: [(&str, &str); 4] = [
    ("optimizer", "Optimizer"),
    ("schedule", "Schedule"),
    ("validate_on", "Validate on"),
    ("validate_every", "Validate every"),
];

/// Whether the setting that files give this name is a word.
pub fn is_word(key: &str) -> bool {
    WORDS.iter().any(|(word, _)| *word == key)
}

/// The names of all settings, as files give them.
pub fn names() -> impl Iterator<Item = &'static str> {
    let words = WORDS.into_iter().map(|(name, _)| name);
    words.chain(NUMBERS.into_iter().map(|(name, _)| name))
}

/// What a person reads of the setting that files give this name; the name itself where there is none.
pub fn label(key: &'static str) -> &'static str {
    let words = WORDS.into_iter();
    let mut all = words.chain(NUMBERS.map(|(name, setting)| (name, setting.label())));
    all.find(|(name, _)| *name == key)
        .map_or(key, |(_, label)| label)
}

/// The words that files have for the choices of one of [`WORDS`].
pub fn choices(key: &str) -> Vec<String> {
    let words = |all: &[Option<String>]| all.iter().flatten().cloned().collect();
    match key {
        "optimizer" => Optimizer::ALL
            .map(|optimizer| optimizer_word(optimizer).to_owned())
            .into(),
        "schedule" => words(&Schedule::ALL.map(|schedule| word(&schedule))),
        "validate_on" => words(&[ValidateOn::Split, ValidateOn::TestSet].map(|on| word(&on))),
        "validate_every" => words(&ValidateEvery::ALL.map(|every| word(&every))),
        _ => Vec::new(),
    }
}

/// Sets one of [`WORDS`] to the choice that files have this word for, and says whether there is one.
pub fn put_word(config: &mut Config, key: &str, word: &str) -> bool {
    match key {
        "optimizer" => {
            let mut all = Optimizer::ALL.into_iter();
            let found = all.find(|optimizer| optimizer_word(*optimizer) == word);
            config.optimizer = found.unwrap_or(config.optimizer);
            found.is_some()
        }
        "schedule" => put(&mut config.schedule, word),
        "validate_on" => put(&mut config.validate_on, word),
        "validate_every" => put(&mut config.validate_every, word),
        _ => false,
    }
}

/// The query of these settings, such as `v=1&epochs=3`; nothing where all are the defaults.
pub fn write(config: &Config, sight: &Sight) -> Option<String> {
    let plain = Config::default();
    let mut pairs = Vec::new();
    if config.optimizer.label() != plain.optimizer.label() {
        pairs.push(("optimizer", optimizer_word(config.optimizer).to_owned()));
    }
    let words = [
        ("schedule", word(&config.schedule), word(&plain.schedule)),
        (
            "validate_on",
            word(&config.validate_on),
            word(&plain.validate_on),
        ),
        (
            "validate_every",
            word(&config.validate_every),
            word(&plain.validate_every),
        ),
    ];
    pairs.extend(words.into_iter().filter_map(|(key, now, plain)| {
        let now = now.filter(|now| Some(now) != plain.as_ref())?;
        Some((key, now))
    }));
    for (key, setting) in NUMBERS {
        // A patience that is set says that the run may end early.
        let is_said = setting.get(config) != setting.get(&plain) || setting == Setting::Patience;
        if setting.is_used_by(config) && is_said {
            pairs.push((key, setting.get(config).to_string()));
        }
    }
    let usual = Sight::default();
    if sight.axis != usual.axis {
        pairs.push(("axis", axis_word(sight.axis).to_owned()));
    }
    if sight.from != usual.from {
        pairs.push(("from", beginning_word(sight.from).to_owned()));
    }
    if sight.smoothing != usual.smoothing {
        pairs.push(("smoothing", sight.smoothing.to_string()));
    }
    let switches = [
        ("log", sight.is_log),
        ("cut", sight.cuts_outliers),
        ("group", sight.groups_seeds),
    ];
    let on = switches.into_iter().filter(|(_, is_on)| *is_on);
    pairs.extend(on.map(|(key, _)| (key, "1".to_owned())));
    let query: String = pairs
        .iter()
        .map(|(key, value)| format!("&{key}={value}"))
        .collect();
    (!pairs.is_empty()).then(|| format!("v={VERSION}{query}"))
}

/// What a query says; nothing where it is none of settings. What is out of range is brought into it, what
/// is not known is left out, and each is remarked on.
pub fn read(query: &str) -> Option<Shared> {
    let pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let version = pairs.iter().find(|(key, _)| *key == "v")?.1;
    let mut shared = Shared::default();
    if version != VERSION.to_string() {
        shared.remarks.push(format!(
            "The link is of version {}, and this Kiln knows version {VERSION}: what it knows of it was taken.",
            said(version)
        ));
    }
    // The optimiser first: momentum and weight decay are parts of it.
    for (key, value) in pairs.iter().filter(|(key, _)| *key == "optimizer") {
        if !put_word(&mut shared.config, key, value) {
            shared.remark_unknown_value(key, value);
        }
    }
    for (key, value) in pairs {
        shared.take(key, value);
    }
    Some(shared)
}

impl Shared {
    fn take(&mut self, key: &str, value: &str) {
        if let Some((_, setting)) = NUMBERS.into_iter().find(|(name, _)| *name == key) {
            return self.take_number(setting, key, value);
        }
        let is_known = match key {
            "v" | "optimizer" => true,
            _ if is_word(key) => put_word(&mut self.config, key, value),
            "axis" => choose(&mut self.sight.axis, &Axis::ALL, axis_word, value),
            "from" => choose(&mut self.sight.from, &Beginning::ALL, beginning_word, value),
            "log" => switch(&mut self.sight.is_log, value),
            "cut" => switch(&mut self.sight.cuts_outliers, value),
            "group" => switch(&mut self.sight.groups_seeds, value),
            "smoothing" => match value.parse::<f64>() {
                Ok(smoothing) if smoothing.is_finite() => {
                    self.sight.smoothing = smoothing.clamp(0.0, MOST_SMOOTHING);
                    true
                }
                _ => false,
            },
            _ => {
                return self.remarks.push(format!(
                    "The link names {}, which is no setting: it was left out.",
                    said(key)
                ));
            }
        };
        if !is_known {
            self.remark_unknown_value(key, value);
        }
    }

    fn take_number(&mut self, setting: Setting, key: &str, value: &str) {
        let Some(wanted) = value
            .parse::<f64>()
            .ok()
            .filter(|wanted| wanted.is_finite())
        else {
            return self.remark_unknown_value(key, value);
        };
        if setting == Setting::Patience {
            self.config.patience = Some(DEFAULT_PATIENCE);
        }
        if !setting.is_used_by(&self.config) {
            return self.remarks.push(format!(
                "{} is no setting of {}: it was left out.",
                setting.label(),
                self.config.optimizer.label()
            ));
        }
        let (min, max) = setting.range();
        let clamped = wanted.clamp(min, max);
        let taken = if setting.is_whole() {
            clamped.round()
        } else {
            clamped
        };
        if taken != wanted {
            self.remarks.push(format!(
                "{} is {taken} instead of {wanted}: it can be from {min} to {max}.",
                setting.label()
            ));
        }
        if let Err(error) = setting.set(&mut self.config, taken) {
            self.remarks.push(error.to_string());
        }
    }

    fn remark_unknown_value(&mut self, key: &str, value: &str) {
        self.remarks.push(format!(
            "The link has {} for {key}, which it cannot be: it is as usual.",
            said(value)
        ));
    }
}

/// The word that files and addresses have for an optimiser.
const fn optimizer_word(optimizer: Optimizer) -> &'static str {
    match optimizer {
        Optimizer::Adam => "adam",
        Optimizer::Sgd { momentum: _ } => "sgd",
        Optimizer::AdamW { weight_decay: _ } => "adam_w",
        Optimizer::RmsProp => "rms_prop",
    }
}

/// The word that addresses have for an axis.
const fn axis_word(axis: Axis) -> &'static str {
    match axis {
        Axis::Step => "step",
        Axis::Epoch => "epoch",
        Axis::Images => "images",
        Axis::Elapsed => "elapsed",
        Axis::Clock => "clock",
    }
}

/// The word that addresses have for where an axis begins.
const fn beginning_word(from: Beginning) -> &'static str {
    match from {
        Beginning::Start => "start",
        Beginning::Epoch => "epoch",
        Beginning::Tenth => "tenth",
    }
}

/// Sets one of these to the one that addresses have this word for, and says whether there is one.
fn choose<T: Copy>(chosen: &mut T, all: &[T], word_of: fn(T) -> &'static str, word: &str) -> bool {
    let found = all.iter().find(|one| word_of(**one) == word);
    *chosen = found.copied().unwrap_or(*chosen);
    found.is_some()
}

/// Switches something on or off, and says whether the word is one of the two.
fn switch(is_on: &mut bool, word: &str) -> bool {
    *is_on = word == "1";
    matches!(word, "0" | "1")
}

/// The word that files have for a choice.
fn word(choice: &impl Serialize) -> Option<String> {
    match serde_json::to_value(choice) {
        Ok(Value::String(word)) => Some(word),
        _ => None,
    }
}

/// Sets a choice to the one with this word, and says whether there is one.
fn put<T: DeserializeOwned>(choice: &mut T, word: &str) -> bool {
    match serde_json::from_value(Value::String(word.to_owned())) {
        Ok(found) => {
            *choice = found;
            true
        }
        Err(_) => false,
    }
}

/// What came from an address, as it is repeated to a person.
fn said(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let cut: String = text.chars().take(SAID_LETTERS).collect();
    format!("“{cut}”")
}

#[cfg(test)]
mod tests {
    use kiln_model::optimizer::{DEFAULT_MOMENTUM, DEFAULT_WEIGHT_DECAY};
    use kiln_model::preset::Preset;

    use super::*;

    #[test]
    fn defaults_need_no_query() {
        assert_eq!(write(&Config::default(), &Sight::default()), None);
        assert_eq!(read(""), None);
        assert_eq!(read("run=3"), None);
        assert_eq!(read("v=1"), Some(Shared::default()));
    }

    #[test]
    fn every_setting_comes_back() {
        let mut configs: Vec<Config> = Preset::ALL.map(Preset::config).to_vec();
        for optimizer in [
            Optimizer::Sgd { momentum: 0.0 },
            Optimizer::Sgd {
                momentum: DEFAULT_MOMENTUM,
            },
            Optimizer::AdamW { weight_decay: 0.07 },
            Optimizer::AdamW {
                weight_decay: DEFAULT_WEIGHT_DECAY,
            },
            Optimizer::RmsProp,
        ] {
            configs.push(Config {
                optimizer,
                epochs: 50,
                batch_size: 1,
                learning_rate: 1e-5,
                schedule: Schedule::WarmUpCosine,
                dropout: 0.123_456_789,
                validate_on: ValidateOn::TestSet,
                validation_split: 0.3,
                validate_every: ValidateEvery::QuarterEpoch,
                patience: Some(3),
                training_images: 1_000,
                seed: u32::MAX,
            });
        }
        let sight = Sight {
            axis: Axis::Clock,
            from: Beginning::Tenth,
            smoothing: 0.25,
            is_log: true,
            cuts_outliers: true,
            groups_seeds: true,
        };
        for config in configs {
            for sight in [sight, Sight::default()] {
                let Some(query) = write(&config, &sight) else {
                    assert_eq!(config, Config::default());
                    continue;
                };
                let read = read(&query).unwrap();
                assert_eq!((read.config, read.sight), (config, sight), "{query}");
                assert_eq!(read.remarks, [""; 0], "{query}");
            }
        }
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_said() {
        let shared = read("v=1&epochs=500&batch_size=12.4&foo=1&optimizer=lion&momentum=0.5&dropout=x&axis=up&log=2").unwrap();
        assert_eq!(shared.config.epochs, 50);
        assert_eq!(shared.config.batch_size, 12);
        assert_eq!(shared.config.optimizer, Optimizer::Adam);
        assert_eq!(shared.sight, Sight::default());
        assert_eq!(
            shared.remarks,
            [
                "The link has “lion” for optimizer, which it cannot be: it is as usual.",
                "Epochs is 50 instead of 500: it can be from 1 to 50.",
                "Batch size is 12 instead of 12.4: it can be from 1 to 1024.",
                "The link names “foo”, which is no setting: it was left out.",
                "Momentum is no setting of Adam: it was left out.",
                "The link has “x” for dropout, which it cannot be: it is as usual.",
                "The link has “up” for axis, which it cannot be: it is as usual.",
                "The link has “2” for log, which it cannot be: it is as usual.",
            ]
        );
        assert!(shared.config.check().is_ok());
        let newer = read("v=7&epochs=3").unwrap();
        assert_eq!((newer.config.epochs, newer.remarks.len()), (3, 1));
    }

    #[test]
    fn nothing_that_is_typed_breaks_it() {
        for query in [
            "v",
            "v=",
            "v=1&&&=",
            "v=1&epochs",
            "v=1&epochs=NaN",
            "v=1&seed=-1e999",
            "v=1&%00=%ff",
            "v=1&ü=ß",
        ] {
            let shared = read(query).unwrap();
            assert!(shared.config.check().is_ok(), "{query}");
        }
    }
}
