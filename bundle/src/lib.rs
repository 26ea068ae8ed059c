//! What is done to the page once trunk has built it.
//!
//! [`split`] takes the page's module apart, [`compress`] writes every file compressed beside itself,
//! `wasm` knows what the tools for modules do not know of each other; [`weigh`] says how large the modules are, and [`host`] serves all of it.

pub mod compress;
pub mod error;
pub mod host;
pub mod split;
mod wasm;
pub mod weigh;
