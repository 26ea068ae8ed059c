//! Errors of JavaScript in words.

use wasm_bindgen::{JsCast as _, JsValue};

/// An error of JavaScript as text.
pub fn describe(error: &JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| error.as_string())
        .unwrap_or_else(|| format!("{error:?}"))
}
