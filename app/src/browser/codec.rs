//! Messages as plain JavaScript values. One that cannot be read is an error value, never a panic.

use js_sys::{Array, Object, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast as _, JsValue};

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

/// The buffers of all bytes in a value that [`encode`] made. They are nobody else's, so that whoever
/// posts it can hand them over, where the browser would copy hundreds of megabytes at once.
pub fn buffers(value: &JsValue) -> Array {
    let found = Array::new();
    gather(value, &found);
    found
}

fn gather(value: &JsValue, found: &Array) {
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        found.push(&bytes.buffer());
    } else if let Some(items) = value.dyn_ref::<Array>() {
        items.iter().for_each(|item| gather(&item, found));
    } else if let Some(object) = value.dyn_ref::<Object>() {
        Object::values(object)
            .iter()
            .for_each(|item| gather(&item, found));
    }
}
