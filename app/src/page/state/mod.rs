//! What the page knows, and what becomes of it. [`trainer`] is the handle to all of it; the others add
//! to it, one concern each, and only [`life`] carries out what [`kiln_run::life`] decides.

mod backend;
mod data_names;
mod data_use;
mod deletions;
pub mod examiner;
mod export;
mod health;
mod importing;
mod inbox;
mod keeping;
mod labels;
pub mod library;
mod life;
pub mod notice;
mod order;
mod room;
pub mod sources;
mod tabs;
pub mod trainer;
mod watch;
