//! Weights out of safetensors: a length, a header in JSON, values.
//! <https://huggingface.co/docs/safetensors>

use std::collections::HashSet;
use std::fmt;

use ::safetensors::SafeTensors;
use ::safetensors::tensor::Dtype;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::found::{Found, WeightsError};
use super::named::{Tensor, network, shown};
use super::number::{ByteOrder, Number};

/// Bytes of the header's length.
const LENGTH_BYTES: usize = 8;

/// Whether bytes begin as such a file does.
pub fn is_one(bytes: &[u8]) -> bool {
    header(bytes).is_some_and(|header| header.starts_with(b"{"))
}

/// What is said of the tensors; nothing where the file is too short for it.
fn header(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// The weights in such a file.
pub fn read(bytes: &[u8]) -> Result<Found, WeightsError> {
    let damaged = |reason: String| WeightsError::Damaged {
        format: "safetensors",
        reason,
    };
    // The library takes the last of two tensors with one name.
    let mut json = serde_json::Deserializer::from_slice(header(bytes).unwrap_or_default());
    json.deserialize_map(Names)
        .map_err(|error| damaged(error.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    let mut tensors: Vec<_> = file
        .iter()
        .map(|(name, view)| Tensor {
            name,
            shape: view.shape().to_vec(),
            number: number(view.dtype()),
            place: view,
        })
        .collect();
    // The library gives them in an order that changes from one time to the next.
    tensors.sort_by(|a, b| a.name.cmp(b.name));
    network(&tensors, |tensor, number| {
        Ok(number.values(tensor.place.data(), ByteOrder::Little))
    })
}

fn number(kind: Dtype) -> Option<Number> {
    match kind {
        Dtype::F16 => Some(Number::Half),
        Dtype::BF16 => Some(Number::Brain),
        Dtype::F32 => Some(Number::Single),
        Dtype::F64 => Some(Number::Double),
        _ => None,
    }
}

/// Refuses a header in which a name stands twice.
struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            if seen.contains(&name) {
                return Err(A::Error::custom(format_args!(
                    "{} is there twice",
                    shown(&name)
                )));
            }
            seen.insert(name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, bytes: usize) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.resize(file.len() + bytes, 0);
        file
    }

    fn refused(header: &str, bytes: usize) -> String {
        let file = file(header, bytes);
        assert!(is_one(&file));
        read(&file).unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let tensor = r#"{"dtype":"F32","shape":[10],"data_offsets":[0,40]}"#;
        let error = refused(&format!(r#"{{"fc.bias":{tensor},"fc.bias":{tensor}}}"#), 40);
        assert!(
            error.starts_with(r#"is no whole safetensors file: "fc.bias" is there twice"#),
            "{error}"
        );
    }

    #[test]
    fn what_is_broken_is_refused() {
        assert!(refused("{", 0).contains("is no whole safetensors file"));
        assert!(refused("{}", 0).contains("has no conv1.weight"));
        let long = r#"{"a":{"dtype":"F32","shape":[10],"data_offsets":[0,40]}}"#;
        assert!(refused(long, 39).contains("is no whole safetensors file"));
        let whole = r#"{"fc.bias":{"dtype":"I64","shape":[10],"data_offsets":[0,80]}}"#;
        assert!(refused(whole, 80).contains("is of another network"));
        let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));
        assert!(refused(&deep, 0).contains("is no whole safetensors file"));
        let huge = format!(
            r#"{{"a":{{"dtype":"F32","shape":[{0},{0}],"data_offsets":[0,0]}}}}"#,
            u64::MAX
        );
        assert!(refused(&huge, 0).contains("is no whole safetensors file"));
        assert!(!is_one(&u64::MAX.to_le_bytes()));
        assert!(!is_one(b""));
    }
}
