//! Training on burn: the same code natively, on the CPU worker and on the GPU worker.
//!
//! [`network`] turns weights and images into logits and gradients ([`fused`] does so on the CPU), [`update`] turns gradients into
//! new weights, [`session`] is asked for one step at a time and says what happened.

pub mod fused;
pub mod network;
pub mod session;
mod stopwatch;
pub mod transfer;
pub mod update;
