//! What TensorBoard's files say, in Protocol Buffers: those fields that Kiln writes, with the names
//! and numbers of TensorFlow's `event.proto`, `summary.proto`, `tensor.proto` and
//! `tensor_shape.proto`, and of the plugins' `plugin_data.proto` and `api.proto`.

use std::collections::BTreeMap;

use prost::Message;

/// Something that happened at a step.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// Training steps done.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// The format; in the first event of a file alone.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    /// What was measured.
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
}

/// Things measured together.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// Each of them.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// One thing measured: one of number, image, histogram and tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// Its name.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// A number.
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
    /// An image.
    #[prost(message, optional, tag = "4")]
    pub image: Option<Image>,
    /// A histogram.
    #[prost(message, optional, tag = "5")]
    pub histo: Option<Histogram>,
    /// A tensor.
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<Tensor>,
    /// What a tensor is.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
}

/// An image.
#[derive(Clone, PartialEq, Message)]
pub struct Image {
    /// Rows.
    #[prost(int32, tag = "1")]
    pub height: i32,
    /// Columns.
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// Values of a pixel: 3 for red, green and blue.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    /// The image as a PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub encoded_image_string: Vec<u8>,
}

/// How often values occur.
#[derive(Clone, PartialEq, Message)]
pub struct Histogram {
    /// The least.
    #[prost(double, tag = "1")]
    pub min: f64,
    /// The greatest.
    #[prost(double, tag = "2")]
    pub max: f64,
    /// How many there are.
    #[prost(double, tag = "3")]
    pub num: f64,
    /// Their sum.
    #[prost(double, tag = "4")]
    pub sum: f64,
    /// The sum of their squares.
    #[prost(double, tag = "5")]
    pub sum_squares: f64,
    /// The upper end of each bucket.
    #[prost(double, repeated, tag = "6")]
    pub bucket_limit: Vec<f64>,
    /// How many values are in each.
    #[prost(double, repeated, tag = "7")]
    pub bucket: Vec<f64>,
}

/// [`Tensor::dtype`] of 32-bit floating-point numbers.
pub const FLOAT: i32 = 1;

/// A tensor of 32-bit numbers.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// [`FLOAT`].
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// The length of each axis.
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<Shape>,
    /// The numbers, the last axis closest.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
}

impl Tensor {
    /// A tensor of this shape.
    pub fn new(shape: &[usize], values: Vec<f32>) -> Self {
        let axis = |size: &usize| Axis { size: *size as i64 };
        let dim = shape.iter().map(axis).collect();
        Self {
            dtype: FLOAT,
            tensor_shape: Some(Shape { dim }),
            float_val: values,
        }
    }
}

/// The shape of a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// Its axes.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Axis>,
}

/// An axis of a tensor.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Axis {
    /// Its length.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

/// [`Metadata::data_class`] of tensors.
pub const DATA_CLASS_TENSOR: i32 = 2;

/// Which plugin shows a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    /// The plugin.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
    /// What it is called on screen; empty for its tag.
    #[prost(string, tag = "2")]
    pub display_name: String,
    /// [`DATA_CLASS_TENSOR`].
    #[prost(int32, tag = "4")]
    pub data_class: i32,
}

impl Metadata {
    /// A tensor that a plugin shows, which is told this.
    pub fn of_plugin(plugin_name: &str, content: &impl Message) -> Self {
        Self {
            plugin_data: Some(PluginData {
                plugin_name: plugin_name.to_owned(),
                content: content.encode_to_vec(),
            }),
            display_name: String::new(),
            data_class: DATA_CLASS_TENSOR,
        }
    }
}

/// What a plugin is told.
#[derive(Clone, PartialEq, Message)]
pub struct PluginData {
    /// The plugin's name.
    #[prost(string, tag = "1")]
    pub plugin_name: String,
    /// A message of its own.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// What the plugin `pr_curves` is told; its version is 0, which is not written.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct CurveData {
    /// Thresholds of a curve.
    #[prost(uint32, tag = "2")]
    pub num_thresholds: u32,
}

/// What the plugin `hparams` is told, one of three; its version is 0, which is not written.
#[derive(Clone, PartialEq, Message)]
pub struct HParamsData {
    /// What there is to compare.
    #[prost(message, optional, tag = "2")]
    pub experiment: Option<Experiment>,
    /// How a run began.
    #[prost(message, optional, tag = "3")]
    pub session_start_info: Option<SessionStart>,
    /// How a run ended.
    #[prost(message, optional, tag = "4")]
    pub session_end_info: Option<SessionEnd>,
}

/// What there is to compare of runs.
#[derive(Clone, PartialEq, Message)]
pub struct Experiment {
    /// Settings.
    #[prost(message, repeated, tag = "4")]
    pub hparam_infos: Vec<HParamInfo>,
    /// Results.
    #[prost(message, repeated, tag = "5")]
    pub metric_infos: Vec<MetricInfo>,
}

/// A setting.
#[derive(Clone, PartialEq, Message)]
pub struct HParamInfo {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// [`STRING`] or [`FLOAT64`].
    #[prost(int32, tag = "4")]
    pub kind: i32,
}

/// [`HParamInfo::kind`] of a text.
pub const STRING: i32 = 1;
/// [`HParamInfo::kind`] of a number.
pub const FLOAT64: i32 = 3;

/// A result.
#[derive(Clone, PartialEq, Message)]
pub struct MetricInfo {
    /// Where it is found.
    #[prost(message, optional, tag = "1")]
    pub name: Option<MetricName>,
}

/// Where a result is found.
#[derive(Clone, PartialEq, Message)]
pub struct MetricName {
    /// The folder inside of the run's.
    #[prost(string, tag = "1")]
    pub group: String,
    /// The tag there.
    #[prost(string, tag = "2")]
    pub tag: String,
}

/// How a run began.
#[derive(Clone, PartialEq, Message)]
pub struct SessionStart {
    /// Its settings.
    #[prost(btree_map = "string, message", tag = "1")]
    pub hparams: BTreeMap<String, HParam>,
    /// Its name.
    #[prost(string, tag = "4")]
    pub group_name: String,
    /// When, in seconds since 1970.
    #[prost(double, tag = "5")]
    pub start_time_secs: f64,
}

/// The value of a setting (`google.protobuf.Value`), one of two.
#[derive(Clone, PartialEq, Message)]
pub struct HParam {
    /// A number.
    #[prost(double, optional, tag = "2")]
    pub number_value: Option<f64>,
    /// A text.
    #[prost(string, optional, tag = "3")]
    pub string_value: Option<String>,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct SessionEnd {
    /// [`SUCCESS`] or [`FAILURE`].
    #[prost(int32, tag = "1")]
    pub status: i32,
    /// When, in seconds since 1970.
    #[prost(double, tag = "2")]
    pub end_time_secs: f64,
}

/// [`SessionEnd::status`] of a run that went as it should.
pub const SUCCESS: i32 = 1;
/// [`SessionEnd::status`] of a run that failed.
pub const FAILURE: i32 = 2;
