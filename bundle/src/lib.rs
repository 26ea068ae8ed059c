//! What is done to the page once trunk has built it.
//!
//! [`split`] takes the page's module apart, [`name`] gives workers names that say what is in them,
//! [`install`] writes manifest and icons, [`offline`] the service worker, [`policy`] what the page may do, [`compress`] every file
//! compressed beside itself; `wasm` knows what the tools for modules do not know of each other;
//! [`first`] is the page before trunk has built it, [`weigh`] says how large the modules are. [`kiln_host`] serves all of it.

pub mod compress;
pub mod error;
pub mod first;
mod index;
pub mod install;
pub mod name;
pub mod offline;
pub mod policy;
pub mod split;
mod wasm;
pub mod weigh;
