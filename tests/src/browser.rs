//! Starts Chromium through its driver, with an empty profile.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use thirtyfour::{Capabilities, ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};
use tokio::process::{Child, Command};

use crate::HarnessError;

/// Whether Chromium offers WebGPU, by its software adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebGpu {
    /// As it comes.
    AsIs,
    /// On SwiftShader.
    Software,
}

pub(crate) const QUIET: [&str; 9] = [
    "--headless",
    // As on most desks; without it the window is as small as the browser pleases.
    "--window-size=1440,900",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
];
const SOFTWARE_GPU: [&str; 3] = [
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--use-webgpu-adapter=swiftshader",
];

/// What a Chromium leaves on the disk, for the next one to find; a handle that is copied about.
#[derive(Clone, Debug)]
pub struct Profile(Arc<TempDir>);

impl Profile {
    /// An empty one.
    ///
    /// # Errors
    /// No room on the disk.
    pub fn new() -> Result<Self, HarnessError> {
        Ok(Self(Arc::new(tempfile::tempdir()?)))
    }

    /// The argument that names it, by which the processes are found that use it.
    fn argument(&self) -> String {
        format!("--user-data-dir={}", self.0.path().display())
    }

    /// Sends a signal to every process that uses it.
    fn signal(&self, signal: &str) {
        // Where there is no such program, Chromium goes when the machine does.
        drop(
            std::process::Command::new("pkill")
                .args([signal, "-f", "--", &self.argument()])
                .status(),
        );
    }

    /// Whether any process uses it.
    fn is_used(&self) -> bool {
        let found = std::process::Command::new("pgrep")
            .args(["-f", "--", &self.argument()])
            .stdout(Stdio::null())
            .status();
        found.is_ok_and(|status| status.success())
    }
}

/// A running Chromium; it ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    /// Speaks to it.
    pub driver: WebDriver,
    /// Where its downloads arrive.
    pub downloads: TempDir,
    process: Child,
    profile: Profile,
}

impl Browser {
    /// Starts the driver on a free port, and Chromium by it.
    ///
    /// # Errors
    /// No driver or no Chromium on this machine.
    pub async fn start(web_gpu: WebGpu) -> Result<Self, HarnessError> {
        Self::start_in(web_gpu, Profile::new()?).await
    }

    /// The same, where another Chromium has been before.
    ///
    /// # Errors
    /// No driver or no Chromium on this machine.
    pub async fn start_in(web_gpu: WebGpu, profile: Profile) -> Result<Self, HarnessError> {
        let port = free_port()?;
        let driver = std::env::var("CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned());
        let process = Command::new(driver)
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in QUIET {
            capabilities.add_arg(argument)?;
        }
        if web_gpu == WebGpu::Software {
            for argument in SOFTWARE_GPU {
                capabilities.add_arg(argument)?;
            }
        }
        capabilities.add_arg(&profile.argument())?;
        let url = format!("http://127.0.0.1:{port}");
        let driver = connect(&url, capabilities).await?;
        Ok(Self {
            driver,
            downloads: tempfile::tempdir()?,
            process,
            profile,
        })
    }
}

impl Browser {
    /// Bytes in memory of the process that shows the page: the largest of those that show any.
    ///
    /// # Errors
    /// A system that does not say, as any but Linux.
    pub fn tab_bytes(&self) -> Result<u64, HarnessError> {
        let profile = self.profile.argument();
        let mut most = 0;
        for process in std::fs::read_dir("/proc")? {
            let process = process?.path();
            // Processes come and go meanwhile.
            let Ok(line) = std::fs::read_to_string(process.join("cmdline")) else {
                continue;
            };
            if line.contains(&profile) && line.contains("--type=renderer") {
                let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
                let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
                let kilobytes = resident.and_then(|size| size.split_whitespace().next());
                let bytes = kilobytes.and_then(|size| size.parse::<u64>().ok());
                most = most.max(1_024 * bytes.unwrap_or_default());
            }
        }
        Ok(most)
    }
}

impl Browser {
    /// Ends all of its processes at once, as a machine does that loses its power, and waits until they
    /// are gone.
    pub async fn kill(self) {
        let profile = self.profile.clone();
        while profile.is_used() {
            profile.signal("-KILL");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Browser {
    /// A test that fails ends the driver in the middle of its work, and Chromium would train on.
    /// Asking the driver to close it, as is done when nobody has quit, takes minutes.
    fn drop(&mut self) {
        // Whoever has quit has nothing left to leave, and a driver that has ended needs no killing.
        drop(self.driver.clone().leak());
        drop(self.process.start_kill());
        self.profile.signal("-TERM");
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> Result<u16, HarnessError> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}

/// Connects as soon as the driver listens.
pub(crate) async fn connect(
    url: &str,
    capabilities: impl Into<Capabilities> + Clone,
) -> Result<WebDriver, HarnessError> {
    const ATTEMPTS: u32 = 100;
    let mut attempt = 0;
    loop {
        match WebDriver::new(url, capabilities.clone()).await {
            Ok(driver) => return Ok(driver),
            Err(error) if attempt == ATTEMPTS => return Err(error.into()),
            Err(_) => attempt += 1,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
