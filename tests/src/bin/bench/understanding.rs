//! A run is looked into, and a digit drawn.

use kiln_tests::HarnessError;
use kiln_tests::page::Page;
use kiln_tests::server::Server;

use crate::{WINDOW, long_tasks};

/// Strokes on the pad.
const STROKES: usize = 5;

/// Whether the page stays responsive while a run is looked into, and how soon a stroke is answered.
///
/// # Errors
/// A page that does not come so far.
pub async fn print_speed(server: &Server) -> Result<(), HarnessError> {
    let page = Page::open_ready(server).await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "2000").await?;
    page.type_number("Epochs", "2").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 300).await?;
    long_tasks::watch(&page).await?;
    page.press("link", "Evaluate").await?;
    let is_whole = "document.querySelectorAll('.evaluate .panel').length > 5
        && document.querySelectorAll('.line-key').length > 4";
    page.wait_for_value(is_whole, &true.into(), 60).await?;
    long_tasks::report(&page, "Opening Evaluate").await?;
    for threshold in ["0.2", "0.8", "0.95"] {
        page.type_number("Threshold", threshold).await?;
    }
    page.evaluate("document.querySelector('[data-cell=\"11\"]').click()")
        .await?;
    let is_shown = "document.querySelectorAll('.cell-panel figure').length > 50";
    page.wait_for_value(is_shown, &true.into(), 60).await?;
    page.choose("Split", "Validation").await?;
    page.wait_for_text("The test set is scored once", 60)
        .await?;
    long_tasks::report(&page, "Threshold, images of a cell, another split").await?;
    page.press("link", "Data").await?;
    page.wait_for_text("Filters of the first layer", 60).await?;
    long_tasks::report(&page, "Opening Data").await?;

    page.press("link", "Draw").await?;
    page.wait_for_text("Best weights, those of step", 60)
        .await?;
    page.evaluate(
        "window.answeredMs = []; let before = '', moved;
         const pad = document.querySelector('.pad canvas');
         pad.addEventListener('pointermove', event => { if (event.buttons) moved ??= performance.now(); });
         const look = () => {
           const said = [...document.querySelectorAll('.card data')].map(data => data.value).join();
           if (said !== before && moved) { answeredMs.push(performance.now() - moved); moved = undefined; }
           before = said; requestAnimationFrame(look); };
         look(); 0",
    )
    .await?;
    for stroke in 1..=STROKES {
        let across = 0.2 + 0.1 * stroke as f64;
        page.drag(
            "image",
            "Drawing pad",
            &[(across, 0.2), (0.5, 0.5), (across, 0.8)],
        )
        .await?;
        page.wait_for_value(&format!("answeredMs.length >= {stroke}"), &true.into(), 30)
            .await?;
    }
    let answered = page
        .evaluate("answeredMs.sort((a, b) => a - b).map(Math.round).join(', ')")
        .await?;
    println!("From a stroke's move to other bars, ms: {answered}");
    long_tasks::report(&page, "Drawing on the pad").await?;
    page.close().await
}
