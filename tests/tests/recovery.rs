//! Runs that outlive a closed tab, a broken or silent trainer, a lost GPU, a tab that is hidden or
//! sleeps, and full storage; and what a person is asked when one cannot go on.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::borrow::Cow;

use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::faults::{clock_breaks_after, gpu_goes_after};
use kiln_tests::measurements::{Row, rows};
use kiln_tests::page::{Page, with_database};
use kiln_tests::server::{Fault, Server};
use serde_json::json;

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

/// The steps of the training losses among what was measured.
fn steps_of(rows: Vec<Row>) -> Vec<u32> {
    rows.into_iter()
        .filter(|row| row.series == "train/loss")
        .map(|row| row.step)
        .collect()
}

/// Ends the run and checks that its losses are those of the steps 1, 2, 3, … to at least `last`.
async fn stop_without_gaps(page: &Page, last: u32) -> Outcome {
    let steps = steps_of(page.stop_and_read().await?);
    assert_eq!(steps, Vec::from_iter(1..=steps.len() as u32));
    assert!(steps.len() >= last as usize, "{} steps", steps.len());
    Ok(())
}

/// A worker that takes orders: to keep from the page what happens in a run, to tell it again, to
/// hang, and to break.
const OBEDIENT_WORKER: Fault = Fault::Before(
    "cpu_worker_loader.js",
    Cow::Borrowed(
        "const orders = new BroadcastChannel('orders');
     let is_mute = false;
     // Its helpers run the same program; only the worker itself is spoken to.
     if (self.name !== 'helper') orders.onmessage = ({ data }) => {
       is_mute = data === 'mute';
       orders.postMessage('heard');
       if (data === 'hang') setTimeout(() => { for (;;); });
       if (data === 'break') throw new Error('broken by order');
     };
     const post = self.postMessage.bind(self);
     self.postMessage = message => {
       if (!is_mute || !(message.Happened || message.Kept)) post(message);
     };",
    ),
);

/// Gives the obedient worker an order, and waits until it has heard it.
async fn order(page: &Page, what: &str) -> Outcome {
    let ask = format!(
        "new Promise(heard => {{
           const orders = new BroadcastChannel('orders');
           orders.onmessage = () => heard(true);
           orders.postMessage('{what}'); }})"
    );
    assert_eq!(page.evaluate(&ask).await?, true);
    Ok(())
}

/// JavaScript that changes every checkpoint in the store and says which `figure` it then has; newest last.
fn in_store(change: &str, figure: &str) -> String {
    let body = format!(
        "const runs = store('checkpoints');
         const all = await of(runs.getAll());
         for (const run of all) {{ {change} }}
         return all.map(run => {figure});"
    );
    with_database(None, &body)
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
    server.set_fault(Some(clock_breaks_after(100)));
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
    server.set_fault(Some(clock_breaks_after(20)));
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
    server.set_fault(Some(gpu_goes_after(8)));
    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.choose_web_gpu().await?;
    server.set_fault(None);
    page.type_number("Batch size", "16").await?;
    page.press("button", "Start").await?;
    page.wait_for_text("The GPU stopped at step", 300).await?;
    page.wait_for_text("Continuing from step", 10).await?;
    page.wait_for_state(&["running"], 60).await?;
    stop_without_gaps(&page, 8).await?;
    page.close().await
}

#[tokio::test]
async fn a_run_that_diverges_fails_and_is_kept_or_restarted() -> Outcome {
    let server = Server::start().await?;
    // No settings in range reach NaN quickly: one weight of a resumed run is none.
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        // A checkpoint is a header with the CRC-32 of the rest, and safetensors.
        "addEventListener('message', ({ data }) => {
           const file = data.Resume?.checkpoint;
           if (!file) return;
           const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
           const start = 32 + Number(view.getBigUint64(24, true));
           const names = JSON.parse(new TextDecoder().decode(file.subarray(32, start)));
           view.setFloat32(start + names['weights.fc.bias'].data_offsets[0], NaN, true);
           let crc = ~0;
           for (const byte of file.subarray(24)) {
             crc ^= byte;
             for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
           }
           view.setUint32(20, ~crc >>> 0, true); });"
            .into(),
    )));
    let page = quick_taste(&server).await?;
    page.type_number("Epochs", "50").await?;
    page.type_number("Learning rate", "0.5").await?;
    let notice = "Loss became NaN at step 2; the learning rate (0.5) is probably too high.";
    for kept in [&[1][..], &[1, 1]] {
        page.press("button", "Step").await?;
        page.wait_for_state(&["paused"], 60).await?;
        wait_until_kept(&page, kept).await?;
        page.reload().await?;
        page.wait_for_state(&["interrupted"], 60).await?;
        page.press("button", "Resume").await?;
        page.wait_for_state(&["failed"], 60).await?;
        page.wait_for_text(notice, 10).await?;
        assert!(page.has("button", "Restart with 0.05").await?);
        // The curve of the loss ends in a cross, and so does that of the run that failed before.
        let crosses = "document.querySelectorAll('.chart:first-child .broken').length";
        page.wait_for_value(crosses, &json!(kept.len()), 10).await?;
        if kept.len() == 1 {
            page.press("button", "Keep as failed").await?;
            assert!(!page.text().await?.contains(notice));
            assert_eq!(page.state().await?, "failed");
        }
    }
    page.press("button", "Restart with 0.05").await?;
    page.wait_for_step(3, 60).await?;
    assert!(!page.text().await?.contains(notice));
    let rate = page
        .call(
            "spinbutton",
            "Learning rate",
            "function() { return this.value; }",
        )
        .await?;
    assert_eq!(rate, "0.05");
    let rows = page.stop_and_read().await?;
    let rates = rows.iter().filter(|row| row.series == "learning_rate");
    assert!(rates.clone().all(|row| row.value == 0.05));
    assert_eq!(rates.clone().next().map(|row| row.step), Some(1));
    // What has failed is over: nothing is offered to be resumed.
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn a_gpu_that_fails_again_and_again_asks() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(gpu_goes_after(2)));
    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.choose_web_gpu().await?;
    page.type_number("Batch size", "16").await?;
    page.press("button", "Start").await?;
    page.wait_for_text("The GPU stopped at step", 300).await?;
    let notice = "The GPU failed twice.";
    page.wait_for_text(notice, 300).await?;
    page.wait_for_state(&["interrupted"], 10).await?;
    for button in ["Continue on CPU", "Try again", "Stop", "Copy details"] {
        assert!(page.has("button", button).await?, "{button}");
    }
    // Once the run goes on, a question about it is out of date.
    page.press("button", "Resume").await?;
    page.wait_for_state(&["preparing"], 10).await?;
    assert!(!page.text().await?.contains(notice));

    page.wait_for_text(notice, 300).await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["stopped"], 10).await?;
    assert!(!page.text().await?.contains(notice));

    page.press("button", "Continue").await?;
    page.wait_for_text(notice, 300).await?;
    page.press("button", "Continue on CPU").await?;
    page.wait_for_state(&["running"], 60).await?;
    let device = page
        .evaluate("document.querySelector('.device').innerText")
        .await?;
    assert_eq!(device, "CPU");
    page.wait_for_step(20, 60).await?;
    stop_without_gaps(&page, 20).await?;
    page.close().await
}

#[tokio::test]
async fn a_trainer_that_breaks_while_it_is_replaced_asks() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(OBEDIENT_WORKER));
    let page = quick_taste(&server).await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(5, 60).await?;
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "throw new Error('no worker today');".into(),
    )));
    order(&page, "break").await?;
    page.wait_for_text("The trainer stopped. Saved to step", 60)
        .await?;
    page.wait_for_state(&["interrupted"], 10).await?;
    server.set_fault(None);
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_step(10, 60).await?;
    stop_without_gaps(&page, 10).await?;
    page.close().await
}

/// A clock of triple speed that can jump. It ticks often enough not to look like that of a tab
/// that was frozen.
const TRIPLE_SPEED: &str = "const now = Date.now, began = now();
    let ahead = 0;
    Date.now = () => began + ahead + 3 * (now() - began);
    window.jump = ms => { ahead += ms; };";

#[tokio::test]
async fn a_slow_trainer_is_not_taken_for_a_silent_one() -> Outcome {
    let server = Server::start().await?;
    // Each step takes 24 of the page's seconds.
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "const post = self.postMessage.bind(self);
         self.postMessage = message => {
           if (message.Happened) for (const began = Date.now(); Date.now() - began < 8_000;);
           post(message);
         };"
        .into(),
    )));
    let page = Page::open_after(&server, WebGpu::AsIs, TRIPLE_SPEED).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(3, 120).await?;
    assert!(!page.text().await?.contains("The trainer stopped"));
    page.close().await
}

#[tokio::test]
async fn a_trainer_that_hangs_is_replaced_and_goes_on() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(OBEDIENT_WORKER));
    // How long each worker was silent until its successor was started.
    let script = format!(
        "{TRIPLE_SPEED}
         let heard = Date.now();
         window.silences = [];
         window.Worker = class extends Worker {{
           constructor(...asked) {{
             super(...asked);
             silences.push(Date.now() - heard);
             this.addEventListener('message', () => {{ heard = Date.now(); }});
           }}
         }};"
    );
    let page = Page::open_after(&server, WebGpu::AsIs, &script).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Start").await?;
    page.wait_for_value(&in_store("", "true"), &serde_json::json!([true]), 60)
        .await?;
    // However long the tab slept, it does not count as the length of a step.
    page.evaluate("jump(17 * 60_000)").await?;
    page.wait_for_text("This tab slept", 20).await?;
    server.set_fault(None);
    order(&page, "hang").await?;
    page.wait_for_text("The trainer stopped at step", 60)
        .await?;
    page.wait_for_text("Continuing from step", 10).await?;
    assert!(!page.text().await?.contains("Continuing from step 0."));
    let silences = page.evaluate("silences").await?;
    let silence = silences[1].as_f64().unwrap();
    assert!(silence > 20_000.0, "{silence} ms");
    let stopped_at = page.steps_done().await?;
    page.wait_for_step(stopped_at + 20, 60).await?;
    stop_without_gaps(&page, stopped_at + 20).await?;
    page.close().await
}

#[tokio::test]
async fn a_tab_that_slept_says_so_and_goes_on() -> Outcome {
    let server = Server::start().await?;
    // A clock that only the test moves.
    let page = Page::open_after(
        &server,
        WebGpu::AsIs,
        "let time = new Date(2026, 10, 23, 14, 2).getTime();
         Date.now = () => time;
         window.jump = ms => { time += ms; };",
    )
    .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Start").await?;
    page.wait_for_step(5, 60).await?;
    // By then the page has looked at its clock.
    page.wait_for_value("performance.now() > 3_000", &true.into(), 20)
        .await?;
    let before = page.steps_done().await?;
    page.evaluate("jump(17 * 60_000)").await?;
    page.wait_for_text("This tab slept 14:02–14:19; training has continued.", 20)
        .await?;
    page.wait_for_step(before + 20, 60).await?;
    assert_eq!(page.state().await?, "running");
    assert!(!page.text().await?.contains("The trainer stopped"));
    stop_without_gaps(&page, before + 20).await?;
    page.close().await
}

#[tokio::test]
async fn a_hidden_tab_is_kept_at_once_and_goes_on() -> Outcome {
    let server = Server::start().await?;
    let page = quick_taste(&server).await?;
    page.type_number("Epochs", "50").await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    wait_until_kept(&page, &[1]).await?;
    // A paused run is not kept again, unless it is asked for.
    let forget = in_store("await of(runs.delete(run.id));", "true");
    assert_eq!(page.evaluate(&forget).await?, serde_json::json!([true]));
    wait_until_kept(&page, &[]).await?;
    page.hide().await?;
    wait_until_kept(&page, &[1]).await?;
    page.show().await?;
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.hide().await?;
    page.wait_for_step(page.steps_done().await? + 50, 60)
        .await?;
    assert_eq!(page.evaluate("document.hidden").await?, true);
    page.close().await
}

#[tokio::test]
async fn the_screen_stays_on_only_while_a_run_runs() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(OBEDIENT_WORKER));
    let page = Page::open_after(
        &server,
        WebGpu::AsIs,
        "window.screen_log = '';
         WakeLock.prototype.request = async () => {
           screen_log += 'on ';
           return { release: async () => { screen_log += 'off '; } };
         };",
    )
    .await?;
    let is_logged = async |log: &str| page.wait_for_value("screen_log", &log.into(), 20).await;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    is_logged("").await?;
    page.press("button", "Resume").await?;
    is_logged("on ").await?;
    page.press("button", "Pause").await?;
    is_logged("on off ").await?;
    page.press("button", "Resume").await?;
    is_logged("on off on ").await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["finishing"], 60).await?;
    is_logged("on off on ").await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 60).await?;
    is_logged("on off on off ").await?;

    // A run that is given up while a new trainer prepares it lets the screen go too.
    page.evaluate("screen_log = ''").await?;
    page.press("button", "Start").await?;
    is_logged("on ").await?;
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "const post = self.postMessage.bind(self);
         self.postMessage = message => { if (!message.Happened) post(message); };"
            .into(),
    )));
    order(&page, "break").await?;
    page.wait_for_text("The trainer stopped at step", 60)
        .await?;
    let progress = "document.querySelector('.progress-text').innerText.startsWith('Epoch')";
    page.wait_for_value(progress, &true.into(), 60).await?;
    page.wait_for_state(&["preparing"], 10).await?;
    page.press("button", "Cancel").await?;
    is_logged("on off ").await?;
    page.close().await
}

/// The moves between states that no other test makes.
#[tokio::test]
async fn cancel_continue_and_the_run_chip_do_what_they_say() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(OBEDIENT_WORKER));
    let page = quick_taste(&server).await?;
    page.type_number("Epochs", "50").await?;

    // Preparing → Cancel → Ready: nothing is left of the run, and the trainer is free.
    order(&page, "mute").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["preparing"], 10).await?;
    page.press("button", "Cancel").await?;
    page.wait_for_state(&["ready"], 10).await?;
    order(&page, "tell").await?;
    page.press("button", "Step").await?;
    page.wait_for_text("Paused · Epoch 1/50 · step 1/", 60)
        .await?;
    wait_until_kept(&page, &[1]).await?;

    // Stopped → Start → Cancel: the run before is back. Stopped → Continue.
    page.press("button", "Stop").await?;
    page.wait_for_state(&["finishing"], 30).await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 30).await?;
    order(&page, "mute").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["preparing"], 10).await?;
    page.press("button", "Cancel").await?;
    page.wait_for_text("Stopped · Epoch 1/50 · step 1/", 10)
        .await?;
    // A run that had ended has ended again.
    page.press("button", "Continue").await?;
    page.wait_for_state(&["preparing"], 10).await?;
    page.press("button", "Cancel").await?;
    page.wait_for_text("Stopped · Epoch 1/50 · step 1/", 10)
        .await?;
    order(&page, "tell").await?;
    page.press("button", "Continue").await?;
    page.wait_for_state(&["running"], 30).await?;

    // Running → Paused → Running, from the top of any route.
    page.press("link", "Files").await?;
    page.press("button", "Pause run").await?;
    page.wait_for_state(&["paused"], 30).await?;
    page.press("button", "Resume run").await?;
    page.wait_for_state(&["running"], 30).await?;
    page.press("link", "Train").await?;
    page.wait_for_step(5, 60).await?;
    stop_without_gaps(&page, 5).await?;
    // The cancelled runs were never kept.
    let kept = page.evaluate(&in_store("", "true")).await?;
    assert_eq!(kept, serde_json::json!([true]));
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
    page.keep_short_run().await?;
    page.keep_short_run().await?;
    page.type_number("Epochs", "50").await?;
    page.limit_storage(&server, 1_000).await?;
    page.press("button", "Start").await?;
    page.wait_for_text(
        "Storage is full; the checkpoint was not saved. Training continues.",
        60,
    )
    .await?;
    assert!(page.has("link", "Download run").await?);
    assert_eq!(page.state().await?, "running");
    // The ended runs make room; while there is none they cannot come back, and are not lost.
    page.press("button", "Free space").await?;
    page.wait_for_text("Deleted 2 runs.", 10).await?;
    page.press("button", "Undo").await?;
    page.wait_for_text("Not all could be brought back: storage is full.", 10)
        .await?;
    page.limit_storage(&server, 1_000_000_000).await?;
    page.press("button", "Undo").await?;
    let kept = with_database(
        None,
        "return (await of(store('runs').getAll())).filter(run => run.record.status.Session === 'Stopped').length;",
    );
    page.wait_for_value(&kept, &json!(2), 20).await?;
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
        "run.checkpoint[8] = 3; await of(runs.put(run));",
        "run.checkpoint[8]",
    );
    assert_eq!(page.evaluate(&newer).await?, serde_json::json!([3]));
    page.reload().await?;
    page.wait_for_text(
        "the checkpoint has version 3, and this Kiln reads version 2 at most",
        60,
    )
    .await?;
    let left = page.evaluate(&in_store("", "run.checkpoint[8]")).await?;
    assert_eq!(left, serde_json::json!([3]));
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
    stop_without_gaps(&page, 170).await?;
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
