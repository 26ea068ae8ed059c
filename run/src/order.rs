//! What a new run is to be.

use kiln_model::config::Config;

use crate::id::RunId;

/// A run that waits for its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Queued {
    /// Its settings.
    pub config: Config,
    /// Its name, where it has one already.
    pub name: Option<&'static str>,
}

/// What a run of a sweep is known by.
#[derive(Clone, Debug, PartialEq)]
pub struct OfSweep {
    /// Its name.
    pub name: String,
    /// The name of the sweep, which is its tag.
    pub tag: String,
}

/// A new run that was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Order {
    /// Do one step, then wait.
    pub single_step: bool,
    /// What it is to be.
    pub run: Queued,
    /// Where it is one of a sweep.
    pub of_sweep: Option<OfSweep>,
}

/// What whoever looks after a sweep is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// No run is open and none waits: the next of the sweep may begin.
    Next,
    /// This run has failed.
    Failed(RunId),
}
