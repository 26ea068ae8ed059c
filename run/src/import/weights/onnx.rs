//! Weights out of ONNX. What a tensor is for, the graph says: exporters give names of their own,
//! and the same shape may hold features in another order.

use kiln_model::spec::{CLASSES, CONV2_CHANNELS, FEATURES, LAYERS};
use prost::Message;

use super::axes::{Axis, CHANNELS_FIRST};
use super::found::{Found, WeightsError};
use super::layers::{Array, Dense, Part, layers};
use super::named::{Tensor, network, shown};
use super::number::{ByteOrder, Number};
use crate::onnx::{ModelProto, TensorProto};

/// Most bytes of a file. A message of 2 bytes takes some 200 in memory, so this bounds the room for
/// them all; they hold each other no deeper than they are declared, and prost skips none that is
/// nested deeper than 100.
const MOST_BYTES: usize = 1 << 20;
/// What is said where features are in another order.
pub const OTHER_ORDER: &str =
    "Its features have another order; the dense layer's weights were put in that of PyTorch.";
/// Rows, and columns, of the feature maps that the dense layer takes.
const SIDE: usize = LAYERS[4].output[1];

/// Whether bytes begin as such a file does: with the version of its messages, which every exporter
/// writes first.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x08)
}

/// The weights in such a file.
pub fn read(bytes: &[u8]) -> Result<Found, WeightsError> {
    if bytes.len() > MOST_BYTES {
        let reason = format!("it is larger than {} MB", MOST_BYTES >> 20);
        return Err(WeightsError::OtherNetwork(reason));
    }
    let model = ModelProto::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    // The last field that exporters write; without it, nobody knows what the operators mean.
    if model.opset_import.is_empty() {
        return Err(damaged(
            "it does not say of which version its operators are".to_owned(),
        ));
    }
    let graph = model
        .graph
        .ok_or_else(|| damaged("it has no graph".to_owned()))?;
    let arrays = layers(&graph)?;
    let tensors = arrays.iter().map(tensor).collect::<Result<Vec<_>, _>>()?;
    let mut found = network(&tensors, |tensor, number| {
        let array = tensor.place;
        let values = values(array, number)?;
        Ok(match array.part {
            Part::Dense(dense) => in_order(&values, dense),
            Part::Plain | Part::Sum => values,
        })
    })?;
    let channels_last = |array: &Array| match array.part {
        Part::Dense(dense) => dense.flattened != CHANNELS_FIRST,
        Part::Plain | Part::Sum => false,
    };
    if arrays.iter().any(channels_last) {
        found.remarks.push(OTHER_ORDER.to_owned());
    }
    Ok(found)
}

fn damaged(reason: String) -> WeightsError {
    WeightsError::Damaged {
        format: "ONNX",
        reason,
    }
}

fn tensor<'a>(array: &'a Array<'a>) -> Result<Tensor<'a, &'a Array<'a>>, WeightsError> {
    let name = || shown(array.name);
    if array.tensor.data_location == TensorProto::EXTERNAL {
        return Err(WeightsError::Elsewhere(name()));
    }
    let sizes = array
        .tensor
        .dims
        .iter()
        .map(|size| usize::try_from(*size).ok());
    let shape: Option<Vec<usize>> = sizes.collect();
    let mut shape = shape.ok_or_else(|| damaged(format!("the shape of {} is negative", name())))?;
    match array.part {
        Part::Plain => {}
        Part::Sum => shape.retain(|length| *length != 1),
        Part::Dense(dense) if dense.features_first => shape.reverse(),
        Part::Dense(_) => {}
    }
    Ok(Tensor {
        name: array.name,
        shape,
        number: match array.tensor.data_type {
            TensorProto::FLOAT => Some(Number::Single),
            TensorProto::FLOAT16 => Some(Number::Half),
            TensorProto::DOUBLE => Some(Number::Double),
            TensorProto::BFLOAT16 => Some(Number::Brain),
            _ => None,
        },
        place: array,
    })
}

/// The values of an array, which are at one of several places.
fn values(array: &Array, number: Number) -> Result<Vec<f32>, WeightsError> {
    let tensor = array.tensor;
    let values = match number {
        Number::Single if !tensor.float_data.is_empty() => tensor.float_data.clone(),
        Number::Double if !tensor.double_data.is_empty() => {
            let doubles = tensor.double_data.iter();
            doubles.map(|value| *value as f32).collect()
        }
        _ => number.values(&tensor.raw_data, ByteOrder::Little),
    };
    // The shape is that of a parameter, so this is no large product.
    let expected: i64 = tensor.dims.iter().product();
    if usize::try_from(expected) != Ok(values.len()) {
        let reason = format!(
            "{} has {} values of {expected}",
            shown(array.name),
            values.len()
        );
        return Err(damaged(reason));
    }
    Ok(values)
}

/// The weights of the dense layer as PyTorch has them, `[outputs, features]`, with features in the
/// order channel, row, column.
pub fn in_order(values: &[f32], dense: Dense) -> Vec<f32> {
    let source = |index: usize| {
        let (output, feature) = (index / FEATURES, index % FEATURES);
        let there = dense.flattened.iter().fold(0, |there, axis| match axis {
            Axis::Channel => there * CONV2_CHANNELS + feature / (SIDE * SIDE),
            Axis::Row => there * SIDE + feature / SIDE % SIDE,
            Axis::Column => there * SIDE + feature % SIDE,
        });
        if dense.features_first {
            there * CLASSES + output
        } else {
            output * FEATURES + there
        }
    };
    let indices = (0..values.len()).map(source);
    let found = indices.filter_map(|index| values.get(index));
    found.copied().collect()
}

#[cfg(test)]
mod tests {
    use kiln_model::spec::{FC_WEIGHT, PARAMETER_COUNT};

    use super::*;
    use crate::export::tests::exported;
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    fn model() -> ModelProto {
        let file = exported(".onnx", &scored_run(), Weights::Last, Vec::new()).unwrap();
        ModelProto::decode(file.as_slice()).unwrap()
    }

    /// The file after a change to one of its arrays.
    fn with(name: &str, change: impl FnOnce(&mut TensorProto)) -> Result<Found, WeightsError> {
        let mut model = model();
        let arrays = &mut model.graph.as_mut().unwrap().initializer;
        change(arrays.iter_mut().find(|array| array.name == name).unwrap());
        read(&model.encode_to_vec())
    }

    #[test]
    fn values_may_be_at_several_places() {
        let plain = read(&model().encode_to_vec()).unwrap();
        assert_eq!(plain.weights.len(), PARAMETER_COUNT);
        let floats = with("fc.weight", |array| {
            array.float_data = plain.weights[FC_WEIGHT.range()].to_vec();
            array.raw_data.clear();
        });
        assert_eq!(floats.unwrap(), plain);
        let doubles = with("fc.weight", |array| {
            let values = plain.weights[FC_WEIGHT.range()].iter();
            array.double_data = values.map(|value| f64::from(*value)).collect();
            array.raw_data.clear();
            array.data_type = TensorProto::DOUBLE;
        });
        let doubles = doubles.unwrap();
        assert_eq!(doubles.weights, plain.weights);
        assert_eq!(doubles.remarks.len(), 1);
    }

    #[test]
    fn arrays_that_are_not_whole_are_named() {
        let error = |result: Result<Found, WeightsError>| result.unwrap_err().to_string();
        let cut = error(with("fc.bias", |array| array.raw_data.truncate(39)));
        assert_eq!(
            cut,
            r#"is no whole ONNX file: "fc.bias" has 9 values of 10"#
        );
        let beside = error(with("fc.bias", |array| {
            array.data_location = TensorProto::EXTERNAL
        }));
        assert!(
            beside.starts_with(r#"keeps the values of "fc.bias" in another file"#),
            "{beside}"
        );
        let negative = error(with("fc.bias", |array| array.dims = vec![-10]));
        assert!(negative.contains("is negative"), "{negative}");
        let other = error(with("fc.weight", |array| array.dims = vec![1_600, 10]));
        assert!(
            other.contains("[1600, 10], where [10, 1600] is expected"),
            "{other}"
        );
        let whole = error(with("fc.bias", |array| array.data_type = 7));
        assert!(whole.contains("no floats"), "{whole}");
        let huge = error(with("conv1.bias", |array| array.dims = vec![i64::MAX; 9]));
        assert!(huge.starts_with(r#"holds "conv1.bias" of shape"#), "{huge}");
        assert!(error(read(b"\x08\x01")).contains("of which version"));
        let mut empty = model();
        empty.graph = None;
        assert!(error(read(&empty.encode_to_vec())).contains("it has no graph"));
        assert!(error(read(&vec![8; MOST_BYTES + 1])).contains("larger than 1 MB"));
    }

    /// Keras' order, by the formula of what writes it.
    #[test]
    fn features_are_put_in_order() {
        let (output, channel, row, column) = (7, 60, 4, 1);
        let mut values = vec![0.0; FC_WEIGHT.len()];
        values[((row * 5 + column) * 64 + channel) * 10 + output] = 1.0;
        let dense = Dense {
            features_first: true,
            flattened: [Axis::Row, Axis::Column, Axis::Channel],
        };
        let found = in_order(&values, dense);
        assert_eq!(found.iter().sum::<f32>(), 1.0);
        assert_eq!(found[output * 1_600 + channel * 25 + row * 5 + column], 1.0);
    }
}
