//! Settings without levels: a name and a value each, as other tools compare them.

use std::collections::BTreeMap;

use kiln_model::config::Config;
use serde_json::Value;

use super::format::ExportError;

/// All settings by name, those of the optimiser among the others: texts, numbers, and null for what
/// is switched off.
pub fn settings(config: &Config) -> Result<BTreeMap<String, Value>, ExportError> {
    let mut flat = BTreeMap::new();
    if let Value::Object(settings) = serde_json::to_value(config).map_err(ExportError::of)? {
        for (setting, value) in settings {
            match value {
                Value::Object(parts) => flat.extend(parts.into_iter().map(|(part, value)| {
                    let is_name = part == "name";
                    (if is_name { setting.clone() } else { part }, value)
                })),
                _ => drop(flat.insert(setting, value)),
            }
        }
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use kiln_model::optimizer::Optimizer;

    use super::*;

    #[test]
    fn the_optimiser_stands_among_the_others() {
        let optimizer = Optimizer::Sgd { momentum: 0.5 };
        let config = Config {
            optimizer,
            ..Config::default()
        };
        let flat = settings(&config).unwrap();
        assert_eq!(flat["optimizer"], "sgd");
        assert_eq!(flat["momentum"], 0.5);
        assert_eq!(flat["batch_size"], 128);
        assert_eq!(flat["patience"], Value::Null);
        assert_eq!(flat.len(), 13);
    }
}
