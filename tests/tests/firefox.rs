//! The page in Firefox, which computes WebAssembly with another compiler.

use kiln_model::preset::Preset;
use kiln_tests::HarnessError;
use kiln_tests::firefox::Firefox;
use kiln_tests::native;
use kiln_tests::server::{Pace, Server};

#[tokio::test]
async fn a_run_has_the_fingerprint_that_it_has_natively() -> Result<(), HarnessError> {
    let server = Server::start_at(Pace::Full).await?;
    let firefox = Firefox::open(&server).await?;
    firefox.wait_for_state("ready", 120).await?;
    firefox.press("Quick taste").await?;
    firefox.press("Start").await?;
    firefox.wait_for_state("finished", 300).await?;
    let fingerprint = native::fingerprint(Preset::QuickTaste.config()).await?;
    let text = firefox.text().await?;
    assert!(
        text.contains(&format!("Fingerprint {fingerprint}")),
        "{fingerprint} is not in: {text}"
    );
    Ok(())
}
