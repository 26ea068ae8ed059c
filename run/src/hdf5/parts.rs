//! What files are made of, for what writes and what reads them.

use std::collections::BTreeMap;

/// What a file begins with.
pub(super) const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
/// An address where there is nothing.
pub(super) const UNDEFINED: u64 = u64::MAX;
/// The name of the character set UTF-8.
pub(super) const UTF_8: u8 = 1;

/// What a message of an object header says: types of the specification's section IV.A.2.
pub(super) mod message {
    /// The sides of an array.
    pub const DATASPACE: u8 = 0x01;
    /// Where the links of a group are.
    pub const LINK_INFO: u8 = 0x02;
    /// What each value of an array is.
    pub const DATATYPE: u8 = 0x03;
    /// What a value is that was never written.
    pub const FILL_VALUE: u8 = 0x05;
    /// A name in a group, and the address of what it names.
    pub const LINK: u8 = 0x06;
    /// That the values of an array are in other files.
    pub const EXTERNAL: u8 = 0x07;
    /// Where the values of an array are.
    pub const LAYOUT: u8 = 0x08;
    /// How a group grows.
    pub const GROUP_INFO: u8 = 0x0A;
    /// How the values of an array are compressed.
    pub const FILTERS: u8 = 0x0B;
    /// A small array with a name.
    pub const ATTRIBUTE: u8 = 0x0C;
    /// Where more messages are.
    pub const CONTINUATION: u8 = 0x10;
    /// Where the links of a group are, as older versions keep them.
    pub const SYMBOL_TABLE: u8 = 0x11;
    /// Where the attributes are that are not in the header.
    pub const ATTRIBUTE_INFO: u8 = 0x15;
}

/// Classes of types of values.
pub(super) mod class {
    /// Whole numbers.
    pub const FIXED_POINT: u8 = 0;
    /// Numbers of IEEE 754.
    pub const FLOATING_POINT: u8 = 1;
    /// Text of a fixed length.
    pub const STRING: u8 = 3;
    /// Bytes of which nothing is said.
    pub const OPAQUE: u8 = 5;
    /// Lists, each of a length of its own.
    pub const VARIABLE_LENGTH: u8 = 9;
}

/// A group: arrays, more groups and what is said of it, each by its name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Small arrays that describe it.
    pub attributes: BTreeMap<String, Array>,
    /// Groups in it.
    pub groups: BTreeMap<String, Group>,
    /// Arrays in it.
    pub arrays: BTreeMap<String, Array>,
}

impl Group {
    /// The group at a path such as `layers/conv2d`, made where it is not there.
    pub fn group(&mut self, path: &str) -> &mut Self {
        path.split('/').fold(self, |group, name| {
            group.groups.entry(name.to_owned()).or_default()
        })
    }

    /// Puts an array in it.
    pub fn put(&mut self, name: impl Into<String>, array: Array) {
        self.arrays.insert(name.into(), array);
    }

    /// Says something of it.
    pub fn say(&mut self, name: &str, array: Array) {
        self.attributes.insert(name.to_owned(), array);
    }
}

/// Values in rows: the last index changes first.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its sides; none of a single value.
    pub shape: Vec<usize>,
    /// As many values as the product of its sides.
    pub values: Values,
}

/// The values of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32-bit floating point.
    F32(Vec<f32>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// Text, kept at the length of the longest.
    Text(Vec<String>),
}

impl Array {
    /// Numbers of a shape.
    pub fn f32(shape: Vec<usize>, values: Vec<f32>) -> Self {
        let values = Values::F32(values);
        Self { shape, values }
    }

    /// A single whole number.
    pub fn i32(value: i32) -> Self {
        Self {
            shape: Vec::new(),
            values: Values::I32(vec![value]),
        }
    }

    /// A single text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            shape: Vec::new(),
            values: Values::Text(vec![text.into()]),
        }
    }

    /// A list of texts.
    pub fn texts(texts: Vec<String>) -> Self {
        Self {
            shape: vec![texts.len()],
            values: Values::Text(texts),
        }
    }
}
