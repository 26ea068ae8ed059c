//! The main stories in each engine: one walk through all of them, and everywhere the same figures.

use std::time::Duration;

use kiln_model::preset::Preset;
use kiln_tests::HarnessError;
use kiln_tests::engine::{Engine, Visit};
use kiln_tests::native;
use kiln_tests::server::{Pace, Server};

type Outcome = Result<(), HarnessError>;

#[tokio::test]
async fn chromium_tells_every_story() -> Outcome {
    walk(Engine::Blink).await
}

#[tokio::test]
async fn firefox_tells_every_story() -> Outcome {
    walk(Engine::Gecko).await
}

#[tokio::test]
async fn webkit_tells_every_story() -> Outcome {
    walk(Engine::WebKit).await
}

/// A first run that is paused, left in the middle and gone on with; another beside it; what the network
/// answers; a digit; a file that leaves and comes back; all of it again without a server.
async fn walk(engine: Engine) -> Outcome {
    let server = Server::start_at(Pace::Unhurried).await?;
    server.let_keep();
    let mut visit = Visit::begin(engine, &server).await?;
    visit.wait_for_state("ready", 120).await?;
    if engine != Engine::Blink {
        visit
            .wait_for_text("has no WebGPU, so Kiln trains on the CPU", 20)
            .await?;
    }

    visit.press("Quick taste").await?;
    visit.press("Start").await?;
    visit.wait_for_state("running", 60).await?;
    visit.press("Pause").await?;
    visit.wait_for_state("paused", 30).await?;
    visit.press("Resume").await?;
    visit.wait_for_state("running", 30).await?;
    visit.press("Pause").await?;
    visit.wait_for_state("paused", 30).await?;
    visit.reload().await?;
    visit.wait_for_state("interrupted", 60).await?;
    visit.press("Resume").await?;
    visit.wait_for_state("finished", 300).await?;
    // That of a run that was never stopped, and of the machine's own code.
    let fingerprint = native::fingerprint(Preset::QuickTaste.config()).await?;
    let told = format!("Fingerprint {fingerprint}");
    visit.wait_for_text(&told, 20).await?;

    visit.press("Step").await?;
    visit.wait_for_state("paused", 60).await?;
    visit.press("Stop").await?;
    visit.wait_for_state("finishing", 60).await?;
    visit.press("Skip scoring").await?;
    visit.wait_for_state("stopped", 60).await?;
    visit.press("Compare").await?;
    visit.wait_for_text("Copy as Markdown", 30).await?;
    visit.press("Evaluate").await?;
    visit.press("Score now").await?;
    visit.wait_for_text("Confusion matrix", 60).await?;
    visit.press("Draw").await?;
    visit
        .wait_for_text("Best weights, those of step", 60)
        .await?;
    visit.press("Use a test image").await?;
    visit.wait_for_text(" sure", 60).await?;

    visit.press("Files").await?;
    visit.wait_for_text("Opens with", 60).await?;
    let name = visit
        .evaluate("return document.querySelector('.files select').selectedOptions[0].innerText")
        .await?;
    let name = name.as_str().unwrap_or_default().to_owned();
    let archive = visit.download(&format!("{name}.kiln.zip")).await?;
    visit.press("Runs").await?;
    visit.press(&format!("Delete {name}")).await?;
    visit.wait_for_text(&format!("Deleted {name}."), 20).await?;
    visit.import(&archive).await?;
    visit.wait_for_text("Imported", 60).await?;

    // Without a server all of it is still there.
    visit
        .wait_until("return navigator.serviceWorker.controller !== null", 60)
        .await?;
    server.fall_silent();
    visit.reload().await?;
    visit.press("Train").await?;
    visit.wait_until("return ['ready', 'stopped', 'finished'].includes(document.documentElement.dataset.state)", 120)
        .await?;
    visit.press("Start").await?;
    visit.wait_for_state("running", 120).await?;
    visit.press("Pause").await?;
    visit.wait_for_state("paused", 30).await?;
    visit.press("Draw").await?;
    visit.press("Use a test image").await?;
    visit.wait_for_text(" sure", 60).await?;
    // Nothing was asked of anybody else, in any of it.
    let asked = visit
        .evaluate(
            "return performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)
               .every(origin => origin === location.origin || origin === 'null')",
        )
        .await?;
    assert_eq!(asked, serde_json::json!(true));
    tokio::time::timeout(Duration::from_secs(30), visit.end())
        .await
        .map_err(|_| HarnessError::Usage("the browser does not end".to_owned()))?
}
