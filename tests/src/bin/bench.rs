//! How fast the built page trains in Chromium, how large it is, and whether it stays responsive.
#![allow(clippy::print_stdout, reason = "a program whose result is printed")]

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::page::Page;
use kiln_tests::server::{Server, dist};

/// Throughput is told at most twice a second; figures are medians of so many.
const SAMPLES: usize = 5;
/// The beginning of a wasm module's file name, and the most it may weigh, in gzip kilobytes.
const MODULES: [(&str, u64); 3] = [("page", 400), ("cpu_worker", 900), ("gpu_worker", 6_000)];

#[tokio::main]
async fn main() -> Result<ExitCode, HarnessError> {
    let is_small = print_sizes()?;
    let server = Server::start().await?;

    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.evaluate(
        "window.longTasks = []; new PerformanceObserver(list =>
           longTasks.push(...list.getEntries().map(entry => entry.duration)))
         .observe({ type: 'longtask' })",
    )
    .await?;
    for batch_size in [32, 64, 128, 512] {
        let rate = images_per_sec(&page, batch_size).await?;
        println!("CPU worker, batch {batch_size}: {rate:.0} images/s");
    }
    let tasks = page.evaluate("longTasks.length").await?;
    let longest = page.evaluate("Math.max(0, ...longTasks)").await?;
    println!(
        "Main thread while training on the CPU: {tasks} tasks above 50 ms, longest {longest} ms"
    );
    page.close().await?;

    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.open_advanced().await?;
    page.choose("Backend", "WebGPU").await?;
    page.wait_for_text("WebGPU ·", 60).await?;
    page.wait_for_state(&["ready"], 60).await?;
    let rate = images_per_sec(&page, 32).await?;
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

/// The median of a run's first throughput figures, warm-up left out.
async fn images_per_sec(page: &Page, batch_size: u32) -> Result<f64, HarnessError> {
    page.type_number("Batch size", &batch_size.to_string())
        .await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 120).await?;
    // The time over which is measured: enough for the samples at three seconds a step.
    tokio::time::sleep(Duration::from_secs(15)).await;
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
