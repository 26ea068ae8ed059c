//! Whether the page's main thread was kept from answering.

use kiln_tests::HarnessError;
use kiln_tests::page::Page;

/// Notes the length of every task of the main thread above 50 ms from now on.
pub const WATCH: &str =
    "window.longTasks = []; window.taskWatch ??= new PerformanceObserver(list =>
    longTasks.push(...list.getEntries().map(entry => entry.duration)));
    taskWatch.observe({ type: 'longtask' })";

/// Notes the tasks above 50 ms from now on.
///
/// # Errors
/// A page that does not answer.
pub async fn watch(page: &Page) -> Result<(), HarnessError> {
    page.evaluate(WATCH).await?;
    Ok(())
}

/// Prints the tasks above 50 ms since the last time.
///
/// # Errors
/// A page that does not answer.
pub async fn report(page: &Page, what: &str) -> Result<(), HarnessError> {
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
