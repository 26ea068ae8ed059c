//! The page in a real Chromium, from the first look to the downloaded model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use kiln_model::evaluation::Tally;
use kiln_model::preset::Preset;
use kiln_tests::HarnessError;
use kiln_tests::browser::WebGpu;
use kiln_tests::measurements::{Row, rows};
use kiln_tests::native;
use kiln_tests::page::Page;
use kiln_tests::server::{Fault, Pace, Server, dist};

type Outcome = Result<(), HarnessError>;

const TEST_IMAGES: u32 = 10_000;

/// The number before `marker` in a text, spaces between thousands left out.
fn number_before(text: &str, marker: &str) -> u32 {
    let before = text.split(marker).next().unwrap();
    let digits: Vec<char> = before
        .chars()
        .rev()
        .take_while(|letter| letter.is_ascii_digit() || *letter == ' ')
        .filter(char::is_ascii_digit)
        .collect();
    digits
        .into_iter()
        .rev()
        .collect::<String>()
        .parse()
        .unwrap()
}

/// How many test images the weights in a safetensors file answer rightly, natively.
async fn correct_natively(file: &[u8]) -> usize {
    const AT_ONCE: usize = 500;
    let weights = native::weights(file).unwrap();
    let dataset = native::dataset().unwrap();
    let labels = dataset.test().images().labels();
    let mut tally = Tally::default();
    for (index, labels) in labels.chunks(AT_ONCE).enumerate() {
        let first = AT_ONCE * index;
        let logits = native::logits(&weights, &dataset, first, labels.len());
        tally.add(&logits.await.unwrap(), labels);
    }
    tally.correct()
}

#[tokio::test]
async fn quick_taste_trains_and_its_files_arrive() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    assert!(page.text().await?.contains("CPU"));
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 30).await?;
    page.wait_for_state(&["finished"], 240).await?;

    let text = page.text().await?;
    let wrong = number_before(&text, " wrong of 10 000");
    let correct = TEST_IMAGES - wrong;
    // Keras on the same settings: 91.9 to 93.4 % over three seeds.
    assert!(correct >= 9_000, "{correct} right");
    assert!(page.has("progressbar", "Run progress").await?);

    let name = page.show_files().await?;
    let model = page.download(&format!("{name}.safetensors")).await?;
    assert_eq!(correct_natively(&model).await, correct as usize);

    let config = page.download(&format!("{name}.config.json")).await?;
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["settings"]["batch_size"], 32);
    // What a browser computes is what is computed natively, to the last bit.
    let fingerprint = native::fingerprint(Preset::QuickTaste.config()).await?;
    assert_eq!(config["fingerprint"], fingerprint);
    assert_eq!(config["results"]["test"]["correct"], correct);

    let csv = page.download(&format!("{name}.csv")).await?;
    let rows = rows(&csv)?;
    let losses: Vec<&Row> = rows
        .iter()
        .filter(|row| row.series == "train/loss")
        .collect();
    assert_eq!(
        losses.iter().map(|row| row.step).collect::<Vec<_>>(),
        Vec::from_iter(1..=168)
    );
    let validations = rows.iter().filter(|row| row.series == "validation/loss");
    assert_eq!(
        validations.map(|row| row.step).collect::<Vec<_>>(),
        [42, 84, 126, 168]
    );
    let lines = page.download(&format!("{name}.jsonl")).await?;
    assert_eq!(
        lines.iter().filter(|byte| **byte == b'\n').count(),
        rows.len()
    );
    page.close().await
}

/// The fingerprint of the run that has ended.
async fn fingerprint(page: &Page) -> Result<String, HarnessError> {
    let name = page.show_files().await?;
    let config = page.download(&format!("{name}.config.json")).await?;
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    page.press("link", "Train").await?;
    Ok(config["fingerprint"].as_str().unwrap().to_owned())
}

/// A short run from its start to its end, and its fingerprint.
async fn train_shortly(page: &Page) -> Result<String, HarnessError> {
    page.press("button", "Start").await?;
    // At full pace nobody can press anything in between.
    page.wait_for_state(&["finished"], 120).await?;
    fingerprint(page).await
}

#[tokio::test]
async fn any_number_of_workers_gives_the_same_fingerprint() -> Outcome {
    // The whole machine is asked for; a worker that takes its time would hide who waits for whom.
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open_ready(&server).await?;
    page.press("button", "Quick taste").await?;
    let expected = native::fingerprint(Preset::QuickTaste.config()).await?;
    for workers in ["1", "2", "4", "Auto"] {
        page.open_advanced().await?;
        page.choose("CPU workers", workers).await?;
        assert_eq!(train_shortly(&page).await?, expected, "{workers} workers");
    }
    page.close().await
}

#[tokio::test]
async fn helpers_that_break_change_nothing() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    // Each helper takes up a few tasks and then breaks: its images, its run, five parts.
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "let tasks = 0;
         if (self.name === 'helper') addEventListener('message', () => {
           if (++tasks === 7) throw new Error('tired'); });"
            .into(),
    )));
    let page = Page::open_ready(&server).await?;
    page.press("button", "Quick taste").await?;
    page.open_advanced().await?;
    page.choose("CPU workers", "4").await?;
    let expected = native::fingerprint(Preset::QuickTaste.config()).await?;
    assert_eq!(train_shortly(&page).await?, expected);
    page.close().await
}

#[tokio::test]
async fn every_button_acts_between_two_steps() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.type_number("Batch size", "16").await?;

    // One step from Ready, then paused.
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 30).await?;
    assert_eq!(page.steps_done().await?, 1);
    page.press("button", "Step").await?;
    page.wait_for_text("step 2/", 30).await?;
    page.wait_for_state(&["paused"], 30).await?;

    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 30).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let paused_at = page.steps_done().await?;
    assert!(paused_at >= 2);
    page.press("button", "Step").await?;
    page.wait_for_text(&format!("step {}/", paused_at + 1), 30)
        .await?;

    // Scoring is paused, stepped and skipped too.
    page.press("button", "Stop").await?;
    page.wait_for_state(&["finishing"], 30).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let text = page.text().await?;
    let scored = number_before(&text, " of 10 000 images");
    page.press("button", "Step").await?;
    page.wait_for_text(&scored_text(scored + 200), 30).await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 30).await?;
    assert!(!page.text().await?.contains("wrong of"));
    page.close().await
}

/// How the page writes so many scored images.
fn scored_text(images: u32) -> String {
    if images < 1_000 {
        format!("Scoring test: {images} of")
    } else {
        format!("Scoring test: {} {:03} of", images / 1_000, images % 1_000)
    }
}

#[tokio::test]
async fn the_software_gpu_trains_where_it_is_asked_for() -> Outcome {
    const STEPS: u32 = 20;
    let server = Server::start().await?;
    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.choose_web_gpu().await?;
    page.type_number("Batch size", "16").await?;
    // Faster than usual, so that twenty small steps show more than the noise between batches.
    page.type_number("Learning rate", "0.003").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 300).await?;
    page.wait_for_step(STEPS, 600).await?;
    let rows = page.stop_and_read().await?;
    let losses: Vec<f64> = rows
        .into_iter()
        .filter(|row| row.series == "train/loss" && row.step <= STEPS)
        .map(|row| row.value)
        .collect();
    assert_eq!(losses.len(), STEPS as usize);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&losses[..5]), mean(&losses[15..]));
    // The first steps of a fresh network lie near ln 10 = 2.3.
    assert!(last < 0.9 * first, "{first} to {last}");
    page.close().await
}

#[tokio::test]
async fn auto_times_both_and_the_faster_one_trains() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_state(&["ready"], 60).await?;
    // Start does not wait for the measurement; that comes once the run has ended.
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    assert!(!page.text().await?.contains("images/s (WebGPU"));
    page.press("button", "Stop").await?;
    page.wait_for_state(&["stopped"], 60).await?;
    page.wait_for_text("images/s (WebGPU", 120).await?;
    assert!(page.text().await?.contains("CPU · "));
    page.open_advanced().await?;
    let text = page.text().await?;
    let both = text.lines().find(|line| {
        line.starts_with("WebGPU ")
            && line.contains(" images/s · CPU ")
            && line.ends_with(" images/s")
    });
    assert!(both.is_some(), "{text}");
    page.close().await?;

    // A CPU of a step in two seconds.
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "const post = MessagePort.prototype.postMessage;
         MessagePort.prototype.postMessage = function (...sent) {
           if (sent[0] === null) setTimeout(() => post.apply(this, sent), 2000);
           else post.apply(this, sent);
         };"
        .into(),
    )));
    let page = Page::open(&server, WebGpu::Software).await?;
    page.wait_for_text("images/s (CPU", 120).await?;
    page.wait_for_state(&["ready"], 10).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["stopped"], 120).await?;
    page.close().await
}

#[tokio::test]
async fn data_that_is_not_mnist_is_refused_and_loaded_again() -> Outcome {
    const LABELS: &str = "t10k-labels-idx1-ubyte.ff7bcfd4.gz";
    let server = Server::start().await?;
    let good = std::fs::read(dist().join("data").join(LABELS))?;
    let mut altered = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(good.as_slice()),
        &mut altered,
    )?;
    altered[100] ^= 1;
    for (fault, reason) in [
        (Fault::Missing(LABELS.into()), "the server answered 404"),
        (Fault::Bytes(LABELS, good[..2_000].to_vec()), LABELS),
        (Fault::Bytes(LABELS, altered), "was altered"),
    ] {
        server.set_fault(Some(fault));
        let page = Page::open(&server, WebGpu::AsIs).await?;
        page.wait_for_text("MNIST stopped loading at", 60).await?;
        assert!(page.text().await?.contains(reason), "{reason}");
        assert_eq!(page.state().await?, "loading");
        server.set_fault(None);
        page.press("button", "Try again").await?;
        page.wait_for_state(&["ready"], 60).await?;
        page.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_value_out_of_range_starts_nothing() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.type_number("Epochs", "51").await?;
    page.wait_for_text("Epochs must be a whole number from 1 to 50, not 51.", 5)
        .await?;
    page.press("button", "Start").await?;
    assert_eq!(page.state().await?, "ready");
    page.type_number("Epochs", "2").await?;
    page.wait_for_text("421 × 2 = 842 steps", 5).await?;
    // The slider goes along with the field.
    let slider = page
        .call("slider", "Epochs", "function() { return this.value; }")
        .await?;
    assert_eq!(slider, "1");
    page.close().await
}

#[tokio::test]
async fn a_long_first_run_on_the_cpu_is_offered_a_short_one() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    // 2.7 million images: longer than a minute at the pace of an unhurried worker.
    page.type_number("Epochs", "50").await?;
    page.wait_for_text("Ready · CPU · about", 30).await?;
    page.press("button", "Use Quick taste").await?;
    page.wait_for_text("168 × 1 = 168 steps", 10).await?;
    assert!(!page.has("button", "Use Quick taste").await?);
    page.close().await
}

#[tokio::test]
async fn validation_goes_on_step_by_step_too() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.open_advanced().await?;
    // 2,700 images of 3,000 are 5 steps of 512; with 1 epoch the first validation is after step 2.
    page.type_number("Training images", "3000").await?;
    page.type_number("Epochs", "1").await?;
    page.type_number("Batch size", "512").await?;
    for shown in [
        "Paused · Epoch 1/1 · step 1/5",
        "Paused · Epoch 1/1 · step 2/5",
        "Paused · Validating: 200 of 300 images",
        "Paused · Epoch 1/1 · step 2/5",
        "Paused · Epoch 1/1 · step 3/5",
    ] {
        page.press("button", "Step").await?;
        page.wait_for_text(shown, 30).await?;
    }
    // Leaving would lose the run, so the browser is told to ask.
    let asks = "(() => { const leaving = new Event('beforeunload', { cancelable: true });
                 dispatchEvent(leaving); return leaving.defaultPrevented; })()";
    assert_eq!(page.evaluate(asks).await?, true);
    page.press("button", "Stop").await?;
    page.wait_for_state(&["stopped"], 60).await?;
    assert_eq!(page.evaluate(asks).await?, false);
    page.close().await
}

#[tokio::test]
async fn a_trainer_that_breaks_is_told_and_replaced() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Missing("cpu_worker_bg.wasm".into())));
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_text("The trainer stopped.", 30).await?;
    assert!(page.has("button", "Copy details").await?);
    server.set_fault(None);
    page.press("button", "Start").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn without_a_gpu_that_fits_the_cpu_trains_and_says_why() -> Outcome {
    let server = Server::start().await?;
    for (browser, notice, in_short) in [
        (
            "Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })",
            "This browser has no WebGPU, so Kiln trains on the CPU",
            "CPU · no WebGPU",
        ),
        (
            "GPU.prototype.requestAdapter = async () => null",
            "The browser offers no GPU to WebGPU",
            "CPU · no GPU found",
        ),
        (
            "Object.defineProperty(GPUAdapter.prototype, 'features', { value: new Set() })",
            "This GPU lacks timestamp-query. Using the CPU.",
            "CPU · GPU lacks timestamp-query",
        ),
    ] {
        let page = Page::open_after(&server, WebGpu::Software, browser).await?;
        page.wait_for_text(notice, 30).await?;
        page.wait_for_text(in_short, 10).await?;
        page.wait_for_state(&["ready"], 60).await?;
        page.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_gpu_that_refuses_its_device_leaves_the_cpu() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Before(
        "gpu_worker_loader.js",
        "GPUAdapter.prototype.requestDevice = async () => { throw new Error('no device today') }"
            .into(),
    )));
    let page = Page::open(&server, WebGpu::Software).await?;
    // Auto looks what it could do, and the person hears why it can do nothing.
    page.wait_for_text("The GPU could not be opened", 60)
        .await?;
    page.open_advanced().await?;
    page.choose("Backend", "WebGPU").await?;
    page.wait_for_text("CPU · GPU refused", 60).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Step").await?;
    page.wait_for_state(&["paused"], 60).await?;
    page.close().await
}

#[tokio::test]
async fn an_early_start_waits_until_all_is_there() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(Fault::Missing(
        "t10k-labels-idx1-ubyte.ff7bcfd4.gz".into(),
    )));
    let page = Page::open(&server, WebGpu::AsIs).await?;
    page.wait_for_text("MNIST stopped loading at", 60).await?;
    page.press("button", "Start").await?;
    page.wait_for_text("Will start when ready", 10).await?;
    server.set_fault(None);
    page.press("button", "Try again").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.close().await
}
