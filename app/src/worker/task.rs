//! What a worker asks of its helpers, and what they answer.
//!
//! A message is an array: the task, and behind it numbers and bytes as typed arrays, which are
//! handed over and not copied. An answer is an array of numbers alone; an empty one says that the
//! helper listens.

use std::ops::Range;

use js_sys::{Array, Float32Array, Uint8Array};
use kiln_model::batch::Draw;
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::protocol::{CodecError, decode, encode};

/// What a helper is to do; it answers [`Task::Train`] and [`Task::Answer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Hold these images: pixels and labels of the training files, then of the test files.
    Hold,
    /// Work on a run with these settings from now on.
    Split(Config),
    /// What these neighbouring shares of a batch bring: for each branch its sums and its logits.
    /// The weights come along.
    Train {
        /// The batch.
        draw: Draw,
        /// Which of its shares.
        shares: Range<usize>,
    },
    /// The logits of these images of a part. The weights come along.
    Answer {
        /// The part.
        part: Part,
        /// Which of it.
        images: Range<usize>,
    },
}

/// A message and what is handed over with it.
pub struct Parcel {
    /// The message.
    pub message: Array,
    /// Buffers that the sender has no longer.
    pub transfer: Array,
}

impl Parcel {
    fn new(message: Array, first: u32) -> Self {
        let transfer = Array::new();
        for index in first..message.length() {
            let numbers: js_sys::Object = message.get(index).unchecked_into();
            // Both kinds of typed arrays have a buffer.
            if let Ok(buffer) = js_sys::Reflect::get(&numbers, &JsValue::from_str("buffer")) {
                transfer.push(&buffer);
            }
        }
        Self { message, transfer }
    }

    /// A task with weights.
    ///
    /// # Errors
    /// A task that JavaScript cannot hold.
    pub fn with_numbers(task: &Task, numbers: &[f32]) -> Result<Self, CodecError> {
        let message = Array::of2(&encode(task)?, &Float32Array::new_from_slice(numbers));
        Ok(Self::new(message, 1))
    }

    /// A task with bytes.
    ///
    /// # Errors
    /// A task that JavaScript cannot hold.
    pub fn with_bytes(task: &Task, bytes: &[&[u8]]) -> Result<Self, CodecError> {
        let message = Array::of1(&encode(task)?);
        for bytes in bytes {
            message.push(&Uint8Array::new_from_slice(bytes));
        }
        Ok(Self::new(message, 1))
    }

    /// An answer.
    pub fn answer(numbers: &[&[f32]]) -> Self {
        let message = Array::new();
        for numbers in numbers {
            message.push(&Float32Array::new_from_slice(numbers));
        }
        Self::new(message, 0)
    }
}

/// The task in a message.
///
/// # Errors
/// A message that is none.
pub fn task(message: &JsValue) -> Result<(Task, Array), CodecError> {
    let message: Array = message.clone().unchecked_into();
    Ok((decode(message.get(0))?, message))
}

/// The numbers at a place of a message; none where there are none.
pub fn numbers(message: &Array, index: u32) -> Vec<f32> {
    let numbers = message.get(index).dyn_into::<Float32Array>();
    numbers.map(|numbers| numbers.to_vec()).unwrap_or_default()
}

/// The bytes at a place of a message; none where there are none.
pub fn bytes(message: &Array, index: u32) -> Vec<u8> {
    let bytes = message.get(index).dyn_into::<Uint8Array>();
    bytes.map(|bytes| bytes.to_vec()).unwrap_or_default()
}

/// The numbers of an answer; nothing where the message is no answer.
pub fn answer(message: &JsValue) -> Option<Vec<Vec<f32>>> {
    let message = message.dyn_ref::<Array>()?;
    let all = (0..message.length()).map(|index| {
        let numbers = message.get(index).dyn_into::<Float32Array>().ok()?;
        Some(numbers.to_vec())
    });
    all.collect()
}
