//! Sweeps in the tab: what differs, the runs one after the other, and what came of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_tests::HarnessError;
use kiln_tests::page::Page;
use kiln_tests::server::{Fault, Pace, Server};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// What stands in a column of the table of runs.
fn column(number: u32) -> String {
    format!(
        "[...document.querySelectorAll('.results > .scroll tbody tr')]
           .map(row => row.children[{number}].innerText.trim())"
    )
}

const NAMES: u32 = 1;
const LOSSES: u32 = 2;

/// Shows Sweep, with short runs set in Train.
async fn open(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open_ready(server).await?;
    page.press("button", "Quick taste").await?;
    page.press("link", "Sweep").await?;
    Ok(page)
}

/// Says which values a setting is to have.
async fn vary(page: &Page, setting: &str, values: &str) -> Outcome {
    page.type_into("textbox", setting, values).await
}

async fn strings(page: &Page, expression: &str) -> Result<Vec<String>, HarnessError> {
    let found = page.evaluate(expression).await?;
    Ok(serde_json::from_value(found).unwrap_or_default())
}

#[tokio::test]
async fn a_grid_is_trained_and_its_best_stands_first() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = open(&server).await?;
    vary(&page, "Learning rate", "0.0003, 0.001, 0.003").await?;
    vary(&page, "Dropout", "0 to 1.5 in 2").await?;
    page.wait_for_text("Dropout must be from 0 to 0.9, not 1.5.", 10)
        .await?;
    vary(&page, "Dropout", "0, 0.4").await?;
    page.wait_for_text("6 runs", 10).await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1: 1 of 6 runs.", 60).await?;
    page.wait_for_text("sweep-1 is done: 6 runs.", 240).await?;
    page.wait_for_text("The best is sweep-1-", 10).await?;

    let losses = strings(&page, &column(LOSSES)).await?;
    let losses: Vec<f64> = losses.iter().map(|loss| loss.parse().unwrap()).collect();
    assert_eq!(losses.len(), 6);
    assert!(losses.is_sorted(), "{losses:?}");
    // A higher rate learns more in one epoch; which is the best of six, the chart has last.
    page.wait_for_text("more is better", 10).await?;
    let drawn = "document.querySelectorAll('.parallel path').length";
    assert_eq!(page.evaluate(drawn).await?, json!(6));

    // The lower half of the axis of losses.
    let places = "(() => {
        const region = document.querySelector('.parallel .scroll').getBoundingClientRect();
        const axes = document.querySelectorAll('.parallel .brush');
        const axis = axes[axes.length - 1].getBoundingClientRect();
        const at = down => [(axis.x + axis.width / 2 - region.x) / region.width,
                            (axis.y + down * axis.height - region.y) / region.height];
        return [at(0.5), at(0.8), at(0.99)]; })()";
    let places: Vec<(f64, f64)> = serde_json::from_value(page.evaluate(places).await?).unwrap();
    page.drag("region", "Chart of runs across settings", &places)
        .await?;
    page.wait_for_text("of 6 runs are within the filters", 10)
        .await?;
    let within = strings(&page, &column(NAMES)).await?;
    assert!((1..6).contains(&within.len()), "{within:?}");
    page.press("button", "Clear the filters").await?;
    page.wait_for_value(&format!("{}.length", column(NAMES)), &json!(6), 10)
        .await?;
    page.press("link", "Compare the best 4").await?;
    page.wait_for_text("Dropout", 30).await?;
    page.close().await
}

#[tokio::test]
async fn of_a_halving_the_best_go_on_after_a_reload_too() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = open(&server).await?;
    page.press("radio", "Halving").await?;
    page.type_number("Runs", "4").await?;
    page.type_number("One goes on of", "2").await?;
    vary(&page, "Dropout", "").await?;
    vary(&page, "Learning rate", "0.0003 to 0.01 log").await?;
    page.wait_for_text("need more epochs than that. Raise Epochs in Train.", 10)
        .await?;
    page.press("link", "Train").await?;
    page.type_number("Epochs", "2").await?;
    page.press("link", "Sweep").await?;
    page.wait_for_text("4 to epoch 1, 2 to epoch 2", 10).await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1: 1 of 4 runs.", 120).await?;
    // In the middle of a run, or between two.
    page.reload().await?;
    page.wait_for_text("sweep-1 rests:", 60).await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1: 3 of 4 runs.", 120).await?;
    page.press("button", "Pause the sweep").await?;
    page.wait_for_text("sweep-1 rests:", 10).await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 4 runs.", 240).await?;
    let epochs = "[...document.querySelectorAll('.results > .scroll tbody tr')]
        .map(row => row.innerText.split('\\t')[5])";
    assert_eq!(strings(&page, epochs).await?, ["2", "2", "1", "1"]);
    page.close().await
}

#[tokio::test]
async fn a_run_that_fails_comes_last_and_stops_nobody() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    server.set_fault(Some(Fault::spoilt(1)));
    let page = open(&server).await?;
    vary(&page, "Learning rate", "0.001, 0.003").await?;
    vary(&page, "Dropout", "").await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1-1 has failed and comes last in sweep-1.", 60)
        .await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    assert_eq!(
        strings(&page, &column(NAMES)).await?,
        ["sweep-1-2", "sweep-1-1"]
    );
    page.wait_for_text("Failed", 10).await?;
    page.close().await
}

#[tokio::test]
async fn what_a_person_deletes_is_not_trained_again() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = open(&server).await?;
    vary(&page, "Learning rate", "0.001, 0.002, 0.003").await?;
    vary(&page, "Dropout", "").await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1: 1 of 3 runs.", 60).await?;
    page.press("button", "Pause the sweep").await?;
    page.wait_for_state(&["finished"], 60).await?;
    page.press("link", "Runs").await?;
    page.press("button", "Delete sweep-1-1").await?;
    page.press("link", "Sweep").await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 3 runs.", 60).await?;
    let mut names = strings(&page, &column(NAMES)).await?;
    names.sort();
    assert_eq!(names, ["sweep-1-2", "sweep-1-3"]);
    page.close().await
}
