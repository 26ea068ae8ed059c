//! Sweeps in the tab: what differs, the runs one after the other, and what came of them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use kiln_tests::browser::WebGpu;
use kiln_tests::faults::clock_breaks_after;
use kiln_tests::page::{Page, STORES, denies, with_database};
use kiln_tests::server::{Fault, Pace, Server};
use kiln_tests::{HarnessError, native};
use serde_json::json;

type Outcome = Result<(), HarnessError>;

/// What stands in a column of the table of runs.
fn column(number: u32) -> String {
    format!(
        "[...document.querySelectorAll('.results > .scroll tbody tr')]
           .map(row => row.children[{number}].innerText.trim())"
    )
}

const NAMES: u32 = 1;
const LOSSES: u32 = 2;

/// Shows Sweep, with short runs set in Train.
async fn open(server: &Server) -> Result<Page, HarnessError> {
    let page = Page::open_ready(server).await?;
    page.press("button", "Quick taste").await?;
    page.press("link", "Sweep").await?;
    Ok(page)
}

/// Says which values a setting is to have.
async fn vary(page: &Page, setting: &str, values: &str) -> Outcome {
    page.type_into("textbox", setting, values).await
}

/// Begins a sweep of two runs.
async fn begin_two(page: &Page) -> Outcome {
    vary(page, "Learning rate", "0.001, 0.003").await?;
    vary(page, "Dropout", "").await?;
    page.press("button", "Start the sweep").await
}

/// Has the run wait that is open.
async fn pause_run(page: &Page) -> Outcome {
    page.press("link", "Train").await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 60).await
}

async fn strings(page: &Page, expression: &str) -> Result<Vec<String>, HarnessError> {
    let found = page.evaluate(expression).await?;
    Ok(serde_json::from_value(found).unwrap_or_default())
}

#[tokio::test]
async fn a_grid_is_trained_and_its_best_stands_first() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = open(&server).await?;
    vary(&page, "Learning rate", "0.0003, 0.001, 0.003").await?;
    vary(&page, "Dropout", "0 to 1.5 in 2").await?;
    page.wait_for_text("Dropout must be from 0 to 0.9, not 1.5.", 10)
        .await?;
    vary(&page, "Dropout", "0, 0.4").await?;
    page.wait_for_text("6 runs", 10).await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1: 1 of 6 runs.", 60).await?;
    page.wait_for_text("sweep-1 is done: 6 runs.", 240).await?;
    page.wait_for_text("The best is sweep-1-", 10).await?;

    let losses = strings(&page, &column(LOSSES)).await?;
    let losses: Vec<f64> = losses.iter().map(|loss| loss.parse().unwrap()).collect();
    assert_eq!(losses.len(), 6);
    assert!(losses.is_sorted(), "{losses:?}");
    // A higher rate learns more in one epoch; which is the best of six, the chart has last.
    page.wait_for_text("more is better", 10).await?;
    let drawn = "document.querySelectorAll('.parallel path').length";
    assert_eq!(page.evaluate(drawn).await?, json!(6));

    // The lower half of the axis of losses.
    let places = "(() => {
        const region = document.querySelector('.parallel .scroll').getBoundingClientRect();
        const axes = document.querySelectorAll('.parallel .brush');
        const axis = axes[axes.length - 1].getBoundingClientRect();
        const at = down => [(axis.x + axis.width / 2 - region.x) / region.width,
                            (axis.y + down * axis.height - region.y) / region.height];
        return [at(0.5), at(0.8), at(0.99)]; })()";
    let places: Vec<(f64, f64)> = serde_json::from_value(page.evaluate(places).await?).unwrap();
    page.drag("region", "Chart of runs across settings", &places)
        .await?;
    page.wait_for_text("of 6 runs are within the filters", 10)
        .await?;
    let within = strings(&page, &column(NAMES)).await?;
    assert!((1..6).contains(&within.len()), "{within:?}");
    page.press("button", "Clear the filters").await?;
    page.wait_for_value(&format!("{}.length", column(NAMES)), &json!(6), 10)
        .await?;
    page.press("link", "Compare the best 4").await?;
    page.wait_for_text("Dropout", 30).await?;
    page.close().await
}

/// The runs of the form, as the program beside the page makes them of its file.
#[tokio::test]
async fn a_sweep_leaves_as_a_file_for_kiln() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    page.press("link", "Train").await?;
    page.type_number("Epochs", "3").await?;
    page.press("link", "Sweep").await?;
    vary(&page, "Learning rate", "0.0003, 0.003").await?;
    vary(&page, "Dropout", "0 to 0.5 in 3").await?;
    vary(&page, "Optimizer", "adam, sgd").await?;
    page.wait_for_text("12 runs", 10).await?;
    page.type_into("textbox", "Name", "rates & more").await?;
    let file = page
        .save("Save for kiln sweep", "rates _ more.toml")
        .await?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("rates.toml"), file)?;
    let made = Command::new(native::kiln()?)
        .args(["sweep", "rates.toml", "--out", "rates"])
        .current_dir(folder.path())
        .output()?;
    assert!(made.status.success(), "{made:?}");
    let index = std::fs::read_to_string(folder.path().join("rates/index.csv"))?;
    assert_eq!(index.lines().count(), 1 + 12, "{index}");
    let mut made = Vec::new();
    for number in 1..=12 {
        let config = folder
            .path()
            .join(format!("rates/rates-{number:02}.config.json"));
        let config: serde_json::Value = serde_json::from_slice(&std::fs::read(config)?).unwrap();
        let settings = &config["settings"];
        assert_eq!(settings["epochs"], 3, "{config}");
        // Those of Quick taste, which are not the ordinary ones.
        assert_eq!(settings["training_images"], 6_000, "{config}");
        made.push(json!([
            settings["dropout"],
            settings["learning_rate"],
            settings["optimizer"]["name"]
        ]));
    }
    let mut expected = Vec::new();
    for dropout in [0.0, 0.25, 0.5] {
        for rate in [0.0003, 0.003] {
            expected.extend(["adam", "sgd"].map(|optimizer| json!([dropout, rate, optimizer])));
        }
    }
    assert_eq!(made, expected);
    page.close().await
}

#[tokio::test]
async fn of_a_halving_the_best_go_on_after_a_reload_too() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = open(&server).await?;
    page.press("radio", "Halving").await?;
    page.type_number("Runs", "4").await?;
    page.type_number("One goes on of", "2").await?;
    vary(&page, "Dropout", "").await?;
    vary(&page, "Learning rate", "0.0003 to 0.01 log").await?;
    page.wait_for_text("need more epochs than that. Raise Epochs in Train.", 10)
        .await?;
    page.press("link", "Train").await?;
    page.type_number("Epochs", "2").await?;
    page.press("link", "Sweep").await?;
    page.wait_for_text("4 to epoch 1, 2 to epoch 2", 10).await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1: 1 of 4 runs.", 120).await?;
    // In the middle of a run, or between two.
    page.reload().await?;
    page.wait_for_text("Go on with the sweep", 60).await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1: 3 of 4 runs.", 120).await?;
    page.press("button", "Pause the sweep").await?;
    page.wait_for_text("sweep-1 rests:", 10).await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 4 runs.", 240).await?;
    let epochs = "[...document.querySelectorAll('.results > .scroll tbody tr')]
        .map(row => row.innerText.split('\\t')[5])";
    assert_eq!(strings(&page, epochs).await?, ["2", "2", "1", "1"]);
    page.close().await
}

#[tokio::test]
async fn a_run_that_fails_comes_last_and_stops_nobody() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    server.set_fault(Some(Fault::spoilt(1)));
    let page = open(&server).await?;
    begin_two(&page).await?;
    page.wait_for_text("sweep-1-1 has failed and comes last in sweep-1.", 60)
        .await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    assert_eq!(
        strings(&page, &column(NAMES)).await?,
        ["sweep-1-2", "sweep-1-1"]
    );
    page.wait_for_text("Failed", 10).await?;
    page.close().await
}

#[tokio::test]
async fn what_a_person_deletes_is_not_trained_again() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = open(&server).await?;
    vary(&page, "Learning rate", "0.001, 0.002, 0.003").await?;
    vary(&page, "Dropout", "").await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1: 1 of 3 runs.", 60).await?;
    page.press("button", "Pause the sweep").await?;
    page.wait_for_state(&["finished"], 60).await?;
    page.press("link", "Runs").await?;
    page.press("button", "Delete sweep-1-1").await?;
    page.press("link", "Sweep").await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 3 runs.", 60).await?;
    let mut names = strings(&page, &column(NAMES)).await?;
    names.sort();
    assert_eq!(names, ["sweep-1-2", "sweep-1-3"]);
    page.close().await
}

/// A kept run of which a part is gone is passed over, at whatever the page notices it.
#[tokio::test]
async fn a_run_that_cannot_go_on_stops_nobody() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    begin_two(&page).await?;
    page.press("link", "Train").await?;
    page.wait_for_step(1, 60).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 60).await?;
    let kept = with_database(
        None,
        "return (await of(store('checkpoints').getAll())).length > 0;",
    );
    page.wait_for_value(&kept, &json!(true), 20).await?;
    let damages = [
        (
            "const stretch = (await of(store('segments').getAll())).find(stretch => stretch.run === id);
             stretch.bytes = stretch.bytes.slice(0, -1);
             await of(store('segments').put(stretch));",
            "sweep-1-1 cannot go on: a part of what happened in it cannot be read.",
        ),
        (
            "const file = await of(store('checkpoints').get(id));
             file.checkpoint[file.checkpoint.length - 9] ^= 1;
             await of(store('checkpoints').put(file));",
            "A kept run could not be read: the checkpoint was altered or damaged.",
        ),
    ];
    for (damage, said) in damages {
        let damage = format!(
            "const runs = await of(store('runs').getAll());
             const {{ id }} = runs.find(run => run.record.identity.name === 'sweep-1-1').record.identity;
             {damage} return true;"
        );
        page.evaluate(&with_database(None, &damage)).await?;
        page.reload().await?;
        page.press("link", "Sweep").await?;
        page.wait_for_text("Go on with the sweep", 60).await?;
        page.press("button", "Go on with the sweep").await?;
        page.wait_for_text(said, 60).await?;
        // The other is trained the first time, and left alone the second.
        page.wait_for_text("sweep-1 rests: 1 run of it did not go on.", 120)
            .await?;
        page.wait_for_text("sweep-1 rests: 1 of 2 runs.", 10)
            .await?;
    }
    page.close().await
}

#[tokio::test]
async fn who_cancels_a_run_pauses_its_sweep() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    // What is heard of the first run does not arrive: it stays about to begin.
    server.set_fault(Some(Fault::Before(
        "cpu_worker_loader.js",
        "let first;
         const post = self.postMessage.bind(self);
         if (self.name !== 'helper') self.postMessage = message => {
           const run = (message.Happened ?? message.Kept)?.run;
           first ??= run && String(run);
           if (!run || String(run) !== first) post(message);
         };"
        .into(),
    )));
    let page = open(&server).await?;
    begin_two(&page).await?;
    page.press("link", "Train").await?;
    page.press("button", "Cancel").await?;
    page.press("link", "Sweep").await?;
    page.wait_for_text("sweep-1 rests: 0 of 2 runs.", 10)
        .await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    assert_eq!(strings(&page, &column(NAMES)).await?.len(), 2);
    page.close().await
}

#[tokio::test]
async fn two_tabs_train_a_sweep_each() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    begin_two(&page).await?;
    // Its first run waits until the other tab has had its say.
    pause_run(&page).await?;
    let first = page.open_tab(&server).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.press("link", "Sweep").await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("Another tab goes on with sweep-1.", 10)
        .await?;
    page.type_into("textbox", "Name", "of the second tab")
        .await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("of the second tab is done: 2 runs.", 180)
        .await?;
    page.go_to_tab(first).await?;
    page.press("button", "Resume").await?;
    page.press("link", "Sweep").await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 180).await?;
    // The browser remembers the sweep that was begun last.
    page.reload().await?;
    page.wait_for_text("of the second tab is done: 2 runs.", 60)
        .await?;
    page.close().await
}

#[tokio::test]
async fn a_run_that_moves_to_another_tab_takes_its_sweep_along() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    begin_two(&page).await?;
    pause_run(&page).await?;
    page.press("link", "Sweep").await?;
    let first = page.open_tab(&server).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Move training here").await?;
    page.wait_for_state(&["finished"], 60).await?;
    page.press("link", "Sweep").await?;
    page.wait_for_text("Go on with the sweep", 60).await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    // The first tab lets go of the sweep, and sees what becomes of it.
    page.go_to_tab(first).await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 10).await?;
    page.close().await
}

/// So many images of one's own, of stripes that tell the ten classes apart: a file of images and one
/// of labels.
fn stripes(folder: &Path, count: u32) -> [PathBuf; 2] {
    let header = |kind: u8, sizes: &[u32]| {
        let sizes = sizes.iter().flat_map(|size| size.to_be_bytes());
        [0, 0, 8, kind]
            .into_iter()
            .chain(sizes)
            .collect::<Vec<u8>>()
    };
    let mut images = header(3, &[count, 28, 28]);
    let mut labels = header(1, &[count]);
    for number in 0..count {
        let class = number % 10;
        let pixel = |place: u32| if place / 28 / 3 == class { 255 } else { 0 };
        images.extend((0..28 * 28).map(pixel));
        labels.push(class as u8);
    }
    [("stripes-images", images), ("stripes-labels", labels)].map(|(name, bytes)| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    })
}

#[tokio::test]
async fn on_other_data_a_sweep_rests() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    begin_two(&page).await?;
    page.press("button", "Pause the sweep").await?;
    page.wait_for_text("sweep-1 rests: 1 of 2 runs.", 60)
        .await?;
    page.wait_for_state(&["finished"], 60).await?;
    page.press("link", "Data").await?;
    let folder = tempfile::tempdir()?;
    page.choose_files("Import", &stripes(folder.path(), 1_400))
        .await?;
    page.wait_for_text("became the test set", 60).await?;
    page.wait_for_state(&["finished"], 60).await?;
    page.press("link", "Sweep").await?;
    let file = page.save("Save for kiln sweep", "sweep-2.toml").await?;
    let file = String::from_utf8_lossy(&file).into_owned();
    assert!(file.starts_with("# On \"stripes"), "{file}");
    assert!(file.contains("not MNIST: say --data FILES"), "{file}");
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text(
        "sweep-1 rests: its runs are trained on other data than there is now.",
        10,
    )
    .await?;
    page.press("link", "Data").await?;
    page.press("button", "Use MNIST again").await?;
    page.wait_for_text("1 135", 60).await?;
    page.press("link", "Sweep").await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    page.close().await
}

#[tokio::test]
async fn a_sweep_whose_trainer_breaks_again_and_again_rests() -> Outcome {
    let server = Server::start().await?;
    server.set_fault(Some(clock_breaks_after(20)));
    let page = open(&server).await?;
    begin_two(&page).await?;
    page.wait_for_text("The trainer stopped. Saved to step", 120)
        .await?;
    page.wait_for_text("sweep-1 rests: 0 of 2 runs.", 10)
        .await?;
    server.set_fault(None);
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    page.close().await
}

#[tokio::test]
async fn a_sweep_whose_runs_are_out_of_sight_rests() -> Outcome {
    let server = Server::start().await?;
    let page = open(&server).await?;
    begin_two(&page).await?;
    page.press("button", "Pause the sweep").await?;
    page.wait_for_text("sweep-1 rests: 1 of 2 runs.", 60)
        .await?;
    page.wait_for_state(&["finished"], 60).await?;
    page.before_loading(&denies(&["indexedDB"])).await?;
    page.reload().await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Go on with the sweep").await?;
    page.wait_for_text(
        "sweep-1 rests: its runs are kept by this browser, which does not open its store now.",
        10,
    )
    .await?;
    assert_eq!(page.state().await?, "ready");
    page.close().await
}

#[tokio::test]
async fn a_window_that_keeps_nothing_sweeps_what_it_can() -> Outcome {
    let server = Server::start_at(Pace::Full).await?;
    let page = Page::open_after(&server, WebGpu::AsIs, &denies(STORES)).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.type_number("Epochs", "2").await?;
    page.press("link", "Sweep").await?;
    vary(&page, "Learning rate", "0.001, 0.003").await?;
    vary(&page, "Dropout", "").await?;
    page.press("radio", "Halving").await?;
    page.type_number("Runs", "2").await?;
    page.type_number("One goes on of", "2").await?;
    page.wait_for_text("this window keeps none. Choose another search.", 10)
        .await?;
    page.press("radio", "Grid").await?;
    page.press("button", "Start the sweep").await?;
    page.wait_for_text("sweep-1 is done: 2 runs.", 120).await?;
    assert_eq!(strings(&page, &column(NAMES)).await?.len(), 2);
    assert!(page.has("link", "Compare the best 2").await?);
    page.close().await
}
