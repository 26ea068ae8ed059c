//! What a page stands on goes while it trains: room, store, worker, memory, network.

use std::path::Path;

use crate::HarnessError;
use crate::browser::WebGpu;
use crate::page::{Page, with_database};
use crate::server::{Fault, dist};
use fastrand::Rng;

use super::story::{ADDRESS, PATIENCE_SECS, STEPS, Story, kept, lost, show};

/// What goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    Room,
    Store,
    Worker,
    Memory,
}

const LOSSES: [Loss; 4] = [Loss::Room, Loss::Store, Loss::Worker, Loss::Memory];
/// Room that holds no run.
const NO_ROOM_BYTES: u64 = 1;
/// Room for all of them.
const ROOM_BYTES: u64 = 1 << 30;
/// Remembers every worker that the page starts.
const REMEMBER_WORKERS: &str = "window.workers = [];
    const Plain = Worker;
    window.Worker = class extends Plain { constructor(...asked) { super(...asked); workers.push(this); } };";
/// Whether the store has any run yet.
const HAS_RUNS: &str = "return await of(store('runs').count()) > 0;";
/// What the page says where something is missing.
const SAID: &str =
    "[...document.querySelectorAll('[role=alert]')].map(part => part.innerText).join(' ')";

/// Takes something away so many times or more, each thing at least once, each time from a run of its own.
///
/// # Errors
/// A run that comes to something else than an undisturbed one, or a page that says nothing.
pub async fn losses(
    story: &Story,
    random: &mut Rng,
    at_least: usize,
) -> Result<String, HarnessError> {
    let rounds = at_least.max(LOSSES.len());
    for round in 0..rounds {
        let loss = LOSSES[round % LOSSES.len()];
        take(story, random, loss)
            .await
            .map_err(|error| lost(&format!("without {loss:?}, in round {round}: {error}")))?;
    }
    Ok(format!(
        "{rounds} runs lost room, store, worker or memory and ended as if nothing had happened."
    ))
}

/// Takes one thing away from a run under way.
async fn take(story: &Story, random: &mut Rng, loss: Loss) -> Result<(), HarnessError> {
    let page = Page::open_after(&story.server, WebGpu::AsIs, REMEMBER_WORKERS).await?;
    page.evaluate(&format!("location.hash = '{ADDRESS}'"))
        .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Start").await?;
    let step = match loss {
        // Chromium does not ask again for a while once there was room for a run.
        Loss::Room => 1,
        // The last steps are left for the page to do something about it.
        Loss::Store | Loss::Worker | Loss::Memory => random.u32(1..STEPS * 3 / 4),
    };
    page.wait_for_step(step, PATIENCE_SECS).await?;
    match loss {
        Loss::Room => {
            page.limit_storage(&story.server, NO_ROOM_BYTES).await?;
            page.wait_for_text("Storage is full", PATIENCE_SECS).await?;
            page.limit_storage(&story.server, ROOM_BYTES).await?;
        }
        Loss::Store => {
            page.wait_for_value(&with_database(None, HAS_RUNS), &true.into(), PATIENCE_SECS)
                .await?;
            page.evaluate("indexedDB.deleteDatabase('kiln'); 0").await?;
            // It says so once it can keep the run again.
            page.wait_for_text("were deleted", PATIENCE_SECS).await?;
        }
        Loss::Worker => {
            page.evaluate("workers[0].terminate()").await?;
        }
        Loss::Memory => page.press_for_memory().await?,
    }
    page.wait_for_state(&["finished"], PATIENCE_SECS).await?;
    // In the store too, for the next visit.
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    let ids = kept(&page).await?;
    let [id] = ids[..] else {
        return Err(lost(&format!("{} runs are kept", ids.len())));
    };
    let name = show(&page, id).await?;
    story.compare(&page, &name).await?;
    page.close().await
}

/// Has files not arrive, one after the other, at most so many; the page says so, and is whole again once
/// they do.
///
/// # Errors
/// A page that says nothing, or stays broken.
pub async fn network(story: &Story, random: &mut Rng, most: usize) -> Result<String, HarnessError> {
    let mut files = Vec::new();
    list(&dist(), &mut files)?;
    files.sort();
    random.shuffle(&mut files);
    files.truncate(most);
    for file in &files {
        story
            .server
            .set_fault(Some(Fault::Missing(file.clone().into())));
        let page = Page::open_at(&story.server, "").await?;
        without(&page)
            .await
            .map_err(|error| lost(&format!("without {file}: {error}")))?;
        story.server.set_fault(None);
        page.go_to(&format!("{}#/train", story.server.url()))
            .await?;
        page.reload().await?;
        page.wait_for_state(&["ready"], 60).await?;
        page.press("button", "Step").await?;
        page.wait_for_state(&["paused"], 60).await?;
        page.close().await?;
    }
    Ok(format!(
        "{} files did not arrive; the page said so, or did without.",
        files.len()
    ))
}

/// Looks at every screen of a page that lacks a file: each is there, or it is said that it is not.
async fn without(page: &Page) -> Result<(), HarnessError> {
    let is_told = format!("document.documentElement.dataset.state === 'ready' || {SAID} !== ''");
    page.wait_for_value(&is_told, &true.into(), 60).await?;
    for screen in [
        "Runs", "Compare", "Evaluate", "Data", "Draw", "Files", "Help",
    ] {
        page.evaluate(&format!("location.hash = '#/{}'", screen.to_lowercase()))
            .await?;
        let is_there =
            format!("document.querySelector('h1')?.innerText === '{screen}' || {SAID} !== ''");
        page.wait_for_value(&is_there, &true.into(), 30).await?;
    }
    Ok(())
}

/// The names of all files that are served, but for what they are compressed to.
fn list(folder: &Path, names: &mut Vec<String>) -> Result<(), HarnessError> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, names)?;
        } else if let Some(name) = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
        {
            let is_compressed =
                name.ends_with(".br") || name.ends_with(".gz") && !name.contains("ubyte");
            // Without the page itself there is nobody to say anything.
            if !is_compressed && name != "index.html" && name != "service_worker.js" {
                names.push(name);
            }
        }
    }
    Ok(())
}
