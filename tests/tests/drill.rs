//! A part of the drill: the browser is killed, and what the page stands on goes.

use kiln_tests::HarnessError;
use kiln_tests::drill::drill;

/// Kills that take about a minute.
const KILLS: usize = 8;
/// `cargo xtask drill` has another each time.
const SEED: u64 = 7;

#[tokio::test]
async fn nothing_is_lost_to_what_breaks() -> Result<(), HarnessError> {
    drill(KILLS, SEED, &|line| eprintln!("{line}")).await
}
