//! What Python's pickles of state dicts make up.
//!
//! Objects stand in a list, and what holds another holds its number there. So a dict that holds
//! itself does no harm, and nothing here calls itself.

use super::found::WeightsError;
use super::named::shown;
use super::number::Number;

/// Something small, or the number of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// Something of which nothing but its being there is of interest: a flag, a float.
    Other,
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(&'a str),
    /// The object with this number.
    Object(usize),
}

/// What values make up.
#[derive(Clone, Debug, PartialEq)]
pub enum Object<'a> {
    /// Values that never change.
    Tuple(Vec<Value<'a>>),
    /// Values and their keys, in the order in which they came.
    Dict(Vec<(Value<'a>, Value<'a>)>),
    /// Something that is of no interest, such as a list or a set.
    Other,
    /// Something that Python knows by name.
    Global(Global),
    /// Values in a file of their own.
    Storage(Storage<'a>),
    /// An array.
    Tensor(Tensor<'a>),
}

/// What may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// Makes a dict.
    OrderedDict,
    /// Makes a tensor of a storage.
    RebuildTensor,
    /// Makes a parameter of a tensor, which is the same here.
    RebuildParameter,
    /// The kind of a storage; nothing for one that holds no floats.
    StorageKind(Option<Number>),
}

impl Global {
    /// What Python knows by this name.
    ///
    /// # Errors
    /// Everything else than the above, which might be code.
    pub fn of(module: &str, name: &str) -> Result<Self, WeightsError> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "HalfStorage") => Self::StorageKind(Some(Number::Half)),
            ("torch", "BFloat16Storage") => Self::StorageKind(Some(Number::Brain)),
            ("torch", "FloatStorage") => Self::StorageKind(Some(Number::Single)),
            ("torch", "DoubleStorage") => Self::StorageKind(Some(Number::Double)),
            (
                "torch",
                "LongStorage" | "IntStorage" | "ShortStorage" | "CharStorage" | "ByteStorage"
                | "BoolStorage",
            ) => Self::StorageKind(None),
            _ => return Err(WeightsError::Code(shown(&format!("{module}.{name}")))),
        })
    }
}

/// Values that several tensors may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage<'a> {
    /// The name of its file in the folder `data`.
    pub key: &'a str,
    /// What its values are; nothing where they are no floats.
    pub number: Option<Number>,
    /// How many there are.
    pub len: usize,
}

/// An array within a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor<'a> {
    /// Where its values are.
    pub storage: Storage<'a>,
    /// Which of them is the first.
    pub offset: usize,
    /// Its shape.
    pub shape: Vec<usize>,
    /// How many values apart neighbours along each axis are.
    pub strides: Vec<usize>,
}

/// The object that a value is, where it is one.
pub fn object<'o, 'a>(objects: &'o [Object<'a>], value: Value) -> Option<&'o Object<'a>> {
    match value {
        Value::Object(index) => objects.get(index),
        _ => None,
    }
}

/// A rule of pickles that is broken.
pub fn broken(reason: impl Into<String>) -> WeightsError {
    WeightsError::Damaged {
        format: "PyTorch",
        reason: reason.into(),
    }
}

/// A value as a size or a number of values.
pub fn size(value: Value) -> Result<usize, WeightsError> {
    let size = match value {
        Value::Whole(size) => usize::try_from(size).ok(),
        _ => None,
    };
    size.ok_or_else(|| broken("a size is none"))
}
