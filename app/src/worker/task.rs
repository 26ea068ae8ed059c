//! What a worker asks of its helpers, and what they answer.
//!
//! A message is an array: the task, and behind it numbers and bytes as typed arrays, which are
//! handed over and not copied. An answer is an array of numbers alone; an empty one says that the
//! helper listens. Arrays that were read go back with the next message, to be filled again.

use std::ops::Range;

use js_sys::{Array, Float32Array, Uint8Array};
use kiln_model::batch::Draw;
use kiln_model::config::Config;
use kiln_model::dataset::Part;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::browser::codec::{CodecError, decode, encode};

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

/// The most arrays that wait to be filled: those of a few branches, and the weights.
const MOST_SPARE: usize = 8;

/// Arrays that came with a message and were read; their memory takes longer to be had than to be
/// filled.
#[derive(Debug, Default)]
pub struct Spare(Vec<Float32Array>);

impl Spare {
    /// These arrays; of too many the last are let go, which have waited longest.
    pub fn new(mut arrays: Vec<Float32Array>) -> Self {
        arrays.truncate(MOST_SPARE);
        Self(arrays)
    }

    /// An array with these numbers.
    fn fill(&mut self, numbers: &[f32]) -> Float32Array {
        let fits = |array: &Float32Array| array.length() as usize == numbers.len();
        match self.0.iter().position(fits) {
            Some(index) => {
                let array = self.0.remove(index);
                array.copy_from(numbers);
                array
            }
            None => Float32Array::new_from_slice(numbers),
        }
    }
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

    /// A task with weights; what is spare goes along.
    ///
    /// # Errors
    /// A task that JavaScript cannot hold.
    pub fn with_weights(
        task: &Task,
        weights: &[f32],
        spare: &mut Spare,
    ) -> Result<Self, CodecError> {
        let mut message = Array::of2(&encode(task)?, &spare.fill(weights));
        message.extend(spare.0.drain(..));
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

    /// An answer; what is spare goes along behind it.
    pub fn answer(numbers: &[&[f32]], mut spare: Spare) -> Self {
        let mut message = Array::new();
        for numbers in numbers {
            message.push(&spare.fill(numbers));
        }
        message.extend(spare.0);
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

/// The weights that came with a task, and all arrays that are spare then.
pub fn weights(message: &Array) -> (Vec<f32>, Spare) {
    let arrays = arrays(message, 1);
    let weights = arrays.first().map(Float32Array::to_vec);
    (weights.unwrap_or_default(), Spare::new(arrays))
}

/// The bytes at a place of a message; none where there are none.
pub fn bytes(message: &Array, index: u32) -> Vec<u8> {
    let bytes = message.get(index).dyn_into::<Uint8Array>();
    bytes.map(|bytes| bytes.to_vec()).unwrap_or_default()
}

/// The numbers of an answer, and what is spare behind them; nothing where the message is no answer.
pub fn answer(message: &JsValue) -> Option<Vec<Float32Array>> {
    Some(arrays(message.dyn_ref::<Array>()?, 0))
}

/// The numbers in a message from a place on, as far as there are any.
fn arrays(message: &Array, first: u32) -> Vec<Float32Array> {
    (first..message.length())
        .map_while(|index| message.get(index).dyn_into().ok())
        .collect()
}
