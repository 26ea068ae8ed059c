//! A run that leaves one browser as a file and goes on in another.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kiln_model::preset::Preset;
use kiln_tests::page::Page;
use kiln_tests::server::Server;
use kiln_tests::{HarnessError, native};
use serde_json::{Value, json};
use tempfile::TempDir;

type Outcome = Result<(), HarnessError>;

/// A file of these bytes, to be chosen.
fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> Result<Vec<PathBuf>, HarnessError> {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes)?;
    Ok(vec![path])
}

/// Settings and results of the run that Files shows.
async fn config(page: &Page, name: &str) -> Result<Value, HarnessError> {
    let config = page.download(&format!("{name}.config.json")).await?;
    Ok(serde_json::from_slice(&config).unwrap_or_default())
}

/// Begins a run, pauses it and shows its files; says what it is called and how far it is.
async fn pause_under_way(page: &Page) -> Result<(String, u32), HarnessError> {
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(10, 60).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let step = page.steps_done().await?;
    Ok((page.show_files().await?, step))
}

/// A run under way is taken along, and its losses are those of one that was never moved.
#[tokio::test]
async fn a_run_goes_on_in_another_browser() -> Outcome {
    let expected = native::fingerprint(Preset::QuickTaste.config()).await?;
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    let (name, step) = pause_under_way(&page).await?;
    page.wait_for_text("It is not over", 30).await?;
    page.wait_for_text("Not saved to a .kiln.zip yet.", 10)
        .await?;
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    page.wait_for_text("Last saved to a .kiln.zip: 20", 10)
        .await?;
    page.close().await?;

    let page = Page::open_ready(&server).await?;
    let folder = tempfile::tempdir()?;
    page.press("link", "Runs").await?;
    let files = file(&folder, "taken along.kiln.zip", &archive)?;
    page.choose_files("Import", &files).await?;
    page.wait_for_text(&format!("Imported {name}."), 30).await?;
    page.press("button", &name).await?;
    page.wait_for_text("Interrupted", 10).await?;
    page.press("button", "Open").await?;
    page.wait_for_state(&["interrupted"], 30).await?;
    assert_eq!(page.steps_done().await?, step);
    page.press("button", "Resume").await?;
    page.wait_for_state(&["finished"], 300).await?;
    page.show_files().await?;
    assert_eq!(config(&page, &name).await?["fingerprint"], expected);
    page.close().await
}

/// From the tab to a process of this machine, and back: one history, with every device in it.
#[tokio::test]
async fn a_run_goes_on_beyond_the_tab_and_back() -> Outcome {
    let expected = native::fingerprint(Preset::QuickTaste.config()).await?;
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    let (name, step) = pause_under_way(&page).await?;
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    page.close().await?;

    let folder = tempfile::tempdir()?;
    file(&folder, "tab.kiln.zip", &archive)?;
    let arguments = ["train", "tab.kiln.zip", "--out", "native", "--json"];
    let mut kiln = Command::new(native::kiln()?)
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut told = String::new();
    BufReader::new(kiln.stdout.take().unwrap()).read_line(&mut told)?;
    let pid = kiln.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()?
            .success()
    );
    assert!(kiln.wait()?.success());

    let page = Page::open_ready(&server).await?;
    page.press("link", "Runs").await?;
    let left = folder.path().join(format!("native/{name}.kiln.zip"));
    page.choose_files("Import", &[left]).await?;
    page.wait_for_text(&format!("Imported {name}."), 30).await?;
    page.press("button", &name).await?;
    page.press("button", "Open").await?;
    page.wait_for_state(&["interrupted"], 30).await?;
    assert!(page.steps_done().await? > step);
    page.press("button", "Resume").await?;
    page.wait_for_state(&["finished"], 300).await?;
    page.show_files().await?;
    assert_eq!(config(&page, &name).await?["fingerprint"], expected);
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    let runs = kiln_run::import::archive::runs(&archive).unwrap().runs;
    let run = runs[0].parcel.read().unwrap();
    let devices = run.identity.taken_up.iter().map(|taken| &taken.device);
    let is_native: Vec<bool> = devices.map(|device| device.starts_with("Native")).collect();
    assert_eq!(is_native, [false, true, false]);
    page.close().await
}

/// What a sweep has trained is imported and compared.
#[tokio::test]
async fn a_sweep_is_compared_in_the_page() -> Outcome {
    let folder = tempfile::tempdir()?;
    std::fs::write(
        folder.path().join("rate.toml"),
        "search = \"grid\"\n[settings]\nepochs = 1\ntraining_images = 1000\n\
         [vary]\nlearning_rate = [0.001, 0.003]\ndropout = [0.0, 0.5]\n",
    )?;
    let swept = Command::new(native::kiln()?)
        .args(["sweep", "rate.toml", "--out", "swept", "--run"])
        .current_dir(folder.path())
        .status()?;
    assert!(swept.success());
    let archive = |run: u32| folder.path().join(format!("swept/rate-{run}.kiln.zip"));
    let archives: Vec<PathBuf> = (1..=4).map(archive).collect();

    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.press("link", "Runs").await?;
    page.choose_files("Import", &archives).await?;
    let mut listed = page.listed(4).await?;
    listed.sort();
    assert_eq!(listed, ["rate-1", "rate-2", "rate-3", "rate-4"]);
    // They are one sweep there too.
    page.press("link", "Sweep").await?;
    page.wait_for_text("Runs across settings", 30).await?;
    page.wait_for_text("4 runs", 10).await?;
    page.press("link", "Compare").await?;
    // The setting that differs, and what came of it.
    page.wait_for_text("Dropout", 30).await?;
    let shown = page.text().await?;
    for name in listed {
        assert!(shown.contains(&name), "{shown}");
    }
    page.close().await
}

/// The same run twice is one run; another state of it is asked about.
#[tokio::test]
async fn the_same_run_twice_is_one_run() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    let name = page.show_files().await?;
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    let folder = tempfile::tempdir()?;
    let files = file(&folder, "first.kiln.zip", &archive)?;
    page.choose_files("Import", &files).await?;
    page.wait_for_text(
        &format!("{name} is here already, just as in first.kiln.zip."),
        30,
    )
    .await?;
    // It goes on here by a step.
    page.press("link", "Train").await?;
    page.press("button", "Continue").await?;
    page.wait_for_state(&["running"], 30).await?;
    page.wait_for_step(3, 30).await?;
    page.press("button", "Stop").await?;
    page.wait_for_state(&["finishing"], 30).await?;
    page.press("button", "Skip scoring").await?;
    page.wait_for_state(&["stopped"], 30).await?;
    page.press("link", "Runs").await?;
    page.choose_files("Import", &files).await?;
    page.wait_for_text("first.kiln.zip holds another state of what is here", 30)
        .await?;
    page.press("button", "Keep both").await?;
    page.wait_for_text(&format!("Imported {name}-2."), 30)
        .await?;
    assert_eq!(page.listed(2).await?.len(), 2);
    // And in its place.
    page.choose_files("Import", &files).await?;
    page.wait_for_text("holds another state of what is here", 30)
        .await?;
    page.press("button", "Replace").await?;
    page.wait_for_text(&format!("Imported {name}."), 30).await?;
    page.press("button", &name).await?;
    page.press("button", "Open").await?;
    page.press("link", "Train").await?;
    page.wait_for_text("Stopped · Epoch 1/", 30).await?;
    assert_eq!(page.steps_done().await?, 1);
    page.close().await
}

/// What is damaged changes nothing, and is told in a sentence; what is dropped beside everything is
/// taken too, and never navigates away.
#[tokio::test]
async fn bad_archives_are_a_sentence() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    page.keep_short_run().await?;
    let name = page.show_files().await?;
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    let folder = tempfile::tempdir()?;
    let half = file(&folder, "half.zip", &archive[..archive.len() / 2])?;
    page.choose_files("Import", &half).await?;
    page.wait_for_text("half.zip is no whole zip file", 30)
        .await?;
    assert!(page.text().await?.contains("Nothing was changed."));
    let mut altered = archive.clone();
    for byte in &mut altered[200..400] {
        *byte ^= 0x55;
    }
    page.choose_files("Import", &file(&folder, "altered.zip", &altered)?)
        .await?;
    page.wait_for_text("altered.zip holds", 30).await?;
    // Dropped on the top of the page.
    let bytes: Vec<Value> = archive.iter().map(|byte| json!(byte)).collect();
    let drop = format!(
        "(() => {{ const files = new DataTransfer();
             files.items.add(new File([new Uint8Array({})], 'dropped.zip'));
             document.querySelector('header').dispatchEvent(
               new DragEvent('drop', {{ dataTransfer: files, bubbles: true, cancelable: true }})); }})()",
        Value::from(bytes)
    );
    page.evaluate(&drop).await?;
    page.wait_for_text(
        &format!("{name} is here already, just as in dropped.zip."),
        30,
    )
    .await?;
    let kept = page.evaluate("location.hash").await?;
    assert!(kept.as_str().unwrap().starts_with("#/files?run="), "{kept}");
    page.close().await
}

/// Weights of other programs become a run that can be evaluated and trained on.
#[tokio::test]
async fn weights_of_other_programs_become_runs() -> Outcome {
    let server = Server::start().await?;
    let page = Page::open_ready(&server).await?;
    let fixtures = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/fixtures"));
    page.press("link", "Files").await?;
    let files = ["state_dict.pt", "dynamo.onnx"].map(|name| fixtures.join(name));
    page.choose_files("Import", &files).await?;
    // Of several files it is told once.
    page.wait_for_text("Imported state_dict, dynamo.", 30)
        .await?;
    page.press("link", "Evaluate").await?;
    let mut headlines = Vec::new();
    for name in ["state_dict", "dynamo"] {
        page.choose("Run", name).await?;
        page.choose("Split", "Test").await?;
        page.press("button", "Score now").await?;
        page.wait_for_text("wrong of 10 000", 120).await?;
        let text = page.text().await?;
        let headline = text.lines().find(|line| line.contains("wrong of 10 000"));
        headlines.push(headline.map(str::to_owned));
    }
    // The same weights answer the same.
    assert!(headlines[0].is_some());
    assert_eq!(headlines[0], headlines[1]);
    page.press("link", "Runs").await?;
    page.press("button", "state_dict").await?;
    page.press("button", "Open").await?;
    page.press("link", "Train").await?;
    page.press("button", "Continue").await?;
    page.wait_for_state(&["running"], 60).await?;
    page.wait_for_step(2, 60).await?;
    let name = page.show_files().await?;
    assert_eq!(name, "state_dict");
    // What is of another network changes nothing.
    let folder = tempfile::tempdir()?;
    let cut = std::fs::read(fixtures.join("state_dict.pt"))?;
    page.choose_files("Import", &file(&folder, "cut.pt", &cut[..9_000])?)
        .await?;
    page.wait_for_text("cut.pt is no whole zip file", 30)
        .await?;
    page.close().await
}
