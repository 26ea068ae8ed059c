//! The log of a run: all that happened in it, in order. It only ever grows; a [`crate::run::Run`]
//! and its [`crate::record::Record`] are folds of it.

pub mod entry;
pub mod segment;
pub mod tail;
