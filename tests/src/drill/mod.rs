//! Breaks what the page stands on, again and again, and looks whether anything was lost.

mod faults;
mod kills;
mod story;

use fastrand::Rng;

use crate::HarnessError;

/// So many kills come with one run that loses what it stands on, and with one file that does not arrive.
const KILLS_FOR_A_LOSS: usize = 10;
const KILLS_FOR_A_FILE: usize = 4;

/// Kills the browser so often, and takes away what it stands on in proportion. `tell` hears how far it is
/// and what came of it.
///
/// # Errors
/// What was lost, and after what.
pub async fn drill(kills: usize, seed: u64, tell: &dyn Fn(String)) -> Result<(), HarnessError> {
    let mut random = Rng::with_seed(seed);
    let story = story::Story::told().await?;
    tell(format!(
        "An undisturbed run measures {} figures.",
        story.figures()
    ));
    tell(kills::drill(&story, &mut random, kills, tell).await?);
    tell(faults::losses(&story, &mut random, kills.div_ceil(KILLS_FOR_A_LOSS)).await?);
    tell(faults::network(&story, &mut random, kills.div_ceil(KILLS_FOR_A_FILE)).await?);
    Ok(())
}
