//! Whether the steps of a graph of ONNX are this network's, and which array is what in it. What each
//! operator does is at <https://onnx.ai/onnx/operators/>.

use super::WeightsError;
use super::graph::{Graph, all, int, ints, is_one, is_valid, other};
use super::named::shown;
use crate::onnx::{GraphProto, NodeProto, TensorProto};

/// What an axis of feature maps runs along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The channels.
    Channel,
    /// The rows.
    Row,
    /// The columns.
    Column,
}

/// How feature maps lie in PyTorch, and in what ONNX convolves and pools.
pub const CHANNELS_FIRST: [Axis; 3] = [Axis::Channel, Axis::Row, Axis::Column];

/// An array that a layer works with.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    /// What its layer calls it: it may have no name of its own.
    pub name: &'a str,
    /// Its values.
    pub tensor: &'a TensorProto,
    /// What it is for.
    pub part: Part,
}

/// What an array is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Kernels of a convolution, or biases, as PyTorch has them.
    Plain,
    /// Biases that may have axes of length 1, to be added to feature maps or scores.
    Sum,
    /// The weights of the dense layer.
    Dense(Dense),
}

/// How the weights of the dense layer lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Whether they are `[features, outputs]` and not the other way around.
    pub features_first: bool,
    /// The order in which feature maps become features, the last axis running fastest.
    pub flattened: [Axis; 3],
}

/// How an image's values lie between two steps.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// As a caller gives them; there is one channel, so it matters little where.
    Image,
    /// As feature maps.
    Maps([Axis; 3]),
    /// As features, which were feature maps.
    Features([Axis; 3]),
    /// As a score for each digit.
    Scores,
    /// As how likely each digit is.
    Probabilities,
}

/// What makes up the network, without biases. Activation and pooling may change places: the largest
/// of some values stays the largest.
const BLOCKS: [[&str; 3]; 2] = [["Conv", "Relu", "MaxPool"], ["Conv", "MaxPool", "Relu"]];

/// The arrays of a graph that computes what this network does.
///
/// # Errors
/// A graph that does anything else, or of which that cannot be told.
pub fn layers(graph: &GraphProto) -> Result<Vec<Array<'_>>, WeightsError> {
    let graph = Graph::of(graph)?;
    let mut walk = Walk {
        form: Form::Image,
        done: Vec::new(),
        arrays: Vec::new(),
        graph: &graph,
    };
    for (node, data) in &graph.path {
        walk.step(node, data)?;
    }
    let layers: Vec<&str> = walk
        .done
        .iter()
        .filter(|step| **step != "Add")
        .copied()
        .collect();
    let (blocks, rest) = layers.as_chunks::<3>();
    let blocks_fit = blocks.len() == 2 && blocks.iter().all(|block| BLOCKS.contains(block));
    if !blocks_fit || !matches!(rest, ["Gemm" | "MatMul"]) {
        return Err(other(format!("its layers are {}", layers.join(", "))));
    }
    Ok(walk.arrays)
}

/// Somewhere on the way through a graph.
struct Walk<'g, 'a> {
    form: Form,
    /// The steps that compute something.
    done: Vec<&'a str>,
    arrays: Vec<Array<'a>>,
    graph: &'g Graph<'a>,
}

impl<'a> Walk<'_, 'a> {
    /// Goes on by a step, which works on what is called `data`.
    fn step(&mut self, node: &'a NodeProto, data: &str) -> Result<(), WeightsError> {
        let operator = node.op_type.as_str();
        // Only a sum is the same whichever of its sides comes first.
        if operator != "Add" && node.input.first().map(String::as_str) != Some(data) {
            return Err(other(format!(
                "what {} works on is constant",
                shown(operator)
            )));
        }
        let odd = |what: &str| other(format!("{} has {what}", shown(operator)));
        match (operator, self.form) {
            ("Identity" | "Dropout", _) => {}
            ("Cast", _) if int(node, "to", 0) == i64::from(TensorProto::FLOAT) => {}
            ("Transpose", Form::Image) if ints(node, "perm") == Some(&[0, 3, 1, 2]) => {}
            ("Transpose", Form::Maps(axes)) => {
                let turned = ints(node, "perm").and_then(|order| turned(axes, order));
                let axes = turned.ok_or_else(|| odd("axes of which nothing can be told"))?;
                self.form = Form::Maps(axes);
            }
            ("Reshape" | "Unsqueeze", Form::Image) | ("Reshape" | "Flatten", Form::Features(_)) => {
            }
            ("Reshape", Form::Maps(axes)) => self.form = Form::Features(axes),
            ("Flatten", Form::Maps(axes)) if int(node, "axis", 1) == 1 => {
                self.form = Form::Features(axes);
            }
            ("Conv", Form::Image | Form::Maps(CHANNELS_FIRST)) => {
                let ones = all(node, "strides", 1) && all(node, "dilations", 1);
                if !ones || !is_valid(node) || int(node, "group", 1) != 1 {
                    return Err(odd("other strides, dilations, groups or padding"));
                }
                self.take_all(node.input.iter().skip(1), Part::Plain);
                self.form = Form::Maps(CHANNELS_FIRST);
                self.done.push(operator);
            }
            ("Relu", Form::Maps(_)) => self.done.push(operator),
            ("MaxPool", Form::Maps(CHANNELS_FIRST)) => {
                let window = ["kernel_shape", "strides"];
                let same = window.iter().all(|name| ints(node, name) == Some(&[2, 2]));
                let plain = all(node, "dilations", 1) && int(node, "ceil_mode", 0) == 0;
                if !same || !plain || !is_valid(node) {
                    return Err(odd("another window"));
                }
                self.done.push(operator);
            }
            ("Gemm" | "MatMul", Form::Features(flattened)) => {
                let factors = is_one(node, "alpha") && is_one(node, "beta");
                if !factors || int(node, "transA", 0) != 0 {
                    return Err(odd("factors"));
                }
                let dense = Dense {
                    features_first: int(node, "transB", 0) == 0,
                    flattened,
                };
                self.take_all(node.input.iter().skip(1).take(1), Part::Dense(dense));
                self.take_all(node.input.iter().skip(2), Part::Plain);
                self.form = Form::Scores;
                self.done.push(operator);
            }
            ("Add", form) if self.takes_biases() => {
                let axes = match &form {
                    Form::Maps(axes) => axes.as_slice(),
                    _ => &[Axis::Channel],
                };
                let before = self.arrays.len();
                self.take_all(node.input.iter().filter(|name| *name != data), Part::Sum);
                let fit = |array: &Array| runs_along_channels(&array.tensor.dims, axes);
                if !self.arrays.iter().skip(before).all(fit) {
                    return Err(odd("biases along another axis than the channels"));
                }
                self.done.push(operator);
            }
            ("Softmax" | "LogSoftmax", Form::Scores) => self.form = Form::Probabilities,
            _ => return Err(other(format!("it does {} there", shown(operator)))),
        }
        Ok(())
    }

    /// Whether biases may be added: to what comes out of a layer as it is.
    fn takes_biases(&self) -> bool {
        matches!(self.done.last(), Some(&("Conv" | "Gemm" | "MatMul")))
            && matches!(self.form, Form::Maps(_) | Form::Scores)
    }

    fn take_all(&mut self, names: impl Iterator<Item = &'a String>, part: Part) {
        let array = |name: &'a String| {
            let tensor = self.graph.constant(name)?;
            Some(Array { name, tensor, part })
        };
        self.arrays.extend(names.filter_map(array));
    }
}

/// The axes of an image's feature maps after those of a batch were put in this order; nothing where
/// the images do not stay where they are.
fn turned(axes: [Axis; 3], order: &[i64]) -> Option<[Axis; 3]> {
    let [0, first, second, third] = order else {
        return None;
    };
    let axis = |at: &i64| {
        axes.get(usize::try_from(*at).ok()?.checked_sub(1)?)
            .copied()
    };
    let turned = [axis(first)?, axis(second)?, axis(third)?];
    let all_there = CHANNELS_FIRST.iter().all(|axis| turned.contains(axis));
    all_there.then_some(turned)
}

/// Whether an array of this shape, added to values with these axes, differs along channels alone. The
/// last axes of both belong together.
fn runs_along_channels(shape: &[i64], axes: &[Axis]) -> bool {
    let mut axes = axes.iter().rev();
    shape
        .iter()
        .rev()
        .all(|length| axes.next() == Some(&Axis::Channel) || *length == 1)
}
