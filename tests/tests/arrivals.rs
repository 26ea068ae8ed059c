//! What of the page arrives when, and what a person meets where it does not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::page::Page;
use kiln_tests::server::{Fault, Server, dist};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// The parts of the page's module that were fetched.
const FETCHED: &str = "performance.getEntriesByType('resource')
    .map(entry => entry.name.split('/').pop()).filter(name => name.startsWith('split_')).sort()";

#[tokio::test]
async fn a_screen_arrives_when_it_is_wanted() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    assert_eq!(page.evaluate(FETCHED).await?, json!(["split_work.wasm"]));
    page.press("link", "Evaluate").await?;
    page.wait_for_text("Train a run first", 20).await?;
    page.wait_for_value("document.activeElement.textContent", &json!("Evaluate"), 10)
        .await?;
    let fetched = json!(["split_study.wasm", "split_work.wasm"]);
    assert_eq!(page.evaluate(FETCHED).await?, fetched);
    page.press("link", "Runs").await?;
    page.wait_for_value(
        "document.querySelector('h1').textContent",
        &json!("Runs"),
        20,
    )
    .await?;
    let fetched = json!(["split_runs.wasm", "split_study.wasm", "split_work.wasm"]);
    assert_eq!(page.evaluate(FETCHED).await?, fetched);
    page.close().await
}

#[tokio::test]
async fn a_screen_that_did_not_arrive_is_asked_for_again() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    server.set_fault(Some(Fault::Missing("split_study.wasm".into())));
    page.press("link", "Draw").await?;
    let told = "This screen could not be loaded. Check the connection, then try again.";
    page.wait_for_text(told, 20).await?;
    // All else goes on.
    page.press("link", "Train").await?;
    page.keep_short_run().await?;
    page.press("link", "Draw").await?;
    page.wait_for_text(told, 20).await?;
    server.set_fault(None);
    page.press("button", "Try again").await?;
    page.wait_for_value(
        "Boolean(document.querySelector('.draw canvas'))",
        &json!(true),
        20,
    )
    .await?;
    page.wait_for_value("document.activeElement.textContent", &json!("Draw"), 10)
        .await?;
    page.close().await
}

/// Some servers call a module nothing, or something else.
#[tokio::test]
async fn a_part_arrives_whatever_the_server_calls_it() -> Outcome {
    let server = Server::start().await?;
    let is_page = |path: &PathBuf| path.join("split_study.wasm").is_file();
    let folders = std::fs::read_dir(dist())?.filter_map(|entry| Some(entry.ok()?.path()));
    let page = folders.into_iter().find(is_page).unwrap();
    let bytes = std::fs::read(page.join("split_study.wasm"))?;
    server.set_fault(Some(Fault::Bytes("split_study.wasm", bytes)));
    let page = Page::open_ready(&server).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("Train a run first", 20).await?;
    page.close().await
}

#[tokio::test]
async fn where_what_trains_did_not_arrive_it_is_said_and_nothing_waits() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Missing("split_work.wasm".into())));
    let page = Page::open(&server, WebGpu::AsIs).await?;
    let told = "A part of Kiln could not be loaded. Check the connection, then reload the page.";
    page.wait_for_text(told, 20).await?;
    page.press("button", "Dismiss").await?;
    page.press("button", "Start").await?;
    page.wait_for_text(told, 20).await?;
    assert_eq!(page.state().await?, "loading");
    server.set_fault(None);
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn files_travel_compressed() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    let encoding = "fetch(document.querySelector('meta[name=kiln-cpu_worker]').content.replace('loader.js', 'bg.wasm')).then(answer =>
        [answer.headers.get('content-encoding'), answer.headers.get('content-type')])";
    let sent = page.evaluate(encoding).await?;
    assert!(
        ["br", "gzip"]
            .map(|name| json!([name, "application/wasm"]))
            .contains(&sent),
        "{sent}"
    );
    page.close().await
}

/// The first start: what cargo has compiled is put together without trunk and the GPU worker, and the page
/// that trunk builds takes its place while a tab is open.
#[tokio::test]
async fn the_first_page_trains_before_its_gpu_worker_is_there() -> Outcome {
    let first = tempfile::tempdir()?;
    let (modules, before) = (first.path().join("modules"), first.path().join("before"));
    std::fs::create_dir(&modules)?;
    let program = std::env::current_exe()?;
    let compiled = program.ancestors().nth(3).unwrap();
    for module in ["page/page", "gpu-worker/file_worker", "release/cpu_worker"] {
        let from = compiled.join(format!("wasm32-unknown-unknown/{module}.wasm"));
        std::fs::copy(&from, modules.join(from.file_name().unwrap()))?;
    }
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    kiln_bundle::first::put_together(&root, &modules, &before)
        .map_err(|error| HarnessError::Usage(error.to_string()))?;

    let after = first.path().join("after");
    let server = Server::start_before(&after, &before).await?;
    server.let_keep();
    let page = Page::open_ready(&server).await?;
    page.wait_for_text("The part that trains on the GPU is still being built", 20)
        .await?;
    page.keep_short_run().await?;
    // Nothing of it is kept by the browser.
    assert!(!page.text().await?.contains("Works offline now"));

    // As trunk would put it there: the page itself is newer than the first.
    std::fs::create_dir(&after)?;
    for entry in std::fs::read_dir(dist())? {
        let entry = entry?;
        std::os::unix::fs::symlink(entry.path(), after.join(entry.file_name()))?;
    }
    let newer = std::fs::read(after.join("index.html"))?;
    for name in ["index.html", "index.html.br", "index.html.gz"] {
        std::fs::remove_file(after.join(name))?;
    }
    std::fs::write(after.join("index.html"), newer)?;
    // What was not loaded yet is there as before.
    page.press("link", "Evaluate").await?;
    let fetched = json!(["split_study.wasm", "split_work.wasm"]);
    page.wait_for_value(FETCHED, &fetched, 60).await?;
    page.hide().await?;
    page.show().await?;
    page.wait_for_text("A new version is there.", 30).await?;
    page.press("button", "Reload").await?;
    page.wait_for_value(
        "Boolean(document.querySelector('meta[name=kiln-gpu_worker]'))",
        &json!(true),
        30,
    )
    .await?;
    page.wait_for_state(&["ready", "finished", "stopped"], 60)
        .await?;
    page.press("link", "Runs").await?;
    page.listed(1).await?;
    page.close().await
}
