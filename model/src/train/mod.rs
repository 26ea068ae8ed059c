//! Training: the same code natively, on the CPU worker and on the GPU worker.
//!
//! [`fused`] turns weights and images into logits and gradients, and gradients into new weights, on
//! the CPU; `gpu` does so on a GPU. [`engine`] is one or the other, [`session`] is asked for one
//! step at a time and says what happened. [`network`] and [`update`] are the same out of burn's own
//! operations: slower, for questions about finished weights and for tests to compare with.

pub mod engine;
pub mod fused;
#[cfg(feature = "webgpu")]
pub mod gpu;
pub mod network;
pub mod session;
mod stopwatch;
pub mod transfer;
pub mod update;
