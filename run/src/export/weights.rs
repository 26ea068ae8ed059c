//! The weights as other libraries lay them out, and in words.

use kiln_model::spec::{CONV2_CHANNELS, Parameter};

use super::format::Source;
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

/// The shape and the values of a parameter in a library whose images have their channels last, such
/// as Keras, given all values in the order of [`kiln_model::spec::PARAMETERS`].
///
/// Kernels `[out, in, rows, columns]` become `[rows, columns, in, out]`. The dense layer's weights
/// `[out, features]` become `[features, out]`, and since there an image is flattened with its
/// channels last too, feature (channel, row, column) becomes (row, column, channel). Biases stay.
pub fn channels_last(parameter: &Parameter, all: &[f32]) -> (Vec<usize>, Vec<f32>) {
    let values = all.get(parameter.range()).unwrap_or_default();
    match *parameter.shape {
        [outputs, inputs, rows, columns] => (
            vec![rows, columns, inputs, outputs],
            reversed(values, [outputs, inputs, rows * columns]),
        ),
        [outputs, features] => (
            vec![features, outputs],
            reversed(values, [outputs, CONV2_CHANNELS, features / CONV2_CHANNELS]),
        ),
        _ => (parameter.shape.to_vec(), values.to_vec()),
    }
}

/// The values of an array `[outputs, inputs, places]` as `[places, inputs, outputs]`.
fn reversed(values: &[f32], [outputs, inputs, places]: [usize; 3]) -> Vec<f32> {
    let source = |index: usize| {
        let (output, rest) = (index % outputs, index / outputs);
        let (input, place) = (rest % inputs, rest / inputs);
        (output * inputs + input) * places + place
    };
    let indices = (0..values.len()).map(source);
    indices
        .filter_map(|index| values.get(index))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use kiln_model::spec::{CONV2_BIAS, CONV2_WEIGHT, FC_WEIGHT, PARAMETER_COUNT};

    use super::*;

    #[test]
    fn channels_go_last() {
        // Every value is its own index.
        let all: Vec<f32> = (0..PARAMETER_COUNT).map(|index| index as f32).collect();
        let check = |parameter: &Parameter, shape: &[usize], from: usize, to: usize| {
            let (found, values) = channels_last(parameter, &all);
            assert_eq!(found, shape);
            assert_eq!(values.len(), parameter.len());
            assert_eq!(values[to], (parameter.offset + from) as f32);
        };
        let (output, input, row, column) = (7, 5, 2, 1);
        check(
            &CONV2_WEIGHT,
            &[3, 3, 32, 64],
            ((output * 32 + input) * 3 + row) * 3 + column,
            ((row * 3 + column) * 32 + input) * 64 + output,
        );
        let (output, channel, row, column) = (7, 60, 4, 1);
        check(
            &FC_WEIGHT,
            &[1_600, 10],
            output * 1_600 + channel * 25 + row * 5 + column,
            ((row * 5 + column) * 64 + channel) * 10 + output,
        );
        check(&CONV2_BIAS, &[64], 9, 9);
    }
}
