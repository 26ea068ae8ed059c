//! What comes back: files that a person chooses, read and checked.

pub mod archive;
pub mod data;
pub mod unzip;
