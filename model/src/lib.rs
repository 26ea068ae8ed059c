//! What Kiln trains, and how good it is.
//!
//! Read in the order in which data flows: [`mnist`] and [`dataset`] hold the images
//! ([`import`] reads a person's own, [`histogram`] counts them, [`drawing`] makes one of a drawing),
//! [`config`] says what a run is to do (with [`optimizer`] and [`schedule`]) and [`plan`] what
//! follows from it, [`batch`] draws what a step sees, [`spec`] and [`weights`] describe the
//! network, [`event`] says what happened and [`history`] keeps it, [`evaluation`] says how good
//! the answers are, [`checkpoint`] is a session as a file (with [`frame`]). `train`, behind the feature of that name, is the only part that knows burn.
//!
//! Nothing here knows a page, a store or a message: every part also builds and tests natively.

pub mod batch;
mod chacha;
pub mod checkpoint;
pub mod config;
pub mod dataset;
pub mod drawing;
pub mod evaluation;
pub mod event;
pub mod frame;
pub mod histogram;
pub mod history;
pub mod import;
pub mod mnist;
pub mod optimizer;
pub mod plan;
pub mod preset;
pub mod random;
pub mod schedule;
pub mod spec;
pub mod steps;
#[cfg(feature = "train")]
pub mod train;
pub mod weights;
