//! How fast the built page trains in Chromium, how large it is, and whether it stays responsive.
#![allow(clippy::print_stdout, reason = "a program whose result is printed")]

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::measurements::rows;
use kiln_tests::page::Page;
use kiln_tests::server::{Pace, Server, dist};

/// Throughput is told at most twice a second; figures are medians of so many.
const SAMPLES: usize = 5;
/// The beginning of a wasm module's file name, and the most it may weigh, in gzip kilobytes.
const MODULES: [(&str, u64); 3] = [("page", 750), ("cpu_worker", 900), ("gpu_worker", 6_000)];

/// The time over which a run is measured: enough for the samples, on a software GPU at three
/// seconds a step.
const MEASURED_CPU: Duration = Duration::from_secs(5);
const MEASURED_GPU: Duration = Duration::from_secs(15);

/// Runs in the store, and the steps of each, for the figures of long lists.
const MANY_RUNS: usize = 300;
const MANY_STEPS: u32 = 2_000;
/// Runs laid over one another in one chart.
const OVERLAID: usize = 20;
/// Strokes on the pad.
const STROKES: usize = 5;
/// The window in which the page is measured.
const WINDOW: (u32, u32) = (1_440, 1_000);
/// Notes the length of every task of the main thread above 50 ms from now on.
const WATCH_TASKS: &str =
    "window.longTasks = []; window.taskWatch ??= new PerformanceObserver(list =>
    longTasks.push(...list.getEntries().map(entry => entry.duration)));
    taskWatch.observe({ type: 'longtask' })";

#[tokio::main]
async fn main() -> Result<ExitCode, HarnessError> {
    let is_small = print_sizes()?;
    let server = Server::start_at(Pace::Full).await?;

    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.open_advanced().await?;
    for workers in ["1", "2", "Auto"] {
        page.choose("CPU workers", workers).await?;
        for batch_size in [32, 64, 128, 512] {
            let rate = images_per_sec(&page, batch_size, MEASURED_CPU).await?;
            println!("CPU, workers: {workers}, batch {batch_size}: {rate:.0} images/s");
        }
    }
    time_to_accuracy(&page).await?;
    page.close().await?;

    many_runs(&server).await?;
    understanding(&server).await?;

    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.choose_web_gpu().await?;
    let rate = images_per_sec(&page, 32, MEASURED_GPU).await?;
    println!("GPU worker (software adapter), batch 32: {rate:.0} images/s");
    page.close().await?;
    Ok(if is_small {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Prints the gzip size of each wasm module and says whether all are within their limits.
fn print_sizes() -> Result<bool, HarnessError> {
    let mut all_within = true;
    for entry in std::fs::read_dir(dist())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let module = MODULES.iter().find(|(start, _)| name.starts_with(start));
        let Some((start, limit)) = module.filter(|_| name.ends_with(".wasm")) else {
            continue;
        };
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&std::fs::read(entry.path())?)?;
        let kilobytes = gzip.finish()?.len() as u64 / 1_000;
        println!("{start}: {kilobytes} kB gzip of at most {limit} kB");
        all_within &= kilobytes <= *limit;
    }
    Ok(all_within)
}

/// Prints how long the course's second run takes until it answers so many test images rightly.
async fn time_to_accuracy(page: &Page) -> Result<(), HarnessError> {
    page.press("button", "Course run 2").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 900).await?;
    let name = page.show_files().await?;
    let rows = rows(&page.download(&format!("{name}.csv")).await?)?;
    page.press("link", "Train").await?;
    for wanted in [0.97, 0.98] {
        let reached = rows
            .iter()
            .find(|row| row.series == "validation/accuracy" && row.value >= wanted);
        match reached {
            Some(row) => println!(
                "CPU, course run 2, {wanted} of the test images right: after {:.1} s, at step {}",
                row.elapsed_secs, row.step
            ),
            None => println!("CPU, course run 2: never {wanted} of the test images right"),
        }
    }
    Ok(())
}

/// The median of a run's first throughput figures, warm-up left out.
async fn images_per_sec(
    page: &Page,
    batch_size: u32,
    measured: Duration,
) -> Result<f64, HarnessError> {
    // Longer than it is measured, on any machine.
    page.type_number("Epochs", "50").await?;
    page.type_number("Batch size", &batch_size.to_string())
        .await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 120).await?;
    page.evaluate(WATCH_TASKS).await?;
    tokio::time::sleep(measured).await;
    report_tasks(page, "The page meanwhile").await?;
    let rows = page.stop_and_read().await?;
    page.press("link", "Train").await?;
    let mut rates: Vec<f64> = rows
        .into_iter()
        .filter(|row| row.series == "images_per_s")
        .map(|row| row.value)
        .take(SAMPLES)
        .collect();
    rates.sort_by(f64::total_cmp);
    rates
        .get(rates.len() / 2)
        .copied()
        .ok_or_else(|| HarnessError::Unreadable {
            what: "the throughput".to_owned(),
            answer: "the run has none".to_owned(),
        })
}

/// How fast many kept runs are listed, scrolled, filtered and drawn over one another.
async fn many_runs(server: &Server) -> Result<(), HarnessError> {
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
               const change = database.transaction(['runs', 'checkpoints'], 'readwrite');
               for (let index = 1; index < {MANY_RUNS}; index++) {{
                 const id = run.id + index;
                 const identity = {{ ...run.record.identity, id, name: `copy-${{index}}`, colour: index % 10 }};
                 change.objectStore('runs').put({{ ...run, id, record: {{ ...run.record, identity }} }});
                 change.objectStore('checkpoints').put({{ ...file, id }});
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
    page.evaluate(WATCH_TASKS).await?;
    page.press("link", "Train").await?;
    page.wait_for_value(
        "new Set(document.querySelector('.chart [role=img]').ariaLabel.match(/copy-\\d+/g)).size + 1",
        &OVERLAID.into(),
        60,
    )
    .await?;
    report_tasks(&page, "Reading the runs that charts show").await?;
    page.press("link", "Runs").await?;
    let has_rows = "document.querySelectorAll('.table-scroll tbody th').length > 10";
    page.wait_for_value(has_rows, &true.into(), 10).await?;
    report_tasks(&page, "Opening Runs").await?;
    page.evaluate(
        "(async () => { const list = document.querySelector('.table-scroll');
           const frame = () => new Promise(requestAnimationFrame);
           for (let top = 0; top < list.scrollHeight; top += 400) { list.scrollTop = top; await frame(); }
           list.scrollTop = 0; await frame(); })()",
    )
    .await?;
    report_tasks(&page, "Scrolling through all of them").await?;
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
    report_tasks(&page, "Typing in the filter").await?;

    page.press("link", "Train").await?;
    page.wait_for_value("document.querySelectorAll('.chart').length", &5.into(), 10)
        .await?;
    report_tasks(&page, "Opening Train with them").await?;
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
    report_tasks(&page, "Drawing them").await?;
    page.close().await
}

/// Whether the page stays responsive while a run is looked into, and how soon a stroke is answered.
async fn understanding(server: &Server) -> Result<(), HarnessError> {
    let page = Page::open_ready(server).await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    page.open_advanced().await?;
    page.type_number("Training images", "2000").await?;
    page.type_number("Epochs", "2").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 300).await?;
    page.evaluate(WATCH_TASKS).await?;
    page.press("link", "Evaluate").await?;
    let is_whole = "document.querySelectorAll('.evaluate .panel').length > 5
        && document.querySelectorAll('.line-key').length > 4";
    page.wait_for_value(is_whole, &true.into(), 60).await?;
    report_tasks(&page, "Opening Evaluate").await?;
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
    report_tasks(&page, "Threshold, images of a cell, another split").await?;
    page.press("link", "Data").await?;
    page.wait_for_text("Filters of the first layer", 60).await?;
    report_tasks(&page, "Opening Data").await?;

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
    report_tasks(&page, "Drawing on the pad").await?;
    page.close().await
}

/// Prints the tasks above 50 ms since the last time.
async fn report_tasks(page: &Page, what: &str) -> Result<(), HarnessError> {
    // Two frames later the browser has told of all of them.
    let tasks = page
        .evaluate(
            "new Promise(done => requestAnimationFrame(() => setTimeout(() => {
               const tasks = longTasks.splice(0); done([tasks.length, Math.max(0, ...tasks)]); }, 200)))",
        )
        .await?;
    println!(
        "{what}: {} tasks above 50 ms, longest {} ms",
        tasks[0], tasks[1]
    );
    Ok(())
}
