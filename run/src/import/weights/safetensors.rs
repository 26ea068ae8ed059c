//! Weights out of safetensors: a length, a header in JSON, values.
//! <https://huggingface.co/docs/safetensors>

use std::collections::HashSet;
use std::fmt;

use ::safetensors::SafeTensors;
use ::safetensors::tensor::Dtype;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::named::{Tensor, network, shown};
use super::number::{ByteOrder, Number};
use super::{Found, WeightsError};

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
        .tensors()
        .into_iter()
        .map(|(name, view)| Tensor {
            name,
            shape: view.shape().to_vec(),
            number: number(view.dtype()),
            place: view,
        })
        .collect();
    // The library gives them in an order that changes from one time to the next.
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
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
