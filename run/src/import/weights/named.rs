//! Which of the tensors of a file is which parameter of the network.

use std::collections::HashSet;

use kiln_model::spec::{PARAMETER_COUNT, PARAMETERS};

use super::found::{Found, WeightsError};
use super::number::Number;
use crate::run::names::cut;

/// Most tensors that an error lists.
const LISTED: usize = 6;
/// Most letters of a tensor's name in an error.
const NAME_LETTERS: usize = 60;

/// A tensor of a file, whose values were not read yet.
#[derive(Clone, Debug)]
pub struct Tensor<'a, P> {
    /// What the file calls it.
    pub name: &'a str,
    /// Its shape in PyTorch's layout, as [`kiln_model::spec::Parameter::shape`] has it. A reader of
    /// files in another layout gives the shape that the values have once it has put them in order.
    pub shape: Vec<usize>,
    /// What its values are; nothing where they are no floats that can be read.
    pub number: Option<Number>,
    /// Where its values are, in whatever words its reader finds them by.
    pub place: P,
}

/// The network's weights out of the tensors of a file. A tensor is known by the network's own name
/// of it, behind any prefix that all names share, and else by its shape: those of the six
/// parameters all differ. `read` gives the values of a tensor, in PyTorch's layout, the last axis
/// running fastest; it is asked for six tensors at most, each of the right shape.
///
/// # Errors
/// Tensors that are missing, superfluous, of a wrong shape, twice there or no finite floats, each
/// by its name; and whatever `read` refuses.
pub fn network<P>(
    tensors: &[Tensor<P>],
    mut read: impl FnMut(&Tensor<P>, Number) -> Result<Vec<f32>, WeightsError>,
) -> Result<Found, WeightsError> {
    let chosen = chosen(tensors)?;
    let mut weights = Vec::with_capacity(PARAMETER_COUNT);
    let mut remarks = Vec::new();
    for (parameter, tensor) in PARAMETERS.iter().zip(&chosen) {
        let name = || shown(tensor.name);
        let number = tensor
            .number
            .ok_or_else(|| WeightsError::NoFloats { name: name() })?;
        let values = read(tensor, number)?;
        if values.len() != parameter.len() {
            return Err(WeightsError::Shape {
                name: name(),
                found: vec![values.len()],
                expected: parameter.shape,
            });
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(WeightsError::NotFinite { name: name() });
        }
        weights.extend(values);
        let remark = converted(number);
        remarks.extend(remark.filter(|remark| !remarks.contains(remark)));
    }
    if !chosen
        .iter()
        .zip(PARAMETERS)
        .all(|(tensor, parameter)| tensor.name.ends_with(parameter.name))
    {
        remarks.push("Its tensors have other names; their shapes say which is which.".to_owned());
    }
    Ok(Found { weights, remarks })
}

/// What becomes of numbers that the network does not hold as they are.
fn converted(number: Number) -> Option<String> {
    let name = number.name();
    match number {
        Number::Single => None,
        Number::Half | Number::Brain => Some(format!(
            "Its values are {name}, which is coarser than the float32 of the network."
        )),
        Number::Double => Some(format!(
            "Its values are {name}; they were rounded to float32."
        )),
    }
}

/// The tensors of all parameters, in their order.
fn chosen<'t, 'a, P>(tensors: &'t [Tensor<'a, P>]) -> Result<Vec<&'t Tensor<'a, P>>, WeightsError> {
    let mut seen = HashSet::new();
    for tensor in tensors {
        if !seen.insert(tensor.name) {
            return Err(WeightsError::Twice(shown(tensor.name)));
        }
    }
    let prefix = shared_prefix(tensors);
    let own_name = |tensor: &Tensor<P>| {
        let name = tensor.name.get(prefix..)?;
        PARAMETERS.iter().find(|parameter| parameter.name == name)
    };
    let (mut chosen, mut missing) = (Vec::new(), Vec::new());
    for parameter in &PARAMETERS {
        let named = tensors
            .iter()
            .find(|tensor| own_name(tensor) == Some(parameter));
        if let Some(tensor) = named {
            if tensor.shape != parameter.shape {
                return Err(WeightsError::Shape {
                    name: shown(tensor.name),
                    found: tensor.shape.clone(),
                    expected: parameter.shape,
                });
            }
            chosen.push(tensor);
            continue;
        }
        let mut alike = tensors
            .iter()
            .filter(|tensor| tensor.shape == parameter.shape && own_name(tensor).is_none());
        match (alike.next(), alike.next()) {
            (Some(tensor), None) => chosen.push(tensor),
            (Some(first), Some(second)) => {
                return Err(WeightsError::Alike {
                    parameter: parameter.name,
                    tensors: listed([first, second].into_iter()),
                });
            }
            (None, _) => missing.push(format!("{} {:?}", parameter.name, parameter.shape)),
        }
    }
    let others = tensors
        .iter()
        .filter(|tensor| !chosen.iter().any(|chosen| std::ptr::eq(*chosen, *tensor)));
    let others = listed(others);
    match (missing.is_empty(), others.is_empty()) {
        (true, true) => Ok(chosen),
        (true, false) => Err(WeightsError::Superfluous(others)),
        (false, _) => Err(WeightsError::Missing {
            parameters: missing.join(", "),
            others: if others.is_empty() {
                "nothing".to_owned()
            } else {
                others
            },
        }),
    }
}

/// Bytes of the prefix that ends with a dot and that the names of all tensors share, such as
/// `module.`.
fn shared_prefix<P>(tensors: &[Tensor<P>]) -> usize {
    let mut names = tensors.iter().map(|tensor| tensor.name.as_bytes());
    let first = names.next().unwrap_or_default();
    let mut shared = first.len();
    for name in names {
        let alike = first.iter().zip(name).take_while(|(a, b)| a == b);
        shared = shared.min(alike.count());
    }
    let dot = first.iter().take(shared).rposition(|byte| *byte == b'.');
    dot.map_or(0, |dot| dot + 1)
}

/// Some tensors with their shapes, in words; empty where there are none.
fn listed<'t, 'a: 't, P: 't>(tensors: impl Iterator<Item = &'t Tensor<'a, P>>) -> String {
    let mut words = Vec::new();
    let mut count = 0_usize;
    for tensor in tensors {
        count += 1;
        if count <= LISTED {
            words.push(format!("{} {:?}", shown(tensor.name), tensor.shape));
        }
    }
    let more = count.saturating_sub(LISTED);
    if more > 0 {
        words.push(format!("{more} more"));
    }
    words.join(", ")
}

/// A name as an error shows it.
pub fn shown(name: &str) -> String {
    format!("{:?}", cut(name, NAME_LETTERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tensors of these names and shapes; the values of each are its place among them.
    fn tensors<'a>(named: &[(&'a str, &[usize])]) -> Vec<Tensor<'a, usize>> {
        let tensor = |(place, (name, shape)): (usize, &(&'a str, &[usize]))| Tensor {
            name,
            shape: shape.to_vec(),
            number: Some(Number::Single),
            place,
        };
        named.iter().enumerate().map(tensor).collect()
    }

    fn own() -> Vec<(&'static str, &'static [usize])> {
        let own = PARAMETERS.iter();
        own.map(|parameter| (parameter.name, parameter.shape))
            .collect()
    }

    fn read(tensors: &[Tensor<usize>]) -> Result<Found, WeightsError> {
        network(tensors, |tensor, _| {
            Ok(vec![tensor.place as f32; tensor.shape.iter().product()])
        })
    }

    /// Which tensor became which parameter.
    fn places(found: &Found) -> [f32; 6] {
        PARAMETERS.map(|parameter| found.weights[parameter.offset])
    }

    fn refused(named: &[(&str, &[usize])]) -> String {
        read(&tensors(named)).unwrap_err().to_string()
    }

    #[test]
    fn names_tell_which_is_which_in_any_order() {
        let mut named = own();
        named.reverse();
        let found = read(&tensors(&named)).unwrap();
        assert_eq!(places(&found), [5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
        assert_eq!(found.weights.len(), PARAMETER_COUNT);
        assert!(found.remarks.is_empty());
        for prefix in ["module.", "_orig_mod.model.", "conv1.weight."] {
            let names = named.iter().map(|(name, _)| format!("{prefix}{name}"));
            let names: Vec<String> = names.collect();
            let prefixed = names
                .iter()
                .zip(&named)
                .map(|(name, (_, shape))| (name.as_str(), *shape));
            let found = read(&tensors(&prefixed.collect::<Vec<_>>())).unwrap();
            assert_eq!(places(&found)[0], 5.0, "{prefix}");
            assert!(found.remarks.is_empty(), "{prefix}");
        }
    }

    #[test]
    fn shapes_tell_which_is_which_where_names_do_not() {
        let mut named = own();
        for (entry, name) in named
            .iter_mut()
            .zip(["net.0.w", "net.0.b", "2", "", "é", "net"])
        {
            entry.0 = name;
        }
        named.rotate_left(2);
        let found = read(&tensors(&named)).unwrap();
        assert_eq!(places(&found), [4.0, 5.0, 0.0, 1.0, 2.0, 3.0]);
        assert!(
            found.remarks[0].contains("their shapes"),
            "{:?}",
            found.remarks
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut named = own();
        named[4].1 = &[10, 3200];
        let error = refused(&named);
        assert_eq!(
            error,
            r#"holds "fc.weight" of shape [10, 3200], where [10, 1600] is expected"#
        );
        named[4].0 = "head.weight";
        let error = refused(&named);
        assert!(error.contains("has no fc.weight [10, 1600]"), "{error}");
        assert!(error.contains(r#""head.weight" [10, 3200]"#), "{error}");
        named.remove(4);
        let error = refused(&named);
        assert!(error.ends_with("what else it has is nothing"), "{error}");

        let mut named = own();
        named.push(("bn.weight", &[7]));
        assert!(refused(&named).ends_with(r#"it also has "bn.weight" [7]"#));
        named[6] = named[5];
        assert_eq!(refused(&named), r#"holds "fc.bias" twice"#);
        named[6].0 = "second";
        named[5].0 = "first";
        let error = refused(&named);
        assert!(
            error.contains(r#"could be fc.bias: "first" [10], "second" [10]"#),
            "{error}"
        );
        assert!(refused(&[]).contains("has no conv1.weight [32, 1, 3, 3], conv1.bias [32]"));
    }

    #[test]
    fn long_names_and_lists_are_cut() {
        let name = "ü".repeat(10_000);
        let names: Vec<String> = (0..100).map(|index| format!("{index}{name}")).collect();
        let named: Vec<(&str, &[usize])> =
            names.iter().map(|name| (name.as_str(), &[3][..])).collect();
        let error = refused(&named);
        assert!(error.ends_with("94 more"), "{error}");
        assert!(error.len() < 1_500, "{}", error.len());
    }

    #[test]
    fn values_that_no_network_can_use_are_refused() {
        let mut given = tensors(&own());
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let read = network(&given, |tensor, _| {
                let mut values = vec![0.0; tensor.shape.iter().product()];
                if tensor.name == "fc.bias" {
                    values[9] = bad;
                }
                Ok(values)
            });
            let error = read.unwrap_err().to_string();
            assert!(
                error.starts_with(r#"holds "fc.bias" with values"#),
                "{error}"
            );
        }
        let short = network(&given, |_, _| Ok(Vec::new()));
        assert!(matches!(short, Err(WeightsError::Shape { .. })));
        given[3].number = None;
        let error = read(&given).unwrap_err().to_string();
        assert!(
            error.starts_with(r#"holds "conv2.bias" in numbers"#),
            "{error}"
        );
        given[3].number = Some(Number::Double);
        given[4].number = Some(Number::Double);
        let remarks = read(&given).unwrap().remarks;
        assert_eq!(
            remarks,
            ["Its values are float64; they were rounded to float32."]
        );
    }
}
