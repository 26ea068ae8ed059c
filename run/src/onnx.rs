//! The messages of ONNX that a network like Kiln's needs, with their names and field numbers in
//! `onnx.proto`, <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>. A field that is not
//! named here is skipped when a message is read.

use prost::Message;

/// A file: a graph, and what is needed to understand it.
#[derive(Clone, PartialEq, Message)]
pub struct ModelProto {
    /// Version of these messages.
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    /// What wrote the file.
    #[prost(string, tag = "2")]
    pub producer_name: String,
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphProto>,
    /// Versions of the operators.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSetIdProto>,
    /// What else a person may want to know, by name.
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<StringStringEntryProto>,
}

/// Which version of a set of operators.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSetIdProto {
    /// Who defines them; empty for ONNX itself.
    #[prost(string, tag = "1")]
    pub domain: String,
    /// Their version.
    #[prost(int64, tag = "2")]
    pub version: i64,
}

/// A text with a name.
#[derive(Clone, PartialEq, Message)]
pub struct StringStringEntryProto {
    /// The name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The text.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// Operations and what flows between them, each named by its producer.
#[derive(Clone, PartialEq, Message)]
pub struct GraphProto {
    /// The operations; each stands after those that it reads from.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    /// The graph's name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// The parameters.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    /// What a caller gives.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfoProto>,
    /// What a caller gets.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfoProto>,
}

/// One operation.
#[derive(Clone, PartialEq, Message)]
pub struct NodeProto {
    /// Names of what it reads, in the operator's order.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of what it makes.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its own name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// The operator, such as `Conv`.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// The operator's settings.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
    /// Who defines the operator; empty for ONNX itself.
    #[prost(string, tag = "7")]
    pub domain: String,
}

/// A setting of an operator.
#[derive(Clone, PartialEq, Message)]
pub struct AttributeProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The value of one float.
    #[prost(float, tag = "2")]
    pub f: f32,
    /// The value of one [`AttributeProto::INT`].
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// The value of one text.
    #[prost(bytes = "vec", tag = "4")]
    pub s: Vec<u8>,
    /// The value of one array.
    #[prost(message, optional, boxed, tag = "5")]
    pub t: Option<Box<TensorProto>>,
    /// The values of [`AttributeProto::INTS`].
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Which of the values is meant.
    #[prost(int32, tag = "20")]
    pub r#type: i32,
}

impl AttributeProto {
    /// One whole number.
    pub const INT: i32 = 2;
    /// Several whole numbers.
    pub const INTS: i32 = 7;
}

/// An array with its values.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// Its shape.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// What its values are.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// The values where they are 32-bit floats that are not in `raw_data`.
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    /// Its name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// The values, little-endian, the last axis running fastest.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
    /// The values where they are 64-bit floats that are not in `raw_data`.
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    /// [`TensorProto::EXTERNAL`] where the values are in another file.
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

impl TensorProto {
    /// 32-bit floats.
    pub const FLOAT: i32 = 1;
    /// 16-bit floats.
    pub const FLOAT16: i32 = 10;
    /// 64-bit floats.
    pub const DOUBLE: i32 = 11;
    /// The upper halves of 32-bit floats.
    pub const BFLOAT16: i32 = 16;

    /// The values are in another file.
    pub const EXTERNAL: i32 = 1;
}

/// What goes in or comes out.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfoProto {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it holds.
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<TypeProto>,
    /// What it means, in words.
    #[prost(string, tag = "3")]
    pub doc_string: String,
}

/// What a value holds: here always an array.
#[derive(Clone, PartialEq, Message)]
pub struct TypeProto {
    /// Its values and shape.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorTypeProto>,
}

/// The values and the shape of an array; `TypeProto.Tensor` in `onnx.proto`.
#[derive(Clone, PartialEq, Message)]
pub struct TensorTypeProto {
    /// What its values are, as in [`TensorProto::data_type`].
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShapeProto>,
}

/// A shape.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShapeProto {
    /// Its axes.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<DimensionProto>,
}

/// The length of an axis, of which one of both is given; `TensorShapeProto.Dimension` in
/// `onnx.proto`.
#[derive(Clone, PartialEq, Message)]
pub struct DimensionProto {
    /// A length that is known.
    #[prost(int64, tag = "1")]
    pub dim_value: i64,
    /// The name of one that a caller chooses.
    #[prost(string, tag = "2")]
    pub dim_param: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What protobuf's own library makes of the same messages.
    #[test]
    fn fields_have_their_numbers() {
        let axis = AttributeProto {
            name: "axis".to_owned(),
            i: 1,
            r#type: AttributeProto::INT,
            ..AttributeProto::default()
        };
        assert_eq!(axis.encode_to_vec(), b"\x0a\x04axis\x18\x01\xa0\x01\x02");
        let strides = AttributeProto {
            name: "strides".to_owned(),
            ints: vec![2, 2],
            r#type: AttributeProto::INTS,
            ..AttributeProto::default()
        };
        let bytes = b"\x0a\x07strides\x40\x02\x40\x02\xa0\x01\x07";
        assert_eq!(strides.encode_to_vec(), bytes);
        let bias = TensorProto {
            dims: vec![1],
            data_type: TensorProto::FLOAT,
            name: "bias".to_owned(),
            raw_data: 0.5_f32.to_le_bytes().to_vec(),
            ..TensorProto::default()
        };
        let bytes = b"\x08\x01\x10\x01\x42\x04bias\x4a\x04\0\0\0\x3f";
        assert_eq!(bias.encode_to_vec(), bytes);
    }
}
