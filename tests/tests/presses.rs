//! What a press does where something has come between: a question of an earlier run, a button that
//! made way for another, a setting that is out of sight, a name that is taken.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::measurements::rows;
use kiln_tests::page::{Page, with_database};
use kiln_tests::server::{Fault, Server};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

async fn ready(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open(server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    Ok(page)
}

#[tokio::test]
async fn a_failed_run_keeps_all_that_happened() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::spoilt(1)));
    let page = ready(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["failed"], 60).await?;
    let notice = "Loss became NaN at step 2";
    page.wait_for_text(notice, 10).await?;
    let failed = page.show_files().await?;
    let before = rows(&page.download(&format!("{failed}.csv")).await?)?;
    assert!(
        before
            .iter()
            .any(|row| row.series == "train/loss" && row.step == 1)
    );

    // It failed before it was kept for the first time, and is there all the same.
    let kept = with_database(None, "return (await of(store('runs').getAll())).length;");
    page.wait_for_value(&kept, &json!(1), 10).await?;
    server.set_fault(None);
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("link", "Runs").await?;
    page.press("button", &failed).await?;
    page.press("button", "Open").await?;
    page.wait_for_state(&["failed"], 30).await?;
    page.wait_for_text("Failed · Loss became NaN at step 2 · Epoch 1/5", 10)
        .await?;
    let crosses = "document.querySelectorAll('.chart:first-child .broken').length";
    page.wait_for_value(crosses, &json!(1), 10).await?;
    page.show_files().await?;
    let after = rows(&page.download(&format!("{failed}.csv")).await?)?;
    assert_eq!(after.len(), before.len());
    page.close().await
}

#[tokio::test]
async fn a_question_of_an_earlier_run_is_asked_no_more() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::spoilt(1)));
    let page = ready(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["failed"], 60).await?;
    assert!(page.has("button", "Keep as failed").await?);
    page.press("button", "Run both course runs").await?;
    page.wait_for_step(3, 60).await?;
    assert!(!page.has("button", "Keep as failed").await?);
    assert!(!page.has("button", "Restart with 0.0001").await?);
    let running = "document.querySelector('.chip a').innerText";
    page.wait_for_value(running, &json!("course-run-1"), 10)
        .await?;
    page.close().await
}

/// **Restart with …** takes the failed run's settings, not those that were set since.
#[tokio::test]
async fn a_restart_has_the_settings_of_the_run_that_failed() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::spoilt(1)));
    let page = ready(&server).await?;
    page.type_number("Batch size", "96").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["failed"], 60).await?;
    page.type_number("Batch size", "200").await?;
    page.type_number("Epochs", "51").await?;
    page.press("button", "Restart with 0.0001").await?;
    page.wait_for_step(3, 60).await?;
    page.wait_for_text("562 × 5 = 2", 10).await?;
    page.close().await
}

#[tokio::test]
async fn a_double_click_is_one_press() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    // Where Start stood, Cancel and then Pause stand.
    page.press_twice("button", "Start").await?;
    page.wait_for_step(5, 60).await?;
    assert_eq!(page.state().await?, "running");
    page.press_twice("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let step = page.steps_done().await?;
    // Pause has become Resume, and a slow second click is still the second one.
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 30).await?;
    page.wait_for_step(step + 1, 30).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let step = page.steps_done().await?;
    page.press_again("button", "Resume").await?;
    page.press("button", "Step").await?;
    page.wait_for_step(step + 1, 30).await?;
    page.wait_for_state(&["paused"], 30).await?;
    assert_eq!(page.steps_done().await?, step + 1);
    // A button that stays where it was is pressed as often as it is clicked.
    page.open_advanced().await?;
    page.press_twice("button", "Next run").await?;
    page.press("button", "Resume").await?;
    page.wait_for_step(step + 5, 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_finished_run_comes_back_whole_where_continue_is_cancelled() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "if (self.name !== 'helper') addEventListener('message', event => {
           if (event.data.Resume) event.stopImmediatePropagation(); });"
            .into(),
    )));
    let page = ready(&server).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 120).await?;
    page.wait_for_text("Test accuracy", 10).await?;
    page.type_number("Epochs", "2").await?;
    page.press("button", "Continue").await?;
    page.wait_for_state(&["preparing"], 10).await?;
    page.press("button", "Cancel").await?;
    page.wait_for_state(&["finished"], 10).await?;
    assert!(page.text().await?.contains("Test accuracy"));
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("link", "Runs").await?;
    page.wait_for_text("Finished", 10).await?;
    page.close().await
}

#[tokio::test]
async fn a_setting_out_of_sight_never_keeps_a_run_from_starting() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.choose("Optimizer", "SGD").await?;
    page.type_number("Momentum", "7").await?;
    page.wait_for_text("Momentum must be", 10).await?;
    page.choose("Optimizer", "Adam").await?;
    page.open_advanced().await?;
    page.type_number("Dropout", "7").await?;
    page.wait_for_text("Dropout must be", 10).await?;
    page.open_advanced().await?;
    page.press("button", "Start").await?;
    page.wait_for_step(1, 60).await?;
    page.close().await
}

#[tokio::test]
async fn two_runs_never_have_one_name() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.keep_short_run().await?;
    page.keep_short_run().await?;
    page.press("link", "Runs").await?;
    let names = "[...document.querySelectorAll('tbody th')].map(cell => cell.innerText.trim())";
    let both = page.listed(2).await?;
    let name = |index: usize| both[index].clone();
    page.press("button", &name(0)).await?;
    page.type_into("textbox", "Name", &name(1)).await?;
    page.press("textbox", "Tags").await?;
    let renamed = format!("{}-2", name(1));
    page.wait_for_value(names, &json!([renamed, name(1)]), 10)
        .await?;
    page.wait_for_text(
        &format!("Another run is called {}; this one is {renamed}.", name(1)),
        10,
    )
    .await?;
    page.close().await
}

/// **Free space** forgets what has ended, and nothing that could go on.
#[tokio::test]
async fn what_could_be_resumed_is_not_cleared_away() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.keep_short_run().await?;
    let ended = page.show_files().await?;
    page.press("link", "Train").await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    let kept = with_database(None, "return (await of(store('runs').getAll())).length;");
    page.wait_for_value(&kept, &json!(2), 10).await?;
    page.reload().await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    page.press("link", "Runs").await?;
    page.press("button", &ended).await?;
    page.press("button", "Open").await?;
    page.wait_for_state(&["stopped"], 30).await?;
    page.limit_storage(&server, 1_000).await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Start").await?;
    page.wait_for_text("Storage is full", 60).await?;
    page.press("button", "Free space").await?;
    page.wait_for_text(&format!("Deleted {ended}."), 10).await?;
    // The interrupted one, and perhaps the open one.
    let interrupted = with_database(
        None,
        "return (await of(store('runs').getAll())).some(run => run.record.status.Session === 'Paused');",
    );
    assert_eq!(page.evaluate(&interrupted).await?, json!(true));
    page.close().await
}

/// Where the focus is: the name of what has it.
const FOCUSED: &str = "document.activeElement.innerText || document.activeElement.localName";

/// By the keyboard alone: what was pressed goes, and the next Tab goes on from there.
#[tokio::test]
async fn the_focus_stays_where_the_keyboard_was() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.press_by_keyboard("button", "Start").await?;
    page.wait_for_step(1, 60).await?;
    page.wait_for_value(FOCUSED, &json!("Pause"), 10).await?;
    page.key("Enter").await?;
    page.wait_for_state(&["paused"], 30).await?;
    page.wait_for_value(FOCUSED, &json!("Resume"), 10).await?;
    // A notice that goes leaves the focus with the next one, or with the view's heading.
    let notices = page
        .evaluate("document.querySelectorAll('.notice').length")
        .await?;
    for _ in 0..notices.as_u64().unwrap_or_default() {
        page.press_by_keyboard("button", "Dismiss").await?;
        let is_somewhere = "document.activeElement !== document.body";
        page.wait_for_value(is_somewhere, &json!(true), 10).await?;
    }
    // Renaming by F2 ends with the focus on the new name.
    page.press("button", "Stop").await?;
    page.wait_for_state(&["finishing"], 30).await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 30).await?;
    page.press("link", "Runs").await?;
    let name = page.listed(1).await?.remove(0);
    page.press("button", &name).await?;
    page.key("F2").await?;
    page.type_text("renamed").await?;
    page.key("Enter").await?;
    page.wait_for_value(FOCUSED, &json!("renamed"), 10).await?;
    page.close().await
}

/// Files shows a run under way as it was kept last.
#[tokio::test]
async fn a_run_under_way_leaves_its_files_too() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(2, 60).await?;
    let name = page.show_files().await?;
    page.wait_for_text("It is not over: a file has what there was at step", 30)
        .await?;
    let kept = rows(&page.download(&format!("{name}.csv")).await?)?;
    let steps: Vec<u32> = kept
        .iter()
        .filter(|row| row.series == "train/loss")
        .map(|row| row.step)
        .collect();
    assert_eq!(steps, Vec::from_iter(1..=steps.len() as u32));
    assert!(!steps.is_empty());
    assert_eq!(page.state().await?, "running");
    page.close().await
}

/// The arrow keys move a chart's crosshair, and what it reads is said.
#[tokio::test]
async fn a_chart_speaks_its_values() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.press("button", "Step").await?;
    page.wait_for_text("step 2/", 30).await?;
    let chart = "document.querySelector('.chart .canvas')";
    page.wait_for_value(
        &format!("{chart}.getAttribute('aria-label').startsWith('Loss over Step: ')"),
        &json!(true),
        10,
    )
    .await?;
    page.focus_on(".chart .canvas").await?;
    page.key("Home").await?;
    let spoken = "document.querySelector('.chart [role=status]').textContent";
    page.wait_for_value(
        &format!("{spoken}.startsWith('Step 1: ')"),
        &json!(true),
        10,
    )
    .await?;
    page.key("ArrowRight").await?;
    page.wait_for_value(
        &format!("/^Step 2: .+ Training \\d\\.\\d+/.test({spoken})"),
        &json!(true),
        10,
    )
    .await?;
    // It stands beside the picture, in which nothing is read out.
    let beside = "!document.querySelector('.chart [role=img] [role=status]')";
    assert_eq!(page.evaluate(beside).await?, json!(true));
    page.close().await
}

/// A person who has pressed beside everything reads on, whatever goes meanwhile.
#[tokio::test]
async fn the_focus_is_not_fetched_from_who_put_it_away() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(1, 60).await?;
    page.wait_for_value(FOCUSED, &json!("Pause"), 10).await?;
    page.press("heading", "Loss").await?;
    page.wait_for_value("document.activeElement.localName", &json!("body"), 10)
        .await?;
    // Stop takes Pause away.
    page.evaluate("document.querySelectorAll('.buttons button')[1].click()")
        .await?;
    page.wait_for_state(&["finishing"], 30).await?;
    let now = page.evaluate("document.activeElement.localName").await?;
    assert_eq!(now, json!("body"));
    page.close().await
}

/// Two fingers zoom a chart: what is under each stays under it.
#[tokio::test]
async fn two_fingers_zoom_a_chart() -> Outcome {
    let server = Server::start().await?;
    let page = ready(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(60, 60).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let name = page
        .evaluate("document.querySelector('.chart [role=img]').ariaLabel")
        .await?;
    let chart = name.as_str().unwrap();
    let ticks = "[...document.querySelectorAll('.chart')[0].querySelectorAll('.x-axis span')]
        .map(tick => Number(tick.innerText.replace(/\\s/g, '')))";
    let whole = page.evaluate(ticks).await?;
    assert_eq!(whole[0], json!(0));
    page.pinch("image", chart, &[[0.45, 0.55], [0.4, 0.6], [0.1, 0.9]])
        .await?;
    // An eighth of it is in sight, in the middle.
    let is_near = format!("({ticks})[0] > 10 && ({ticks}).at(-1) < 60");
    page.wait_for_value(&is_near, &json!(true), 10).await?;
    assert!(page.has("button", "Reset zoom").await?);
    // And together again, further than there is anything to see.
    page.pinch("image", chart, &[[0.05, 0.95], [0.3, 0.7], [0.48, 0.52]])
        .await?;
    page.wait_for_value(ticks, &whole, 10).await?;
    assert!(!page.has("button", "Reset zoom").await?);
    page.close().await
}
