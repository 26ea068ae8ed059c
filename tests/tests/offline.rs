//! The page without a network, and a newer version of it.

use kiln_tests::HarnessError;
use kiln_tests::page::Page;
use kiln_tests::server::{Fault, Pace, Server, dist};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// Comes to true once this version answers for the server.
const IS_KEPT: &str = "navigator.serviceWorker.controller !== null";

#[tokio::test]
async fn after_one_visit_all_of_it_works_without_a_server() -> Outcome {
    let server = Server::start_in("/some/folder/", Pace::Full).await?;
    server.let_keep();
    let page = Page::open_ready(&server).await?;
    page.wait_for_text("Works offline now.", 60).await?;
    // It can be put on a home screen.
    assert_eq!(page.why_not_installable().await?, json!([[], []]));
    page.wait_for_value(IS_KEPT, &json!(true), 30).await?;
    server.fall_silent();
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 300).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("wrong of 10 000", 60).await?;
    page.press("link", "Draw").await?;
    page.press("button", "Use a test image").await?;
    page.wait_for_text(" sure", 60).await?;
    let name = page.show_files().await?;
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("run.kiln.zip");
    std::fs::write(&path, archive)?;
    page.drop_files(&[path]).await?;
    page.wait_for_text("here already, just as in run.kiln.zip", 60)
        .await?;
    page.evaluate("location.hash = '#/help?about=offline'")
        .await?;
    page.wait_for_text("This browser keeps the program", 30)
        .await?;
    page.close().await
}

/// One file that does not arrive, and nothing is kept: never half of a version.
#[tokio::test]
async fn what_arrives_in_part_is_not_kept() -> Outcome {
    let server = Server::start().await?;
    server.let_keep();
    server.set_fault(Some(Fault::Missing("gpu_worker_bg.wasm".into())));
    let page = Page::open_ready(&server).await?;
    let what_is_kept = "navigator.serviceWorker.register('service_worker.js').then(registration =>
        new Promise(done => {
          const worker = registration.installing;
          worker.onstatechange = async () => {
            if (worker.state === 'redundant') done(await caches.keys());
            if (worker.state === 'installed') done('all of it');
          };
        }))";
    assert_eq!(page.evaluate(what_is_kept).await?, json!([]));
    // The next visit tries again.
    server.set_fault(None);
    page.reload().await?;
    page.wait_for_text("Works offline now.", 60).await?;
    page.close().await
}

/// A newer version waits for the run, then for the press.
#[tokio::test]
async fn a_newer_version_waits_until_no_run_is_open() -> Outcome {
    let server = Server::start().await?;
    server.let_keep();
    let page = Page::open_ready(&server).await?;
    page.wait_for_value(IS_KEPT, &json!(true), 60).await?;
    let program = std::fs::read_to_string(dist().join("service_worker.js"))?;
    let (before, rest) = program.split_once("VERSION = \"").unwrap_or_default();
    let (_, after) = rest.split_once('"').unwrap_or_default();
    let newer = format!("{before}VERSION = \"newer\"{after}");
    server.set_fault(Some(Fault::Bytes("service_worker.js", newer.into())));
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.evaluate("window.isTheSame = true").await?;
    page.evaluate("navigator.serviceWorker.getRegistration().then(found => found.update())")
        .await?;
    page.wait_for_text("A new version is there. Reload when your run is done.", 60)
        .await?;
    let is_held = "function() { return this.disabled; }";
    assert_eq!(page.call("button", "Reload", is_held).await?, json!(true));
    page.press("button", "Stop").await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 60).await?;
    page.press("button", "Reload").await?;
    page.wait_for_value("window.isTheSame", &json!(null), 60)
        .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.wait_for_value(
        "caches.keys().then(names => names.includes('kiln-newer'))",
        &json!(true),
        30,
    )
    .await?;
    page.close().await
}

/// Over plain http, or where the browser keeps nothing, an open page is still told that it is old.
#[tokio::test]
async fn where_nothing_is_kept_a_newer_version_is_seen_once_the_tab_is_looked_at() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.evaluate("window.isTheSame = true; location.hash = '#/help?about=offline'")
        .await?;
    page.wait_for_text("This browser does not keep the program", 30)
        .await?;

    let html = std::fs::read_to_string(dist().join("index.html"))?;
    let newer = html.replace("cpu_worker-", "cpu_worker-0");
    assert_ne!(html, newer);
    server.set_fault(Some(Fault::Bytes("index.html", newer.into())));
    page.hide().await?;
    page.show().await?;
    page.wait_for_text("A new version is there. Reload when your run is done.", 30)
        .await?;
    page.press("button", "Reload").await?;
    page.wait_for_value("window.isTheSame", &json!(null), 60)
        .await?;
    page.close().await
}

/// What keeps the program from starting is said in plain words at once.
#[tokio::test]
async fn a_page_that_cannot_start_says_what_is_missing() -> Outcome {
    let server = Server::start().await?;
    for (script, told) in [
        ("delete window.WebAssembly;", "runs no WebAssembly"),
        (
            "WebAssembly.validate = () => false;
             WebAssembly.instantiate = WebAssembly.instantiateStreaming = async () => {
               throw new WebAssembly.CompileError('invalid opcode'); };",
            "WebAssembly is too old",
        ),
    ] {
        let page = Page::open_after(&server, kiln_tests::browser::WebGpu::AsIs, script).await?;
        page.wait_for_text(told, 5).await?;
        page.close().await?;
    }
    server.set_fault(Some(Fault::Missing("page_bg.wasm".into())));
    let page = Page::open(&server, kiln_tests::browser::WebGpu::AsIs).await?;
    page.wait_for_text("The program could not be loaded.", 5)
        .await?;
    server.set_fault(Some(Fault::Missing("page.js".into())));
    page.reload().await?;
    page.wait_for_text("Check the connection, then reload the page.", 5)
        .await?;
    page.close().await
}
