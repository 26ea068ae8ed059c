//! Whether the steps of a graph of ONNX are this network's, and which array is what in it. What
//! each operator does is at <https://onnx.ai/onnx/operators/>.

use super::axes::{Axis, CHANNELS_FIRST, runs_along_channels, turned};
use super::found::WeightsError;
use super::graph::{Graph, all, int, ints, is_one, is_valid, other};
use super::named::shown;
use crate::onnx::{GraphProto, NodeProto, TensorProto};

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
        let odd = |what: &str| odd(node, what);
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
                self.take_biases(node, node.input.iter().skip(2), &[Axis::Channel])?;
                self.form = Form::Scores;
                self.done.push(operator);
            }
            ("Add", form) if self.may_take_biases() => {
                let axes = match &form {
                    Form::Maps(axes) => axes.as_slice(),
                    _ => &[Axis::Channel],
                };
                let biases = node.input.iter().filter(|name| *name != data);
                let before = self.arrays.len();
                self.take_biases(node, biases, axes)?;
                // Values added to themselves, or to others that images make, are another network.
                if self.arrays.len() != before + 1 {
                    return Err(odd("no constant to add"));
                }
                self.done.push(operator);
            }
            ("Softmax" | "LogSoftmax", Form::Scores) => self.form = Form::Probabilities,
            _ => return Err(other(format!("it does {} there", shown(operator)))),
        }
        Ok(())
    }

    /// Whether biases may be added: to what comes out of a layer as it is.
    fn may_take_biases(&self) -> bool {
        matches!(self.done.last(), Some(&("Conv" | "Gemm" | "MatMul")))
            && matches!(self.form, Form::Maps(_) | Form::Scores)
    }

    /// Takes what is added to values with these axes.
    fn take_biases(
        &mut self,
        node: &NodeProto,
        names: impl Iterator<Item = &'a String>,
        axes: &[Axis],
    ) -> Result<(), WeightsError> {
        let before = self.arrays.len();
        self.take_all(names, Part::Sum);
        let fit = |array: &Array| runs_along_channels(&array.tensor.dims, axes);
        if self.arrays.iter().skip(before).all(fit) {
            Ok(())
        } else {
            Err(odd(node, "biases along another axis than the channels"))
        }
    }

    fn take_all(&mut self, names: impl Iterator<Item = &'a String>, part: Part) {
        let array = |name: &'a String| {
            let tensor = self.graph.constant(name)?;
            Some(Array { name, tensor, part })
        };
        self.arrays.extend(names.filter_map(array));
    }
}

/// A step that is set in another way.
fn odd(node: &NodeProto, what: &str) -> WeightsError {
    other(format!("{} has {what}", shown(&node.op_type)))
}

#[cfg(test)]
mod tests {
    use kiln_model::spec::PARAMETERS;
    use prost::Message;

    use super::*;
    use crate::export::tests::exported;
    use crate::onnx::{AttributeProto, ModelProto};
    use crate::run::Weights;
    use crate::run::tests::scored_run;

    fn exported_graph() -> GraphProto {
        let file = exported(".onnx", &scored_run(), Weights::Last, Vec::new()).unwrap();
        ModelProto::decode(file.as_slice()).unwrap().graph.unwrap()
    }

    fn ints(name: &str, ints: &[i64]) -> AttributeProto {
        AttributeProto {
            name: name.to_owned(),
            ints: ints.to_vec(),
            r#type: AttributeProto::INTS,
            ..AttributeProto::default()
        }
    }

    fn int(name: &str, i: i64) -> AttributeProto {
        AttributeProto {
            name: name.to_owned(),
            i,
            r#type: AttributeProto::INT,
            ..AttributeProto::default()
        }
    }

    fn node(
        operator: &str,
        input: &str,
        output: &str,
        attribute: Vec<AttributeProto>,
    ) -> NodeProto {
        NodeProto {
            op_type: operator.to_owned(),
            input: vec![input.to_owned()],
            output: vec![output.to_owned()],
            attribute,
            ..NodeProto::default()
        }
    }

    /// The graph with a step between the one that makes `before` and those that read it.
    fn with(operator: &str, before: &str, attribute: Vec<AttributeProto>) -> GraphProto {
        let mut graph = exported_graph();
        for input in graph.node.iter_mut().flat_map(|node| &mut node.input) {
            if input == before {
                *input = "between".to_owned();
            }
        }
        graph
            .node
            .push(node(operator, before, "between", attribute));
        graph
    }

    fn refused(graph: &GraphProto) -> String {
        layers(graph).unwrap_err().to_string()
    }

    fn dense(graph: &GraphProto) -> Dense {
        let arrays = layers(graph).unwrap();
        let dense = arrays.iter().find_map(|array| match array.part {
            Part::Dense(dense) => Some(dense),
            _ => None,
        });
        dense.unwrap()
    }

    #[test]
    fn the_network_is_known() {
        let graph = exported_graph();
        let arrays = layers(&graph).unwrap();
        let names = arrays.iter().map(|array| array.name);
        assert!(names.eq(PARAMETERS.map(|parameter| parameter.name)));
        let plain = Dense {
            features_first: false,
            flattened: CHANNELS_FIRST,
        };
        assert_eq!(dense(&graph), plain);
        for step in ["Identity", "Dropout"] {
            assert_eq!(dense(&with(step, "flatten", Vec::new())), plain);
        }
        assert_eq!(dense(&with("Cast", "images", vec![int("to", 1)])), plain);
        let mut pooled_first = graph.clone();
        for node in &mut pooled_first.node {
            match node.op_type.as_str() {
                "Relu" => {
                    *node = NodeProto {
                        op_type: "MaxPool".to_owned(),
                        attribute: vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])],
                        ..node.clone()
                    }
                }
                "MaxPool" => {
                    *node = NodeProto {
                        op_type: "Relu".to_owned(),
                        ..node.clone()
                    }
                }
                _ => {}
            }
        }
        assert_eq!(dense(&pooled_first), plain);
    }

    #[test]
    fn the_order_of_features_is_told_by_transpositions() {
        use Axis::{Channel, Column, Row};
        let last = with("Transpose", "pool2", vec![ints("perm", &[0, 2, 3, 1])]);
        assert_eq!(dense(&last).flattened, [Row, Column, Channel]);
        let odd = with("Transpose", "pool2", vec![ints("perm", &[0, 3, 1, 2])]);
        assert_eq!(dense(&odd).flattened, [Column, Channel, Row]);
        for perm in [
            &[1, 0, 2, 3][..],
            &[0, 1, 1, 2],
            &[0, 1, 2],
            &[0, 1, 2, 4],
            &[0, -1, 2, 3],
        ] {
            let error = refused(&with("Transpose", "pool2", vec![ints("perm", perm)]));
            assert!(
                error.contains("axes of which nothing can be told"),
                "{error}"
            );
        }
        assert!(refused(&with("Transpose", "pool2", Vec::new())).contains("nothing can be told"));
        // Features are no longer maps.
        let late = with("Transpose", "flatten", vec![ints("perm", &[1, 0])]);
        assert!(refused(&late).contains(r#"it does "Transpose" there"#));
        // Rows and columns of the images changed places.
        let turned = with("Transpose", "images", vec![ints("perm", &[0, 1, 3, 2])]);
        assert!(refused(&turned).contains(r#"it does "Transpose" there"#));
        // What convolves reads channels first.
        let between = with("Transpose", "pool1", vec![ints("perm", &[0, 2, 3, 1])]);
        assert!(refused(&between).contains(r#"it does "Conv" there"#));
    }

    #[test]
    fn another_network_is_refused() {
        let set = |operator: &str, attribute: AttributeProto| {
            let mut graph = exported_graph();
            let mut nodes = graph.node.iter_mut();
            let node = nodes.find(|node| node.op_type == operator).unwrap();
            node.attribute.retain(|other| other.name != attribute.name);
            node.attribute.push(attribute);
            refused(&graph)
        };
        assert!(set("Conv", ints("pads", &[1, 0, 0, 0])).contains("padding"));
        assert!(set("Conv", ints("strides", &[1, 2])).contains("strides"));
        assert!(set("Conv", ints("dilations", &[2, 2])).contains("dilations"));
        assert!(set("Conv", int("group", 2)).contains("groups"));
        let same = AttributeProto {
            name: "auto_pad".to_owned(),
            s: b"SAME_UPPER".to_vec(),
            ..AttributeProto::default()
        };
        assert!(set("Conv", same).contains("padding"));
        assert!(set("MaxPool", ints("strides", &[1, 1])).contains("window"));
        assert!(set("MaxPool", ints("kernel_shape", &[3, 3])).contains("window"));
        assert!(set("MaxPool", int("ceil_mode", 1)).contains("window"));
        assert!(set("Gemm", int("transA", 1)).contains("factors"));
        let half = AttributeProto {
            name: "alpha".to_owned(),
            f: 0.5,
            ..AttributeProto::default()
        };
        assert!(set("Gemm", half).contains("factors"));
        assert!(set("Flatten", int("axis", 2)).contains(r#"it does "Flatten""#));
        for (step, place) in [
            ("Sigmoid", "conv1"),
            ("Cast", "images"),
            ("Softmax", "flatten"),
        ] {
            let error = refused(&with(step, place, Vec::new()));
            assert!(
                error.contains(&format!("it does {step:?} there")),
                "{error}"
            );
        }
        assert!(refused(&with("Relu", "pool2", Vec::new())).contains("its layers are Conv, Relu"));
        let mut own = exported_graph();
        own.node[1].domain = "com.example".to_owned();
        assert!(refused(&own).contains("com.example.Relu"));
    }

    #[test]
    fn biases_may_be_added_along_the_channels_alone() {
        let added = |dims: &[i64]| {
            let mut graph = with("Add", "conv1", Vec::new());
            let conv = graph
                .node
                .iter_mut()
                .find(|node| node.op_type == "Conv")
                .unwrap();
            conv.input.truncate(2);
            graph
                .node
                .last_mut()
                .unwrap()
                .input
                .insert(0, "conv1.bias".to_owned());
            let bias = graph
                .initializer
                .iter_mut()
                .find(|tensor| tensor.name == "conv1.bias");
            bias.unwrap().dims = dims.to_vec();
            let arrays = layers(&graph)?;
            Ok::<_, WeightsError>(
                arrays
                    .iter()
                    .filter(|array| array.part == Part::Sum)
                    .count(),
            )
        };
        // Those of the dense layer are added too.
        assert_eq!(added(&[32, 1, 1]).unwrap(), 2);
        assert_eq!(added(&[1, 32, 1, 1]).unwrap(), 2);
        for dims in [&[32][..], &[32, 1], &[1, 1, 32], &[32, 1, 1, 1]] {
            let error = added(dims).unwrap_err().to_string();
            assert!(error.contains("along another axis"), "{dims:?} {error}");
        }
    }

    #[test]
    fn sums_of_what_images_make_are_refused() {
        for other in ["conv1", "relu1"] {
            let mut graph = with("Add", "conv1", Vec::new());
            let sum = graph.node.last_mut().unwrap();
            sum.input.push(other.to_owned());
            assert!(refused(&graph).contains("no constant to add"), "{other}");
        }
    }

    #[test]
    fn a_way_that_leads_nowhere_is_refused() {
        let mut graph = exported_graph();
        graph.node.push(graph.node[0].clone());
        assert_eq!(refused(&graph), r#"holds "conv1" twice"#);
        let mut graph = exported_graph();
        graph.initializer.push(graph.initializer[0].clone());
        assert_eq!(refused(&graph), r#"holds "conv1.weight" twice"#);
        let mut graph = exported_graph();
        graph.node[0].input[0] = "pool2".to_owned();
        assert!(refused(&graph).contains("more than 100 steps"));
        let mut graph = exported_graph();
        graph.input.clear();
        assert!(refused(&graph).contains("no way leads"));
        assert!(refused(&GraphProto::default()).contains("no way leads"));
        let mut graph = exported_graph();
        graph.node[6].output.insert(0, "first".to_owned());
        assert!(refused(&graph).contains(r#"it uses what "Flatten" makes beside"#));
        let mut graph = exported_graph();
        graph.node[7].input.swap(0, 1);
        assert!(refused(&graph).contains(r#"what "Gemm" works on is constant"#));
    }
}
