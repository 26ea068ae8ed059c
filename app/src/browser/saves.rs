//! When runs were last saved to a file that brings them back.

use serde::{Deserialize, Serialize};

use super::remembered;
use kiln_run::protocol::RunId;

const KEY: &str = "kiln.saves";

/// That a run was saved.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Save {
    id: u64,
    /// When, in milliseconds since 1970.
    pub at_ms: f64,
    /// How many of its training steps the file has.
    pub steps: u32,
}

/// The last time that a run was saved.
pub fn of(id: RunId) -> Option<Save> {
    all().into_iter().find(|save| save.id == id.0)
}

/// Notes that runs are saved now, each with so many training steps. Of runs that are not `kept` any more
/// nothing is remembered.
pub fn note(runs: &[(RunId, u32)], kept: impl Fn(RunId) -> bool) {
    // As another tab may have left them by now.
    let mut saves = all();
    saves.retain(|save| kept(RunId(save.id)) && runs.iter().all(|(id, _)| id.0 != save.id));
    saves.extend(runs.iter().map(|(id, steps)| Save {
        id: id.0,
        at_ms: js_sys::Date::now(),
        steps: *steps,
    }));
    remembered::set(KEY, &saves);
}

fn all() -> Vec<Save> {
    remembered::get(KEY).unwrap_or_default()
}
