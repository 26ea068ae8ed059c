//! The weights as other libraries lay them out, and in words.

use super::Source;
use crate::run::Weights;

/// Values as bytes, the least significant first, as every format here wants them.
pub fn little_endian(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Which weights they are, such as `best, of step 938`.
pub fn described(source: &Source) -> String {
    match (source.which, source.run.weights_step(source.which)) {
        (Weights::Best, Some(step)) => format!("best, of step {step}"),
        (Weights::Last, Some(step)) => format!("last, of step {step}"),
        (_, None) => "unknown".to_owned(),
    }
}
