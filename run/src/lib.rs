//! What a run is: its settings, all that happened in it, and what is made of that. Neither a browser
//! nor burn is known here, so everything builds and tests anywhere.

pub mod archive;
mod axis;
pub mod classes;
pub mod compare;
pub mod data;
mod decimation;
pub mod device;
pub mod evaluation;
pub mod export;
pub mod figure;
pub mod format;
pub mod groups;
mod hdf5;
pub mod id;
pub mod import;
pub mod levels;
pub mod life;
pub mod log;
mod onnx;
pub mod order;
pub mod parcel;
pub mod protocol;
pub mod record;
pub mod run;
pub mod series;
pub mod set;
pub mod settings;
pub mod share;
pub mod sight;
pub mod smoothing;
pub mod sweep;
pub mod table;
