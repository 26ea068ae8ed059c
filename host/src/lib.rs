//! Serves the built page: [`files`] every file compressed, under the [`policy`] of what the page may do.

pub mod error;
pub mod files;
pub mod policy;

pub use error::HostError;
pub use files::{ask, host, router};
