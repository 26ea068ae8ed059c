//! What a new run is to be.

use kiln_model::config::Config;

/// A run that waits for its turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    /// Its settings.
    pub config: Config,
    /// Its name, where it has one already.
    pub name: Option<&'static str>,
}

/// A new run that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Order {
    /// Do one step, then wait.
    pub single_step: bool,
    /// Its settings.
    pub config: Config,
    /// A name of its own.
    pub name: Option<&'static str>,
}
