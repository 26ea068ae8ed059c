//! The way from images to answers through a graph of ONNX, and what its steps are set to.

use std::collections::HashMap;

use super::found::WeightsError;
use super::named::shown;
use crate::onnx::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// Most steps from images to answers.
const MOST_STEPS: usize = 100;
/// Most names of one constant.
const MOST_NAMES: usize = 8;

/// A graph whose names were looked through.
pub struct Graph<'a> {
    constants: HashMap<&'a str, &'a TensorProto>,
    makers: HashMap<&'a str, &'a NodeProto>,
    /// The way, from images to answers, each step with the name of what it works on.
    pub path: Vec<(&'a NodeProto, &'a str)>,
}

impl<'a> Graph<'a> {
    /// Follows a graph from the last of its answers back to the images.
    ///
    /// # Errors
    /// A name that is there twice, and a graph without such a way.
    pub fn of(graph: &'a GraphProto) -> Result<Self, WeightsError> {
        let mut constants = HashMap::new();
        let mut makers = HashMap::new();
        let twice = |name: &str| Err(WeightsError::Twice(shown(name)));
        for tensor in &graph.initializer {
            if constants.insert(tensor.name.as_str(), tensor).is_some() {
                return twice(&tensor.name);
            }
        }
        for node in &graph.node {
            for output in node.output.iter().filter(|output| !output.is_empty()) {
                if makers.insert(output.as_str(), node).is_some() {
                    return twice(output);
                }
            }
        }
        let mut found = Self {
            constants,
            makers,
            path: Vec::new(),
        };
        let mut place = graph.output.last().map(|output| output.name.as_str());
        let maker = |name| Some((name, *found.makers.get(name)?));
        while let Some((name, node)) = place.and_then(maker) {
            if !node.domain.is_empty() && node.domain != "ai.onnx" {
                let operator = format!("{}.{}", node.domain, node.op_type);
                return Err(other(format!("it does {}", shown(&operator))));
            }
            // What else an operator makes than its first output is beside the way.
            if node.output.first().map(String::as_str) != Some(name) {
                let operator = shown(&node.op_type);
                return Err(other(format!("it uses what {operator} makes beside")));
            }
            if found.path.len() == MOST_STEPS {
                return Err(other(format!("it has more than {MOST_STEPS} steps")));
            }
            let mut inputs = node.input.iter().map(String::as_str);
            place = inputs.find(|name| !name.is_empty() && found.constant(name).is_none());
            found.path.extend(place.map(|place| (node, place)));
        }
        let mut inputs = graph.input.iter().map(|input| input.name.as_str());
        if !inputs.any(|input| Some(input) == place) {
            return Err(other(
                "no way leads from its images to its answers".to_owned(),
            ));
        }
        found.path.reverse();
        Ok(found)
    }

    /// The array of this name, where it is the same whatever the images are.
    pub fn constant(&self, name: &'a str) -> Option<&'a TensorProto> {
        let mut name = name;
        for _ in 0..MOST_NAMES {
            if let Some(constant) = self.constants.get(name) {
                return Some(constant);
            }
            let node = *self.makers.get(name)?;
            match node.op_type.as_str() {
                "Identity" => name = node.input.first()?,
                "Constant" => return attribute(node, "value")?.t.as_deref(),
                _ => return None,
            }
        }
        None
    }
}

/// A graph of another network.
pub fn other(reason: String) -> WeightsError {
    WeightsError::OtherNetwork(reason)
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    let mut attributes = node.attribute.iter();
    attributes.find(|attribute| attribute.name == name)
}

/// The number that a step is set to; `by_itself` where nothing is said.
pub fn int(node: &NodeProto, name: &str, by_itself: i64) -> i64 {
    attribute(node, name).map_or(by_itself, |attribute| attribute.i)
}

/// The numbers that a step is set to.
pub fn ints<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [i64]> {
    attribute(node, name).map(|attribute| attribute.ints.as_slice())
}

/// Whether the numbers that a step is set to are all this one, which they also are by themselves.
pub fn all(node: &NodeProto, name: &str, number: i64) -> bool {
    ints(node, name).is_none_or(|ints| ints.iter().all(|int| *int == number))
}

/// Whether a factor is 1, as it is by itself.
pub fn is_one(node: &NodeProto, name: &str) -> bool {
    attribute(node, name).is_none_or(|attribute| attribute.f == 1.0)
}

/// Whether nothing is put around feature maps.
pub fn is_valid(node: &NodeProto) -> bool {
    let auto = attribute(node, "auto_pad").map_or(&b"NOTSET"[..], |auto| &auto.s);
    all(node, "pads", 0) && matches!(auto, b"NOTSET" | b"VALID")
}
