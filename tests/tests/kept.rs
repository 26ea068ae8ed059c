//! What is kept of runs: by earlier Kilns, damaged, and by several tabs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::measurements::rows;
use kiln_tests::old_stores;
use kiln_tests::page::{Page, with_database};
use kiln_tests::server::Server;
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// The names of the runs in the table, from the top.
const NAMES: &str =
    "[...document.querySelectorAll('.table-scroll tbody th')].map(cell => cell.innerText.trim())";

#[tokio::test]
async fn runs_of_the_first_schema_are_brought_over() -> Outcome {
    let server = Server::start().await?;
    let stores = old_stores::of_version_1()?;
    let name = stores["runs"][0]["identity"]["name"].as_str().unwrap();
    let page = Page::open_with_stores(&server, 1, &stores).await?;
    page.press("link", "Runs").await?;
    page.wait_for_value(NAMES, &json!([name]), 20).await?;
    // It is now kept as all others are: a record, a log and a checkpoint.
    let kept = with_database(
        None,
        "const [run] = await of(store('runs').getAll());
         const [file] = await of(store('checkpoints').getAll());
         const [stretch] = await of(store('segments').getAll());
         return [database.version, run.checkpoint === undefined, file.checkpoint.length > 100000,
                 stretch.first];",
    );
    page.wait_for_value(&kept, &json!([3, true, true, 0]), 10)
        .await?;
    // It goes on, and is not said to be what it would have been.
    page.press("button", name).await?;
    page.press("button", "Open").await?;
    page.press("link", "Train").await?;
    page.press("button", "Continue").await?;
    let notice = format!("{name} was begun by an older Kiln. From step 1 on its losses differ");
    page.wait_for_text(&notice, 60).await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}

/// What was kept before runs had logs: every run is there, with every figure.
#[tokio::test]
async fn runs_without_logs_are_found_whole() -> Outcome {
    let server = Server::start().await?;
    let stores = old_stores::of_version_2()?;
    let page = Page::open_with_stores(&server, 2, &stores).await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    let records = stores["runs"].as_array().unwrap();
    let paused = records.last().unwrap()["record"].clone();
    for kept in records {
        let record = &kept["record"];
        let name = record["identity"]["name"].as_str().unwrap();
        page.press("link", "Runs").await?;
        page.press("button", name).await?;
        page.press("button", "Open").await?;
        page.press("link", "Files").await?;
        page.wait_for_text(&format!("{name}.csv"), 20).await?;
        let rows = rows(&page.download(&format!("{name}.csv")).await?)?;
        let losses = rows.iter().filter(|row| row.series == "train/loss");
        let steps: Vec<u32> = losses.map(|row| row.step).collect();
        let summary = &record["summary"];
        let done = summary["steps"].as_u64().unwrap() as u32;
        // The step with which a run failed is a row too.
        let failed = u32::from(record["status"]["Session"] == "Failed");
        assert_eq!(steps, Vec::from_iter(1..=done + failed), "{name}");
        let accuracy = rows.iter().find(|row| row.series == "test/accuracy");
        assert_eq!(
            accuracy.map(|row| row.value),
            summary["test"]["quality"]["accuracy"].as_f64(),
            "{name}"
        );
        let config = page.download(&format!("{name}.config.json")).await?;
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        if record != &paused {
            assert_eq!(config["fingerprint"], summary["fingerprint"], "{name}");
        }
        assert_eq!(config["settings"]["epochs"], record["config"]["epochs"]);
    }
    // The one that was under way goes on, and is kept as a log.
    page.press("link", "Runs").await?;
    let name = paused["identity"]["name"].as_str().unwrap();
    page.press("button", name).await?;
    page.press("button", "Open").await?;
    page.press("link", "Train").await?;
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_step(5, 60).await?;
    let rows = page.stop_and_read().await?;
    let losses = rows.iter().filter(|row| row.series == "train/loss");
    let steps: Vec<u32> = losses.map(|row| row.step).collect();
    assert_eq!(steps, Vec::from_iter(1..=steps.len() as u32));
    let logs = with_database(
        None,
        "return (await of(store('segments').getAll())).map(stretch => stretch.run);",
    );
    let logs = page.evaluate(&logs).await?;
    assert!(
        logs.as_array().unwrap().contains(&paused["identity"]["id"]),
        "{logs}"
    );
    page.close().await
}

#[tokio::test]
async fn a_damaged_log_is_shown_as_far_as_it_is_whole() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.press("button", "Step").await?;
    page.wait_for_step(2, 60).await?;
    // As many as there were pauses.
    let stretches = with_database(
        None,
        "const all = await of(store('segments').getAll());
         return all.filter(stretch => stretch.run === all.at(-1).run).length;",
    );
    page.wait_for_value(&stretches, &json!(2), 20).await?;
    // The newest stretch of the newest run loses its last byte.
    let cut = with_database(
        None,
        "const all = await of(store('segments').getAll());
         const last = all.at(-1);
         last.bytes = last.bytes.slice(0, -1);
         await of(store('segments').put(last)); return true;",
    );
    page.evaluate(&cut).await?;
    page.reload().await?;
    page.wait_for_text("is shown up to step 1 only: a part of its log was cut", 60)
        .await?;
    page.wait_for_state(&["interrupted"], 10).await?;
    page.press("button", "Resume").await?;
    page.wait_for_text("cannot go on: a part of what happened in it", 10)
        .await?;
    // Another run is as it was, and so is what the damaged one has in the store.
    page.press("link", "Runs").await?;
    page.wait_for_value(&format!("{NAMES}.length"), &json!(2), 20)
        .await?;
    assert_eq!(page.evaluate(&stretches).await?, json!(2));
    page.press("link", "Train").await?;
    page.press("button", "Keep").await?;
    page.wait_for_state(&["stopped"], 10).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(1, 60).await?;
    page.close().await
}

/// In both tabs at once: one gets it, the other is told.
async fn both_resume(server: &Server, script: &str) -> Outcome {
    let page = Page::open_after(server, WebGpu::AsIs, script).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    let stretches = with_database(
        None,
        "return (await of(store('segments').getAll())).length;",
    );
    page.wait_for_value(&stretches, &json!(1), 20).await?;
    page.reload().await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    let first = page.open_tab_after(&server.url(), script).await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    let resume = "[...document.querySelectorAll('.buttons button')].find(button => button.innerText === 'Resume').click()";
    let second = page.tab().await?;
    page.go_to_tab(first.clone()).await?;
    page.evaluate(&format!(
        "window.go = new BroadcastChannel('go'); go.onmessage = () => {resume}; true"
    ))
    .await?;
    page.go_to_tab(second.clone()).await?;
    page.evaluate(&format!(
        "new BroadcastChannel('go').postMessage('go'); {resume}; true"
    ))
    .await?;
    let mut trained = 0;
    for tab in [second, first] {
        page.go_to_tab(tab).await?;
        page.wait_for_value(
            "document.documentElement.dataset.state === 'running'
             || document.body.innerText.includes('Another tab is training.')",
            &json!(true),
            30,
        )
        .await?;
        trained += u32::from(page.state().await? == "running");
    }
    assert_eq!(trained, 1);
    page.close().await
}

#[tokio::test]
async fn two_tabs_never_train_one_run() -> Outcome {
    both_resume(&Server::start().await?, "").await
}

#[tokio::test]
async fn two_tabs_never_train_one_run_where_there_are_no_locks() -> Outcome {
    let without = "Object.defineProperty(navigator, 'locks', { value: undefined });";
    both_resume(&Server::start().await?, without).await
}
