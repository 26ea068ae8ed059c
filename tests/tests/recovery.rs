//! Runs that outlive a closed tab, a broken trainer, a lost GPU and full storage.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::measurements::{Row, rows};
use kiln_tests::page::Page;
use kiln_tests::server::{Fault, Server};

type Outcome = Result<(), HarnessError>;

/// Opens the page with a run of 168 steps set, ready to start.
async fn quick_taste(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open(server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    Ok(page)
}

/// The training losses of the run that has ended, by step.
async fn losses(page: &Page) -> Result<Vec<(u32, f64)>, HarnessError> {
    let name = page.show_files().await?;
    let rows = rows(&page.download(&format!("{name}.csv")).await?)?;
    let losses: fn(Row) -> Option<(u32, f64)> =
        |row| (row.series == "train/loss").then_some((row.step, row.value));
    Ok(rows.into_iter().filter_map(losses).collect())
}

/// JavaScript that changes every run in the store and says which `figure` it then has; newest last.
fn in_store(change: &str, figure: &str) -> String {
    format!(
        "(async () => {{
           const of = request => new Promise((done, failed) => {{
             request.onsuccess = () => done(request.result); request.onerror = failed; }});
           const database = await of(indexedDB.open('kiln'));
           const runs = database.transaction('runs', 'readwrite').objectStore('runs');
           const all = await of(runs.getAll());
           for (const run of all) {{ {change} }}
           database.close();
           return all.map(run => {figure}); }})()"
    )
}

/// Waits until the store holds exactly these runs, by their steps.
async fn wait_until_kept(page: &Page, steps: &[u32]) -> Outcome {
    // The file's JSON stands inside a JSON string, so its quotes are escaped.
    let step =
        r#"Number(new TextDecoder().decode(run.checkpoint).split('step\\":')[1].split(',')[0])"#;
    page.wait_for_value(&in_store("", step), &serde_json::json!(steps), 20)
        .await
}

/// Goes on to the end without scoring.
async fn skip_to_the_end(page: &Page) -> Outcome {
    page.wait_for_state(&["finishing"], 120).await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["finished"], 60).await
}

/// The losses of a run that nothing interrupts.
async fn uninterrupted(server: &Server) -> Result<Vec<(u32, f64)>, HarnessError> {
    let page = quick_taste(server).await?;
    page.press("button", "Start").await?;
    skip_to_the_end(&page).await?;
    let losses = losses(&page).await?;
    page.close().await?;
    Ok(losses)
}

#[tokio::test]
async fn a_reload_in_the_middle_of_a_run_resumes_it_exactly() -> Outcome {
    let server = Server::start().await?;
    let expected = uninterrupted(&server).await?;
    let page = quick_taste(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(100, 60).await?;
    page.reload().await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    for button in ["Resume", "Keep", "Delete"] {
        assert!(page.has("button", button).await?, "{button}");
    }
    page.press("button", "Resume").await?;
    skip_to_the_end(&page).await?;
    assert_eq!(losses(&page).await?, expected);
    page.close().await
}

#[tokio::test]
async fn an_interrupted_run_is_kept_or_deleted() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    wait_until_kept(&page, &[1]).await?;
    page.reload().await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    page.press("button", "Keep").await?;
    page.wait_for_state(&["stopped"], 10).await?;
    assert!(!losses(&page).await?.is_empty());
    page.press("link", "Train").await?;

    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    wait_until_kept(&page, &[1, 1]).await?;
    page.reload().await?;
    page.wait_for_state(&["interrupted"], 60).await?;
    page.press("button", "Delete").await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_broken_trainer_is_replaced_and_goes_on_exactly() -> Outcome {
    let server = Server::start().await?;
    let expected = uninterrupted(&server).await?;
    // The clock of the first worker breaks inside a promise, as a trap would.
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "const post = self.postMessage.bind(self); let told = 0;
         self.postMessage = message => { told += message.Happened !== undefined; post(message); };
         const now = performance.now.bind(performance);
         performance.now = () => { if (told > 100) throw new Error('the clock broke'); return now(); };",
    )));
    let page = quick_taste(&server).await?;
    server.set_fault(None);
    page.press("button", "Start").await?;
    page.wait_for_text("The trainer stopped at step", 60)
        .await?;
    page.wait_for_text("Continuing from step", 10).await?;
    assert!(page.has("button", "Copy details").await?);
    skip_to_the_end(&page).await?;
    assert_eq!(losses(&page).await?, expected);
    page.close().await
}

#[tokio::test]
async fn a_trainer_that_breaks_twice_asks() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "const post = self.postMessage.bind(self); let told = 0;
         self.postMessage = message => { told += message.Happened !== undefined; post(message); };
         const now = performance.now.bind(performance);
         performance.now = () => { if (told > 20) throw new Error('the clock broke'); return now(); };",
    )));
    let page = quick_taste(&server).await?;
    page.press("button", "Start").await?;
    page.wait_for_text("The trainer stopped. Saved to step", 120)
        .await?;
    page.wait_for_state(&["interrupted"], 10).await?;
    server.set_fault(None);
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_lost_gpu_is_survived() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Before(
        "gpu_worker_loader.js",
        "const request = GPUAdapter.prototype.requestDevice; let opened;
         GPUAdapter.prototype.requestDevice = async function (...asked) {
           return opened = await request.apply(this, asked); };
         const post = self.postMessage.bind(self); let told = 0;
         self.postMessage = message => { told += message.Happened !== undefined; post(message);
           if (told === 8) opened.destroy(); };",
    )));
    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.open_advanced().await?;
    page.choose("Backend", "WebGPU").await?;
    page.wait_for_text("WebGPU ·", 60).await?;
    page.wait_for_state(&["ready"], 60).await?;
    server.set_fault(None);
    page.type_number("Batch size", "16").await?;
    page.press("button", "Start").await?;
    page.wait_for_text("The GPU stopped at step", 300).await?;
    page.wait_for_text("Continuing from step", 10).await?;
    page.wait_for_step(12, 300).await?;
    let losses: Vec<u32> = page
        .stop_and_read()
        .await?
        .into_iter()
        .filter(|row| row.series == "train/loss")
        .map(|row| row.step)
        .collect();
    assert_eq!(losses, Vec::from_iter(1..=losses.len() as u32));
    page.close().await
}

#[tokio::test]
async fn a_second_tab_leaves_a_live_run_alone() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(60, 60).await?;
    let first = page.open_tab(&server).await?;
    page.wait_for_state(&["ready"], 60).await?;
    assert!(!page.has("button", "Resume").await?);
    page.go_to_tab(first).await?;
    // And training went on behind the other tab.
    assert_eq!(page.state().await?, "running");
    page.close().await
}

#[tokio::test]
async fn full_storage_is_told_and_training_goes_on() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.type_number("Epochs", "50").await?;
    page.limit_storage(&server, 1_000).await?;
    page.press("button", "Start").await?;
    page.wait_for_text(
        "Storage is full; the checkpoint was not saved. Training continues.",
        60,
    )
    .await?;
    assert!(page.has("button", "Free space").await?);
    assert!(page.has("link", "Download run").await?);
    assert_eq!(page.state().await?, "running");
    page.close().await
}

#[tokio::test]
async fn without_storage_training_works_and_nothing_is_promised() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_after(
        &server,
        WebGpu::AsIs,
        "Object.defineProperty(window, 'indexedDB', { value: undefined })",
    )
    .await?;
    page.wait_for_text("This window forgets data when closed.", 30)
        .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    skip_to_the_end(&page).await?;
    assert_eq!(losses(&page).await?.len(), 168);
    page.close().await
}

#[tokio::test]
async fn a_checkpoint_of_a_newer_kiln_is_refused_and_left() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    wait_until_kept(&page, &[1]).await?;
    let newer = in_store(
        "run.checkpoint[8] = 2; await of(runs.put(run));",
        "run.checkpoint[8]",
    );
    assert_eq!(page.evaluate(&newer).await?, serde_json::json!([2]));
    page.reload().await?;
    page.wait_for_text(
        "the checkpoint has version 2, and this Kiln reads version 1",
        60,
    )
    .await?;
    let left = page.evaluate(&in_store("", "run.checkpoint[8]")).await?;
    assert_eq!(left, serde_json::json!([2]));
    page.wait_for_state(&["ready"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_finished_run_continues_when_epochs_grow() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.press("button", "Start").await?;
    skip_to_the_end(&page).await?;
    page.type_number("Epochs", "2").await?;
    page.press("button", "Continue").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_step(170, 60).await?;
    let rows = page.stop_and_read().await?;
    let steps: Vec<u32> = rows
        .iter()
        .filter(|row| row.series == "train/loss")
        .map(|row| row.step)
        .collect();
    assert_eq!(steps, Vec::from_iter(1..=steps.len() as u32));
    assert!(steps.len() >= 170);
    page.close().await
}

#[tokio::test]
async fn an_open_run_takes_a_new_rate_and_marks_it() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.type_number("Learning rate", "0.0005").await?;
    page.wait_for_value(
        "document.querySelector('.change')?.title",
        &serde_json::json!("Learning rate 0.0005"),
        10,
    )
    .await?;
    page.press("button", "Step").await?;
    page.wait_for_text("step 2/", 30).await?;
    // A single step and an edit are kept too.
    wait_until_kept(&page, &[2]).await?;
    page.reload().await?;
    page.wait_for_text("Interrupted · Epoch 1/1 · step 2/", 60)
        .await?;
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 60).await?;
    let rows = page.stop_and_read().await?;
    let rates: Vec<f64> = rows
        .iter()
        .filter(|row| row.series == "learning_rate")
        .map(|row| row.value)
        .collect();
    assert_eq!(rates[..2], [0.001, 0.0005]);
    assert!(rates[2..].iter().all(|rate| *rate == 0.0005));
    page.close().await
}

/// Every control of the rail that is not in another test, pressed once.
#[tokio::test]
async fn every_optimiser_schedule_and_switch_trains() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.open_advanced().await?;
    page.choose("Schedule", "Cosine").await?;
    page.choose("Validate every", "½ epoch").await?;
    page.press("checkbox", "Early stopping").await?;
    page.type_number("Patience", "2").await?;
    for (optimizer, parameter) in [
        ("SGD", Some(("Momentum", "0.8"))),
        ("AdamW", Some(("Weight decay", "0.01"))),
        ("RMSprop", None),
    ] {
        page.choose("Optimizer", optimizer).await?;
        if let Some((name, value)) = parameter {
            page.type_number(name, value).await?;
        }
        page.press("button", "Step").await?;
        page.wait_for_text("Paused · Epoch 1/1 · step 1/", 60)
            .await?;
        page.press("button", "Stop").await?;
        page.wait_for_state(&["finishing"], 30).await?;
        page.press("button", "Skip scoring").await?;
        page.wait_for_state(&["stopped"], 30).await?;
        let name = page.show_files().await?;
        let config = page.download(&format!("{name}.config.json")).await?;
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        let settings = &config["settings"];
        assert_eq!(settings["schedule"], "cosine");
        assert_eq!(settings["validate_every"], "half_epoch");
        assert_eq!(settings["patience"], 2);
        if let Some((name, value)) = parameter {
            let key = name.to_lowercase().replace(' ', "_");
            assert_eq!(settings["optimizer"][key].to_string(), value);
        }
        page.press("link", "Train").await?;
    }
    page.close().await
}
