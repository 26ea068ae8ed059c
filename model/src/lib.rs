//! What Kiln trains, and how good it is.
//!
//! Read in the order in which data flows: [`mnist`] and [`dataset`] hold the images,
//! [`config`] says what a run is to do, [`batch`] draws what a step sees, [`spec`] and
//! [`weights`] describe the network, [`event`] says what happened, [`evaluation`] says how good
//! the answers are. `train`, behind the feature of that name, is the only part that knows burn.
//!
//! Nothing here knows a page, a store or a message: every part also builds and tests natively.

pub mod batch;
pub mod config;
pub mod dataset;
pub mod evaluation;
pub mod event;
pub mod mnist;
pub mod random;
pub mod spec;
#[cfg(feature = "train")]
pub mod train;
pub mod weights;
