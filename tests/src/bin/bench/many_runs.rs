//! Long lists: how fast many kept runs are listed, scrolled, filtered and drawn.

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::page::Page;
use kiln_tests::server::Server;

use crate::{WINDOW, long_tasks};

/// Runs in the store, and the steps of each.
const MANY_RUNS: usize = 300;
const MANY_STEPS: u32 = 2_000;
/// Runs laid over one another in one chart.
const OVERLAID: usize = 20;

/// How fast many kept runs are listed, scrolled, filtered and drawn over one another.
///
/// # Errors
/// A page that does not come so far.
pub async fn print_speed(server: &Server) -> Result<(), HarnessError> {
    let page = Page::open(server, WebGpu::AsIs).await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "1000").await?;
    page.type_number("Epochs", "50").await?;
    page.type_number("Batch size", "1").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(MANY_STEPS, 300).await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["finishing"], 60).await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 60).await?;
    // One real run, kept once more under other names.
    let kept = page
        .evaluate(&format!(
            "(async () => {{
               const of = request => new Promise((done, failed) => {{
                 request.onsuccess = () => done(request.result); request.onerror = failed; }});
               const database = await of(indexedDB.open('kiln'));
               const read = name => of(database.transaction(name).objectStore(name).getAll());
               const [run] = await read('runs'), [file] = await read('checkpoints');
               const log = await read('segments');
               const change = database.transaction(['runs', 'checkpoints', 'segments'], 'readwrite');
               for (let index = 1; index < {MANY_RUNS}; index++) {{
                 const id = run.id + index;
                 const identity = {{ ...run.record.identity, id, name: `copy-${{index}}`, colour: index % 10 }};
                 change.objectStore('runs').put({{ ...run, id, record: {{ ...run.record, identity }} }});
                 change.objectStore('checkpoints').put({{ ...file, id }});
                 for (const stretch of log) change.objectStore('segments').put({{ ...stretch, run: id }});
               }}
               await new Promise(done => change.oncomplete = done);
               localStorage.setItem('kiln.shown', JSON.stringify(
                 Array.from({{ length: {OVERLAID} }}, (_, index) => run.id + index)));
               const count = await of(database.transaction('runs').objectStore('runs').count());
               database.close();
               return count; }})()"
        ))
        .await?;
    println!("Runs in the store: {kept}, of {MANY_STEPS} steps or more each");

    page.before_loading(
        "new MutationObserver((_, observer) => {
           if (document.querySelector('.table-scroll tbody th')) {
             window.listedMs = performance.now(); observer.disconnect(); }
         }).observe(document, { childList: true, subtree: true });",
    )
    .await?;
    page.press("link", "Runs").await?;
    page.reload().await?;
    page.wait_for_value("listedMs > 0", &true.into(), 60)
        .await?;
    let listed = page.evaluate("Math.round(listedMs)").await?;
    println!("List of {kept} runs after a cold load: {listed} ms");

    // The worker loads the data and warms up: a core less for the page.
    page.wait_for_state(&["ready", "stopped"], 60).await?;
    long_tasks::watch(&page).await?;
    page.press("link", "Train").await?;
    page.wait_for_value(
        "new Set(document.querySelector('.chart [role=img]').ariaLabel.match(/copy-\\d+/g)).size + 1",
        &OVERLAID.into(),
        60,
    )
    .await?;
    long_tasks::report(&page, "Reading the runs that charts show").await?;
    page.press("link", "Runs").await?;
    let has_rows = "document.querySelectorAll('.table-scroll tbody th').length > 10";
    page.wait_for_value(has_rows, &true.into(), 10).await?;
    long_tasks::report(&page, "Opening Runs").await?;
    page.evaluate(
        "(async () => { const list = document.querySelector('.table-scroll');
           const frame = () => new Promise(requestAnimationFrame);
           for (let top = 0; top < list.scrollHeight; top += 400) { list.scrollTop = top; await frame(); }
           list.scrollTop = 0; await frame(); })()",
    )
    .await?;
    long_tasks::report(&page, "Scrolling through all of them").await?;
    for text in [
        "c",
        "co",
        "copy",
        "copy-2",
        "copy-29",
        "",
        "batch_size=1",
        "",
    ] {
        page.type_into("searchbox", "Filter", text).await?;
    }
    long_tasks::report(&page, "Typing in the filter").await?;

    page.press("link", "Train").await?;
    page.wait_for_value("document.querySelectorAll('.chart').length", &5.into(), 10)
        .await?;
    long_tasks::report(&page, "Opening Train with them").await?;
    let redrawn = page
        .evaluate(
            "(async () => { const box = document.querySelector('[aria-label=\"Log scale\"]'), times = [];
               for (let time = 0; time < 9; time++) {
                 const start = performance.now(); box.click();
                 await new Promise(done => requestAnimationFrame(() => setTimeout(done)));
                 times.push(performance.now() - start); }
               return Math.round(times.sort((a, b) => a - b)[4]); })()",
        )
        .await?;
    println!(
        "Charts of {OVERLAID} runs drawn again, those in sight: {redrawn} ms to the next frame"
    );
    long_tasks::report(&page, "Drawing them").await?;
    page.close().await
}
