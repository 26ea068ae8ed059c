//! Training: the same code natively, on the CPU worker and on the GPU worker.
//!
//! On burn, [`network`] turns weights and images into logits and gradients and [`update`] turns
//! gradients into new weights; [`fused`] does both on the CPU, for those of a [`crew`]. [`engine`] is one or the other,
//! [`session`] is asked for one step at a time and says what happened.

pub mod crew;
pub mod engine;
pub mod fused;
pub mod network;
pub mod session;
mod stopwatch;
#[cfg(not(target_arch = "wasm32"))]
pub mod threads;
pub mod transfer;
pub mod update;
