//! What a run is named by in messages and in the store.

use serde::{Deserialize, Serialize};

/// Names a run among all of this browser: the millisecond of its start and three random digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub u64);
