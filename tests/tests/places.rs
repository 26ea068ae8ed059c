//! Where the page is put and what its browser keeps: any address, blocked storage, a store that the
//! browser closes.

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::page::{Page, STORES, denies, with_database};
use kiln_tests::server::{Pace, Server};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// Wherever the page is, its modules are found, and going about in it never loads it again.
#[tokio::test]
async fn the_page_works_at_any_address() -> Outcome {
    for (folder, rest) in [
        ("/", "index.html"),
        ("/", "?x=y"),
        ("/some/folder/", ""),
        ("/some/folder/", "index.html?x=y"),
    ] {
        let server = Server::start_in(folder, Pace::Full).await?;
        let page = Page::open_at(&server, rest).await?;
        page.wait_for_state(&["ready"], 60).await?;
        page.evaluate("window.isTheSame = true").await?;
        for view in [
            "Runs", "Compare", "Evaluate", "Data", "Draw", "Files", "Train",
        ] {
            page.press("link", view).await?;
            let heading = format!("document.querySelector('h1')?.innerText === {view:?}");
            page.wait_for_value(&heading, &json!(true), 10).await?;
            assert_eq!(
                page.evaluate("window.isTheSame").await?,
                json!(true),
                "{view}"
            );
        }
        page.press("button", "Step").await?;
        page.wait_for_state(&["paused"], 60).await?;
        let path = page.evaluate("location.pathname + location.search").await?;
        assert_eq!(path, json!(format!("{folder}{rest}")));
        page.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_browser_that_keeps_nothing_trains_and_says_that_it_forgets() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open_after(&server, WebGpu::AsIs, &denies(STORES)).await?;
    page.wait_for_text("This window forgets data when closed.", 60)
        .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 120).await?;
    page.wait_for_text("Test accuracy", 10).await?;
    page.show_files().await?;
    page.close().await
}

#[tokio::test]
async fn a_store_that_the_browser_closes_is_opened_again() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open_after(
        &server,
        WebGpu::AsIs,
        "const open = IDBFactory.prototype.open;
         IDBFactory.prototype.open = function (...asked) {
           const request = open.apply(this, asked);
           request.addEventListener('success', () => { window.opened = request.result; });
           return request;
         };",
    )
    .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.keep_short_run().await?;
    page.evaluate("opened.close(); opened.dispatchEvent(new Event('close'))")
        .await?;
    page.keep_short_run().await?;
    let kept = with_database(None, "return (await of(store('runs').getAll())).length;");
    page.wait_for_value(&kept, &json!(2), 20).await?;
    assert!(!page.text().await?.contains("were deleted"));
    page.close().await
}

/// Settings have an address: whoever opens it has them, and starts by hand; it follows what is set
/// and adds nothing to go back through.
#[tokio::test]
async fn settings_have_an_address() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let query = "v=1&epochs=500&batch_size=64&optimizer=sgd&momentum=0.5&colour=red&axis=epoch";
    let page = Page::open_at(&server, &format!("#/train?{query}")).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.wait_for_text("Epochs is 50 instead of 500: it can be from 1 to 50.", 10)
        .await?;
    page.wait_for_text("The link names “colour”, which is no setting", 10)
        .await?;
    let hash = "location.hash";
    let taken = "#/train?v=1&optimizer=sgd&epochs=50&batch_size=64&momentum=0.5&axis=epoch";
    page.wait_for_value(hash, &json!(taken), 10).await?;
    let before = page.evaluate("history.length").await?;
    page.type_number("Epochs", "7").await?;
    page.wait_for_value(hash, &json!(taken.replace("=50&", "=7&")), 10)
        .await?;
    page.press("button", "Course run 1").await?;
    let course = "#/train?v=1&validate_on=test_set&epochs=1&batch_size=1000&axis=epoch";
    page.wait_for_value(hash, &json!(course), 10).await?;
    assert_eq!(page.evaluate("history.length").await?, before);
    // Gone and back, what is set stays; so it does after a reload.
    page.press("link", "Data").await?;
    page.evaluate("history.back()").await?;
    page.wait_for_value(hash, &json!(course), 10).await?;
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.wait_for_value(hash, &json!(course), 10).await?;
    let pressed = "[...document.querySelectorAll('.preset')].find(preset =>
        preset.ariaPressed === 'true')?.ariaLabel";
    page.wait_for_value(pressed, &json!("Course run 1"), 10)
        .await?;
    // A run that is open keeps its own settings.
    page.press("button", "Quick taste").await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.evaluate("location.hash = '#/train?v=1&epochs=9'")
        .await?;
    page.press("button", "Next run").await?;
    page.wait_for_value(hash, &json!("#/train?v=1&epochs=9"), 10)
        .await?;
    page.press("button", "This run").await?;
    page.wait_for_text("step 1/168", 10).await?;
    page.close().await
}

/// A person goes on while the address is about to be written, and the page is too busy to have heard of it.
#[tokio::test]
async fn an_address_that_is_written_late_brings_nobody_back() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open_at(&server, "").await?;
    page.wait_for_state(&["ready"], 60).await?;
    for epochs in ["7", "8", "9"] {
        page.press("link", "Train").await?;
        page.type_number("Epochs", epochs).await?;
        page.evaluate(
            "location.hash = '#/data';
             for (const start = performance.now(); performance.now() < start + 1500;);",
        )
        .await?;
        page.wait_for_value("document.querySelector('h1').innerText", &json!("Data"), 20)
            .await?;
        assert_eq!(page.evaluate("location.hash").await?, json!("#/data"));
    }
    page.close().await
}

/// Driver and browser may disagree for ever about a GPU.
#[tokio::test]
async fn a_gpu_that_never_answers_leaves_the_cpu() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open_after(
        &server,
        WebGpu::AsIs,
        "const gpu = { requestAdapter: () => gpu.answer ?? new Promise(() => {}) };
         Object.defineProperty(navigator, 'gpu', { value: gpu });",
    )
    .await?;
    page.wait_for_text("CPU · GPU does not answer", 30).await?;
    page.wait_for_state(&["ready"], 30).await?;
    // Chosen by hand it is asked for again; this one says nothing of itself, and it is no fault.
    page.evaluate(
        "navigator.gpu.answer = Promise.resolve({ features: new Set(['timestamp-query']) }), 0",
    )
    .await?;
    page.open_advanced().await?;
    page.choose("Backend", "WebGPU").await?;
    page.wait_for_text("GPU", 30).await?;
    let workers =
        "performance.getEntriesByType('resource').some(entry => entry.name.includes('gpu_worker'))";
    page.wait_for_value(workers, &json!(true), 30).await?;
    page.close().await
}
