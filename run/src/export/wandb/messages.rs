//! What the log of a run for Weights & Biases says, in Protocol Buffers: those fields that Kiln
//! writes, with the names and numbers of `wandb_internal.proto`.

use prost::Message;

/// One entry of the log: one of header, run, history, summary and exit.
#[derive(Clone, PartialEq, Message)]
pub struct Record {
    /// Its place in the log, from 1.
    #[prost(int64, tag = "1")]
    pub num: i64,
    /// What was measured at a step.
    #[prost(message, optional, tag = "2")]
    pub history: Option<History>,
    /// What came of the run.
    #[prost(message, optional, tag = "3")]
    pub summary: Option<Summary>,
    /// What the run is.
    #[prost(message, optional, tag = "17")]
    pub run: Option<Run>,
    /// How it ended.
    #[prost(message, optional, tag = "18")]
    pub exit: Option<Exit>,
    /// Who wrote the log.
    #[prost(message, optional, tag = "21")]
    pub header: Option<Header>,
    /// Which run it is of.
    #[prost(message, optional, tag = "200")]
    pub info: Option<Info>,
}

/// Which run a record is of.
#[derive(Clone, PartialEq, Message)]
pub struct Info {
    /// The run's id.
    #[prost(string, tag = "1")]
    pub stream_id: String,
}

/// Who wrote the log.
#[derive(Clone, PartialEq, Message)]
pub struct Header {
    /// Versions.
    #[prost(message, optional, tag = "1")]
    pub version_info: Option<Version>,
}

/// Versions of the log's writer and reader.
#[derive(Clone, PartialEq, Message)]
pub struct Version {
    /// Who wrote it.
    #[prost(string, tag = "1")]
    pub producer: String,
    /// The oldest W&B that can read it.
    #[prost(string, tag = "2")]
    pub min_consumer: String,
}

/// What a run is.
#[derive(Clone, PartialEq, Message)]
pub struct Run {
    /// Its id.
    #[prost(string, tag = "1")]
    pub run_id: String,
    /// The project that it is shown in.
    #[prost(string, tag = "3")]
    pub project: String,
    /// Its settings.
    #[prost(message, optional, tag = "4")]
    pub config: Option<Config>,
    /// Its name.
    #[prost(string, tag = "8")]
    pub display_name: String,
    /// What a person wrote about it.
    #[prost(string, tag = "9")]
    pub notes: String,
    /// Words to find it by.
    #[prost(string, repeated, tag = "10")]
    pub tags: Vec<String>,
    /// When it was started.
    #[prost(message, optional, tag = "17")]
    pub start_time: Option<Timestamp>,
}

/// A time (`google.protobuf.Timestamp`).
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Timestamp {
    /// Seconds since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
}

/// Settings.
#[derive(Clone, PartialEq, Message)]
pub struct Config {
    /// Each of them.
    #[prost(message, repeated, tag = "1")]
    pub update: Vec<Item>,
}

/// What was measured at a step.
#[derive(Clone, PartialEq, Message)]
pub struct History {
    /// Each figure.
    #[prost(message, repeated, tag = "1")]
    pub item: Vec<Item>,
    /// The step.
    #[prost(message, optional, tag = "2")]
    pub step: Option<Step>,
}

/// A step.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Step {
    /// Training steps done.
    #[prost(int64, tag = "1")]
    pub num: i64,
}

/// What came of a run.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// Each result.
    #[prost(message, repeated, tag = "1")]
    pub update: Vec<Item>,
}

/// A name and a value: the same in settings, history and summary.
#[derive(Clone, PartialEq, Message)]
pub struct Item {
    /// The name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value as JSON, in which numbers may be `NaN`, `Infinity` and `-Infinity`.
    #[prost(string, tag = "16")]
    pub value_json: String,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Exit {
    /// 0 for a run that went as it should.
    #[prost(int32, tag = "1")]
    pub exit_code: i32,
    /// Seconds it took.
    #[prost(int32, tag = "2")]
    pub runtime: i32,
}
