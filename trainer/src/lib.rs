//! The trainer that the page talks with: device, data and session behind [`kiln_run::protocol`].
//!
//! It is the same in a worker of the tab and in a process beside it; what differs is its [`Host`].

mod host;
mod outbox;
#[cfg(feature = "questions")]
mod questions;
mod run;
mod serve;
mod warm_up;

pub use host::{Host, Opened};
pub use serve::serve;
