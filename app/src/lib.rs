//! What runs in the tab.
//!
//! The page (feature `page`) never links burn; a worker (features `cpu-worker`, `gpu-worker`)
//! owns the device, the data and the session. They meet in [`protocol`] alone. Data flows from
//! the worker through [`protocol`] and [`run`] to the charts and to [`export`]; commands go back
//! through `bridge`.

#[cfg(feature = "page")]
pub mod bridge;
pub mod compare;
pub mod data;
pub mod device;
pub mod evaluation;
pub mod export;
pub mod figure;
pub mod format;
pub mod latest;
pub mod mosaic;
pub mod pace;
#[cfg(any(feature = "page", feature = "worker"))]
pub mod probe;
pub mod protocol;
pub mod record;
pub mod run;
pub mod series;
pub mod settings;
pub mod sketch;
#[cfg(feature = "page")]
pub mod store;
#[cfg(feature = "page")]
pub mod tab;
pub mod table;
#[cfg(feature = "page")]
pub mod ui;
#[cfg(feature = "worker")]
pub mod worker;
