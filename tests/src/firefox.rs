//! Starts Firefox through its driver, with an empty profile, and presses what it shows.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use thirtyfour::{By, DesiredCapabilities, WebDriver};
use tokio::process::{Child, Command};

use crate::HarnessError;
use crate::browser::{connect, free_port};
use crate::server::Server;

/// A Firefox that shows the page; it ends when this is dropped.
#[derive(Debug)]
pub struct Firefox {
    driver: WebDriver,
    _process: Child,
    profile: TempDir,
}

impl Firefox {
    /// Opens the page that `server` serves.
    ///
    /// # Errors
    /// No geckodriver or no Firefox on this machine.
    pub async fn open(server: &Server) -> Result<Self, HarnessError> {
        let port = free_port()?;
        let program =
            |variable, usual: &str| std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
        let process = Command::new(program("GECKODRIVER", "geckodriver"))
            .arg(format!("--port={port}"))
            // Its own two ports are by default the same for each.
            .args(["--websocket-port", &free_port()?.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let profile = tempfile::tempdir()?;
        let mut capabilities = DesiredCapabilities::firefox();
        capabilities.set_headless()?;
        capabilities.set_firefox_binary(&program("FIREFOX", "firefox"))?;
        capabilities.add_arg("-profile")?;
        capabilities.add_arg(&profile.path().display().to_string())?;
        let driver = connect(&format!("http://127.0.0.1:{port}"), capabilities).await?;
        driver.goto(server.url()).await?;
        Ok(Self {
            driver,
            _process: process,
            profile,
        })
    }

    /// Presses a button by its name.
    ///
    /// # Errors
    /// No such button that can be pressed.
    pub async fn press(&self, name: &str) -> Result<(), HarnessError> {
        let named = format!("//button[normalize-space()='{name}' or @aria-label='{name}']");
        self.driver.find(By::XPath(named)).await?.click().await?;
        Ok(())
    }

    /// Waits until the page is in a state.
    ///
    /// # Errors
    /// A page that is in another one after `secs`.
    pub async fn wait_for_state(&self, state: &str, secs: u64) -> Result<(), HarnessError> {
        let limit = Instant::now() + Duration::from_secs(secs);
        loop {
            let root = self.driver.find(By::Css("html")).await?;
            let found = root.attr("data-state").await?.unwrap_or_default();
            if found == state {
                return Ok(());
            }
            if Instant::now() > limit {
                return Err(HarnessError::Waited {
                    what: format!("state {state} in Firefox, which is {found}"),
                    secs,
                    shown: self.text().await?,
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The text that is shown.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn text(&self) -> Result<String, HarnessError> {
        Ok(self.driver.find(By::Css("body")).await?.text().await?)
    }
}

impl Drop for Firefox {
    /// A driver that is ended leaves its browser behind.
    fn drop(&mut self) {
        let profile = self.profile.path().display().to_string();
        // Where there is no such program, Firefox goes when the machine does.
        drop(
            std::process::Command::new("pkill")
                .args(["-f", &profile])
                .status(),
        );
    }
}
