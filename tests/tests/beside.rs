//! The page that `kiln serve` serves, whose runs a process beside the tab trains.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use kiln_model::config::Config;
use kiln_model::preset::Preset;
use kiln_tests::page::Page;
use kiln_tests::server::dist;
use kiln_tests::{HarnessError, native};

type Outcome = Result<(), HarnessError>;

/// What the top bar says while the process trains.
const BESIDE: &str = "This machine · CPU with ";

/// `kiln serve`, which ends with the test.
struct Beside {
    process: Child,
    /// The address that it says.
    address: String,
}

impl Beside {
    fn start() -> Result<Self, HarnessError> {
        let mut process = Command::new(native::kiln()?)
            .args(["serve", "--port", "0", "--page"])
            .arg(dist())
            .stderr(Stdio::piped())
            .spawn()?;
        let said = BufReader::new(process.stderr.take().unwrap());
        let mut addresses = said.lines().map_while(Result::ok).filter_map(|line| {
            let address = line.strip_prefix("Kiln is at ")?;
            Some(address.to_owned())
        });
        let address = addresses.next().unwrap();
        Ok(Self { process, address })
    }

    fn kill(&mut self) -> Outcome {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that was killed is gone.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Quick taste for so many epochs that it can be pressed, and broken, in the middle.
fn config() -> Config {
    Config {
        epochs: 8,
        ..Preset::QuickTaste.config()
    }
}

/// Begins a run with [`config`] and waits until it is under way.
async fn begin(page: &Page) -> Outcome {
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.type_number("Epochs", "8").await?;
    page.press("button", "Start").await?;
    page.wait_for_step(10, 60).await
}

#[tokio::test]
async fn the_tab_goes_on_with_a_run_whose_process_was_killed() -> Outcome {
    let expected = native::fingerprint(config()).await?;
    let mut beside = Beside::start()?;
    let page = Page::open_address(&beside.address).await?;
    page.wait_for_text(BESIDE, 60).await?;
    begin(&page).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    let paused = page.steps_done().await?;
    page.press("button", "Step").await?;
    page.wait_for_step(paused + 1, 30).await?;
    page.press("button", "Resume").await?;
    page.wait_for_state(&["running"], 30).await?;
    beside.kill()?;
    page.wait_for_text("The trainer on this machine stopped at step", 30)
        .await?;
    page.wait_for_text("in this tab.", 10).await?;
    page.wait_for_state(&["finished"], 300).await?;
    let name = page.show_files().await?;
    let archive = page.download(&format!("{name}.kiln.zip")).await?;
    let runs = kiln_run::import::archive::runs(&archive).unwrap().runs;
    let run = runs[0].parcel.read().unwrap();
    assert_eq!(run.history().fingerprint(), Some(expected));
    let devices = run.identity.taken_up.iter().map(|taken| &*taken.device);
    let devices: Vec<&str> = devices.collect();
    assert!(devices[0].starts_with("Native, CPU with "), "{devices:?}");
    assert_eq!(*devices.last().unwrap(), "CPU");
    page.close().await
}

/// What is set while it runs reaches the process, and what it answers the tab.
#[tokio::test]
async fn two_tabs_train_beside_each_other() -> Outcome {
    let beside = Beside::start()?;
    let page = Page::open_address(&beside.address).await?;
    page.wait_for_text(BESIDE, 60).await?;
    begin(&page).await?;
    page.press("button", "Pause").await?;
    page.wait_for_state(&["paused"], 30).await?;
    page.type_number("Epochs", "2").await?;

    let first = page.open_tab_after(&beside.address, "").await?;
    page.wait_for_text(BESIDE, 60).await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 120).await?;

    page.go_to_tab(first).await?;
    page.press("button", "Resume").await?;
    page.wait_for_state(&["finished"], 120).await?;
    page.press("link", "Evaluate").await?;
    page.wait_for_text("wrong of 10", 60).await?;
    page.close_other_tabs().await?;
    page.close().await
}

#[tokio::test]
async fn without_its_token_the_tab_trains_and_says_why() -> Outcome {
    let beside = Beside::start()?;
    let (before, _) = beside.address.split_once('=').unwrap();
    let page = Page::open_address(&format!("{before}=0123456789abcdef")).await?;
    page.wait_for_text(
        "The trainer on this machine cannot be used: it does not answer",
        60,
    )
    .await?;
    page.wait_for_state(&["ready"], 60).await?;
    page.press("button", "Quick taste").await?;
    page.press("button", "Start").await?;
    page.wait_for_state(&["finished"], 120).await?;
    page.close().await
}
