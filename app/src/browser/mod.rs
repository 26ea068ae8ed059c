//! What the browser does for page and workers, each thing behind a few lines of Rust.

#[cfg(feature = "page")]
pub mod bridge;
#[cfg(feature = "page")]
pub mod clock;
pub mod codec;
#[cfg(feature = "page")]
pub mod download;
#[cfg(feature = "page")]
pub mod dropped;
#[cfg(feature = "page")]
pub mod lock;
#[cfg(feature = "page")]
pub mod native;
#[cfg(feature = "page")]
pub mod offline;
#[cfg(any(feature = "page", feature = "worker"))]
pub mod probe;
#[cfg(feature = "page")]
pub mod remembered;
#[cfg(feature = "page")]
pub mod saves;
#[cfg(any(feature = "worker", feature = "file-worker"))]
pub mod scope;
#[cfg(feature = "page")]
pub mod store;
#[cfg(feature = "page")]
pub mod tab;
pub mod words;

/// What the name of the worker begins with that passes messages on to a trainer in another process; its
/// token follows.
#[cfg(any(feature = "page", feature = "file-worker"))]
pub const RELAY: &str = "relay ";
