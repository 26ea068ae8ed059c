//! How fast the built page trains.

use std::collections::HashMap;
use std::time::Duration;

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::measurements::rows;
use kiln_tests::page::Page;
use kiln_tests::server::Server;

use crate::{WINDOW, long_tasks, median};

/// Throughput is told at most twice a second; figures are medians of so many.
const SAMPLES: usize = 5;

const BATCH_SIZES: [u32; 4] = [32, 64, 128, 512];
/// A validation of the course's runs answers the test images.
const TEST_IMAGES: f64 = 10_000.0;
/// The software adapter is not waited for longer than for two of the five epochs.
const STEPS_WEB_GPU: u32 = 2 * 468 + 1;

/// What the page trains on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The CPU, with as many workers as an option of the page's list says.
    Cpu(&'static str),
    /// WebGPU's software adapter.
    WebGpu,
}

impl Device {
    /// The time over which a run is measured: enough for the samples, on a software GPU at three
    /// seconds a step.
    fn measured(self) -> Duration {
        match self {
            Self::Cpu(_) => Duration::from_secs(5),
            Self::WebGpu => Duration::from_secs(15),
        }
    }
}

/// Prints how fast the page trains on the CPU, and how soon it has learned.
///
/// # Errors
/// A page that does not come so far.
pub async fn print_cpu(server: &Server) -> Result<(), HarnessError> {
    let page = Page::open_ready(server).await?;
    page.resize(WINDOW.0, WINDOW.1).await?;
    for workers in ["1", "2", "Auto"] {
        page.open_advanced().await?;
        page.choose("CPU workers", workers).await?;
        for batch_size in BATCH_SIZES {
            let rate = watched(&page, Device::Cpu(workers), batch_size).await?;
            println!("CPU, workers: {workers}, batch {batch_size}: {rate:.0} images/s");
        }
    }
    page.press("button", "Course run 2").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 900).await?;
    print_learning(&page, "CPU").await?;
    page.close().await
}

/// Prints how fast the page trains on WebGPU.
///
/// # Errors
/// A page that does not come so far.
pub async fn print_web_gpu(server: &Server) -> Result<(), HarnessError> {
    let page = open(server, Device::WebGpu).await?;
    for batch_size in BATCH_SIZES {
        let rate = watched(&page, Device::WebGpu, batch_size).await?;
        println!("WebGPU (software adapter), batch {batch_size}: {rate:.0} images/s");
    }
    page.press("button", "Course run 2").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 120).await?;
    page.wait_for_step(STEPS_WEB_GPU, 600).await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["stopped"], 120).await?;
    print_learning(&page, "WebGPU").await?;
    page.close().await
}

/// Images a second in a Chromium of its own.
///
/// # Errors
/// A page that does not come so far.
pub async fn images_per_sec(
    server: &Server,
    device: Device,
    batch_size: u32,
) -> Result<f64, HarnessError> {
    let page = open(server, device).await?;
    start(&page, batch_size).await?;
    tokio::time::sleep(device.measured()).await;
    let rate = stop(&page).await?;
    page.close().await?;
    Ok(rate)
}

/// Images a second; prints whether the page stayed responsive meanwhile.
async fn watched(page: &Page, device: Device, batch_size: u32) -> Result<f64, HarnessError> {
    start(page, batch_size).await?;
    long_tasks::watch(page).await?;
    tokio::time::sleep(device.measured()).await;
    long_tasks::report(page, "The page meanwhile").await?;
    stop(page).await
}

/// A page that is ready to train on a device.
///
/// # Errors
/// A page that does not come so far.
pub async fn open(server: &Server, device: Device) -> Result<Page, HarnessError> {
    match device {
        Device::Cpu(workers) => {
            let page = Page::open_ready(server).await?;
            page.open_advanced().await?;
            page.choose("CPU workers", workers).await?;
            Ok(page)
        }
        Device::WebGpu => {
            let page = Page::open(server, WebGpu::Software).await?;
            page.wait_for_state(&["ready"], 60).await?;
            page.choose_web_gpu().await?;
            Ok(page)
        }
    }
}

/// Starts a run that is longer than it is measured, on any machine.
///
/// # Errors
/// A page that does not come so far.
pub async fn start(page: &Page, batch_size: u32) -> Result<(), HarnessError> {
    page.type_number("Epochs", "50").await?;
    page.type_number("Batch size", &batch_size.to_string())
        .await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 120).await
}

/// Ends the run; the median of its first throughput figures, warm-up left out.
async fn stop(page: &Page) -> Result<f64, HarnessError> {
    let rows = page.stop_and_read().await?;
    page.press("link", "Train").await?;
    let rates = rows
        .into_iter()
        .filter(|row| row.series == "images_per_s")
        .map(|row| row.value)
        .take(SAMPLES)
        .collect();
    median(rates).ok_or_else(|| HarnessError::Unreadable {
        what: "the throughput".to_owned(),
        answer: "the run has none".to_owned(),
    })
}

/// Prints how long the run of the course, which has ended, took until it answered so many test
/// images rightly, and how fast it answered them in its validations.
async fn print_learning(page: &Page, name: &str) -> Result<(), HarnessError> {
    let run = page.show_files().await?;
    let rows = rows(&page.download(&format!("{run}.csv")).await?)?;
    page.press("link", "Train").await?;
    for wanted in [0.97, 0.98] {
        let reached = rows
            .iter()
            .find(|row| row.series == "validation/accuracy" && row.value >= wanted);
        match reached {
            Some(row) => println!(
                "{name}, course run 2, {wanted} of the test images right: after {:.1} s, at step {}",
                row.elapsed_secs, row.step
            ),
            None => println!("{name}, course run 2: {wanted} of the test images right not reached"),
        }
    }
    let steps = rows.iter().filter(|row| row.series == "train/loss");
    let ends: HashMap<u32, f64> = steps.map(|row| (row.step, row.elapsed_secs)).collect();
    let rates = rows
        .iter()
        .filter(|row| row.series == "validation/loss")
        .filter_map(|row| Some(TEST_IMAGES / (row.elapsed_secs - ends.get(&row.step)?)));
    if let Some(rate) = median(rates.collect()) {
        println!("{name}, inference: {rate:.0} images/s");
    }
    Ok(())
}
