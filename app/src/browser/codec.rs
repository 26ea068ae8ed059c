//! Messages as plain JavaScript values. One that cannot be read is an error value, never a panic.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

/// A message that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error("a message between page and worker could not be read: {0}")]
pub struct CodecError(String);

/// A message as a value to post.
///
/// # Errors
/// A number that JavaScript cannot hold.
pub fn encode(message: &impl Serialize) -> Result<JsValue, CodecError> {
    serde_wasm_bindgen::to_value(message).map_err(|error| CodecError(error.to_string()))
}

/// The message in a value that was posted.
///
/// # Errors
/// A value that is no such message.
pub fn decode<T: DeserializeOwned>(value: JsValue) -> Result<T, CodecError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| CodecError(error.to_string()))
}
