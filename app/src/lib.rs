//! What runs in the tab.
//!
//! The page (feature `page`) never links burn; a worker (features `cpu-worker`, `gpu-worker`)
//! owns the device, the data and the session, and another (`file-worker`) makes and reads files, or passes messages
//! on to a trainer in another process. They meet in [`kiln_run::protocol`] alone. Data flows
//! from the worker through it and [`kiln_run::run`] to the charts and to [`kiln_run::export`];
//! commands go back through `browser::bridge`.

pub mod browser;
#[cfg(feature = "file-worker")]
pub mod files;
pub mod keymap;
pub mod latest;
pub mod mosaic;
pub mod pace;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "file-worker")]
pub mod relay;
pub mod sketch;
#[cfg(feature = "worker")]
pub mod worker;
