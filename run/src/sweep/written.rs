//! The values of a setting as a person writes them in one line.

use serde_json::{Map, Value, json};

use crate::sweep::error::SweepError;

/// How many values a grid takes of a range that does not say.
const STEPS: u32 = 3;

/// Values such as `0.001, 0.01` or `0.0001 to 0.1 log in 4`, as a sweep's file has them; nothing of
/// an empty line.
///
/// # Errors
/// A range that is none.
pub fn read(key: &str, text: &str) -> Result<Option<Value>, SweepError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(place) = words.iter().position(|word| *word == "to") else {
        let listed = text.split(',').map(str::trim);
        let listed = listed.filter(|value| !value.is_empty());
        return Ok(Some(listed.map(value).collect()));
    };
    let refused = |reason: String| SweepError::Range {
        key: key.to_owned(),
        reason,
    };
    let (from, rest) = words.split_at(place);
    let number = |words: &[&str]| {
        let [word] = words else {
            return Err(refused("write it as 0.001 to 0.1".to_owned()));
        };
        let number: Option<f64> = word.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| refused(format!("{word:?} is no number")))
    };
    let from = number(from)?;
    let to = number(rest.get(1..2).unwrap_or_default())?;
    let mut range = Map::from_iter([
        ("from".to_owned(), json!(from)),
        ("to".to_owned(), json!(to)),
        ("steps".to_owned(), json!(STEPS)),
    ]);
    let mut words = rest[2..].iter();
    while let Some(word) = words.next() {
        match *word {
            "log" => drop(range.insert("scale".to_owned(), json!("log"))),
            "in" => {
                let steps = words.next().and_then(|word| word.parse::<u32>().ok());
                let steps = steps
                    .ok_or_else(|| refused("write how many after in, such as in 5".to_owned()))?;
                range.insert("steps".to_owned(), json!(steps));
            }
            other => {
                return Err(refused(format!(
                    "{other:?} means nothing here; after the range may stand log, and in with a number"
                )));
            }
        }
    }
    Ok(Some(Value::Object(range)))
}

/// A number where it is one.
fn value(text: &str) -> Value {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.map_or_else(|| json!(text), |number| json!(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_values_or_a_range() {
        let cases = [
            ("0.001, 0.01", json!([0.001, 0.01])),
            (" adam,sgd, ", json!(["adam", "sgd"])),
            (
                "0.0001 to 0.1 log in 4",
                json!({ "from": 0.0001, "to": 0.1, "scale": "log", "steps": 4 }),
            ),
            ("0 to 0.5", json!({ "from": 0.0, "to": 0.5, "steps": 3 })),
        ];
        for (text, value) in cases {
            assert_eq!(read("key", text).unwrap(), Some(value), "{text}");
        }
        assert_eq!(read("key", "  ").unwrap(), None);
    }

    #[test]
    fn what_is_no_range_says_how_to_write_one() {
        for text in [
            "to 3",
            "1 to",
            "1 to x",
            "a b to 3",
            "1 to 2 in",
            "1 to 2 in x",
            "1 to 2 twice",
            "1 to inf",
        ] {
            let said = read("dropout", text).unwrap_err().to_string();
            assert!(said.starts_with("dropout in [vary]: "), "{text}: {said}");
        }
    }
}
