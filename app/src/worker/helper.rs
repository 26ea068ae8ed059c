//! A worker that computes parts of batches for another.

use kiln_model::dataset::{Dataset, DatasetError, Images};
use kiln_model::train::crew::Hand;

use super::task::{Parcel, Spare, Task, bytes, task, weights};
use crate::browser::codec::CodecError;
use crate::browser::scope;

/// The name of a worker that is to be a helper.
pub const NAME: &str = "helper";

#[derive(Debug, thiserror::Error)]
enum HelperError {
    #[error(transparent)]
    Codec(#[from] CodecError),
    #[error(transparent)]
    Data(#[from] DatasetError),
    #[error("a helper was asked before it had any images")]
    NoData,
}

/// What a helper has been given.
#[derive(Default)]
struct Helper {
    dataset: Option<Dataset>,
    hand: Option<Hand>,
}

/// Serves another worker until it is ended.
pub fn serve() {
    let mut helper = Helper::default();
    scope::listen(move |message| {
        if let Err(error) = helper.take(&message) {
            // The other worker hears of it as this one's `error` event.
            wasm_bindgen::throw_str(&error.to_string());
        }
    });
    hand_over(&Parcel::answer(&[], Spare::default()));
}

impl Helper {
    fn take(&mut self, message: &wasm_bindgen::JsValue) -> Result<(), HelperError> {
        let (task, message) = task(message)?;
        match task {
            Task::Hold => {
                let images =
                    |first| Images::from_bytes(bytes(&message, first), bytes(&message, first + 1));
                // Only whoever sends it has to tell this data from other.
                self.dataset = Some(Dataset::new(images(1)?, images(3)?, ""));
                self.hand = None;
            }
            Task::Split(config) => {
                let dataset = self.dataset.as_ref().ok_or(HelperError::NoData)?;
                self.hand = Some(Hand::new(dataset.split_for(&config)));
            }
            Task::Train { draw, shares } => {
                let hand = self.hand.as_ref().ok_or(HelperError::NoData)?;
                let (weights, spare) = weights(&message);
                let branches = hand.train(&weights, &draw, shares);
                let parts: Vec<&[f32]> = branches
                    .iter()
                    .flat_map(|branch| [branch.outcome.sums.numbers(), &branch.outcome.logits])
                    .collect();
                hand_over(&Parcel::answer(&parts, spare));
            }
            Task::Answer { part, images } => {
                let hand = self.hand.as_ref().ok_or(HelperError::NoData)?;
                let (weights, spare) = weights(&message);
                let logits = hand.logits(&weights, part, images);
                hand_over(&Parcel::answer(&[&logits], spare));
            }
        }
        Ok(())
    }
}

/// Sends an answer, and buffers that are no longer this worker's own.
fn hand_over(answer: &Parcel) {
    scope::hand_over(&answer.message, &answer.transfer);
}
