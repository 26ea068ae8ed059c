//! Training: the same code natively, on the CPU worker and on the GPU worker.
//!
//! [`fused`] turns weights and images into logits and gradients, and gradients into new weights, on
//! the CPU, where a [`crew`] shares the work; `gpu` does so on a GPU. [`engine`] is one or the
//! other, [`session`] is asked for one step at a time and says what happened, by a [`driver`]. [`network`] and
//! [`update`] are the same out of burn's own operations: slower, for a look into the layers and for
//! tests to compare with.

pub mod crew;
pub mod driver;
pub mod engine;
pub mod fused;
#[cfg(feature = "webgpu")]
pub mod gpu;
pub mod network;
pub mod session;
mod stopwatch;
#[cfg(not(target_arch = "wasm32"))]
pub mod threads;
pub mod transfer;
pub mod update;
