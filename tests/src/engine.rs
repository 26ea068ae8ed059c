//! A browser of any engine, driven as a person drives it: by what it shows, through WebDriver alone.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{By, Capabilities, WebDriver, WebElement};
use tokio::process::{Child, Command};

use crate::HarnessError;
use crate::browser::{QUIET, connect, free_port};
use crate::server::Server;

/// What compiles the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium's.
    Blink,
    /// Firefox's.
    Gecko,
    /// WebKitGTK's, in the browser that comes with it.
    WebKit,
}

/// A file that the page has saved.
#[derive(Debug)]
pub enum Saved {
    /// On disk.
    File(PathBuf),
    /// In the page: WebKitGTK's browser writes nothing to disk while it is driven.
    InPage,
}

/// Has the page keep what it saves.
const KEEP_SAVED: &str = "const create = URL.createObjectURL;
    URL.createObjectURL = blob => { window.saved = blob; return create.call(URL, blob); };";
/// Chooses what the page has saved, as a person would choose it on disk.
const CHOOSE_SAVED: &str = "const chosen = new DataTransfer();
    chosen.items.add(new File([window.saved], 'run.kiln.zip'));
    const input = document.querySelector('input[type=file]');
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));";

/// Where Debian puts WebKitGTK's browser.
const MINI_BROWSER: &str = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
/// Of the screen that WebKitGTK's browser, which knows no other, is shown on.
const SCREEN: &str = "1440x900x24";

/// A browser that shows the page; it ends when this is dropped.
#[derive(Debug)]
pub struct Visit {
    engine: Engine,
    driver: WebDriver,
    process: Child,
    _screen: Option<Child>,
    /// What it keeps, its downloads and its log among that.
    home: TempDir,
}

impl Visit {
    /// Opens the page that `server` serves.
    ///
    /// # Errors
    /// No such browser on this machine, or no driver of it.
    pub async fn begin(engine: Engine, server: &Server) -> Result<Self, HarnessError> {
        let home = tempfile::tempdir()?;
        let downloads = home.path().join("Downloads");
        std::fs::create_dir(&downloads)?;
        let port = free_port()?;
        let (mut command, screen) = match engine {
            Engine::Blink => (driver("CHROMEDRIVER", "chromedriver", port), None),
            Engine::Gecko => {
                let mut command = driver("GECKODRIVER", "geckodriver", port);
                // Its own two ports are by default the same for each.
                command.args(["--websocket-port", &free_port()?.to_string()]);
                (command, None)
            }
            Engine::WebKit => {
                let (screen, name) = screen(home.path()).await?;
                let mut command = driver("WEBKITDRIVER", "WebKitWebDriver", port);
                command
                    .env("DISPLAY", name)
                    .env("HOME", home.path())
                    // Who is root has no sandbox, and a container no graphics.
                    .env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1")
                    .env("LIBGL_ALWAYS_SOFTWARE", "1")
                    .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
                (command, Some(screen))
            }
        };
        let log = File::create(home.path().join("log"))?;
        let process = command
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let capabilities = capabilities(engine, home.path())?;
        let opened = connect(&format!("http://127.0.0.1:{port}"), capabilities).await;
        let driver = opened.map_err(|error| dead(home.path(), &error.to_string()))?;
        let visit = Self {
            engine,
            driver,
            process,
            _screen: screen,
            home,
        };
        visit.driver.goto(server.url()).await?;
        Ok(visit)
    }

    /// Loads the page anew; a question whether to leave it is answered.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn reload(&mut self) -> Result<(), HarnessError> {
        // As a person does it: a driver's own way leaves out what the browser keeps of the page.
        self.evaluate("window.isLeft = true; setTimeout(() => location.reload());")
            .await?;
        let start = Instant::now();
        loop {
            match self.evaluate("return window.isLeft === undefined").await {
                Ok(Value::Bool(true)) => return Ok(()),
                Ok(_) => {}
                // It asks whether it is to be left, or is just being left.
                Err(_) => drop(self.driver.accept_alert().await),
            }
            self.look_again("the page, loaded anew", start, 60).await?;
        }
    }

    /// Presses a button or a link by its accessible name, as soon as it can be pressed.
    ///
    /// # Errors
    /// No such thing in time.
    pub async fn press(&mut self, name: &str) -> Result<(), HarnessError> {
        let start = Instant::now();
        loop {
            if let Some(found) = self.named(name).await?
                && found.is_enabled().await.unwrap_or_default()
                && found.click().await.is_ok()
            {
                return Ok(());
            }
            self.look_again(&format!("{name}, to be pressed"), start, 20)
                .await?;
        }
    }

    /// A button or a link that is shown.
    async fn named(&self, name: &str) -> Result<Option<WebElement>, HarnessError> {
        let path = format!(
            "//button[normalize-space()='{name}' or @aria-label='{name}'] | //a[normalize-space()='{name}']"
        );
        for found in self.driver.find_all(By::XPath(path)).await? {
            if found.is_displayed().await.unwrap_or_default() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Waits until the page is in a state.
    ///
    /// # Errors
    /// A page that is in another one after `secs`.
    pub async fn wait_for_state(&mut self, state: &str, secs: u64) -> Result<(), HarnessError> {
        let script = format!("return document.documentElement.dataset.state === '{state}'");
        self.wait_until(&script, secs).await
    }

    /// Waits until the page shows a text.
    ///
    /// # Errors
    /// A page that does not show it after `secs`.
    pub async fn wait_for_text(&mut self, text: &str, secs: u64) -> Result<(), HarnessError> {
        let script = format!(
            "return document.body.innerText.replaceAll('\\u2009', ' ').includes({})",
            json!(text)
        );
        self.wait_until(&script, secs).await
    }

    /// Waits until a function's body comes to true.
    ///
    /// # Errors
    /// One that does not after `secs`.
    pub async fn wait_until(&mut self, body: &str, secs: u64) -> Result<(), HarnessError> {
        let start = Instant::now();
        // A page that is being left has no value.
        while !matches!(self.evaluate(body).await, Ok(Value::Bool(true))) {
            self.look_again(body, start, secs).await?;
        }
        Ok(())
    }

    /// What a function's body comes to.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn evaluate(&self, body: &str) -> Result<Value, HarnessError> {
        let answer = self.driver.execute(body, Vec::new()).await?;
        Ok(answer.json().clone())
    }

    /// Presses a button that saves a file, and waits for the whole of it.
    ///
    /// # Errors
    /// A file that does not arrive.
    pub async fn download(&mut self, file: &str) -> Result<Saved, HarnessError> {
        if self.engine == Engine::WebKit {
            self.evaluate(KEEP_SAVED).await?;
            self.press(&format!("Download {file}")).await?;
            self.wait_until("return window.saved?.size > 0", 30).await?;
            return Ok(Saved::InPage);
        }
        self.press(&format!("Download {file}")).await?;
        let path = self.home.path().join("Downloads").join(file);
        let start = Instant::now();
        let mut before = 0;
        loop {
            let now = std::fs::metadata(&path).map_or(0, |file| file.len());
            if now > 0 && now == before {
                return Ok(Saved::File(path));
            }
            before = now;
            self.look_again(&format!("the download of {file}"), start, 30)
                .await?;
        }
    }

    /// Chooses what was saved where the page takes files in.
    ///
    /// # Errors
    /// A page that takes none.
    pub async fn import(&self, saved: &Saved) -> Result<(), HarnessError> {
        let Saved::File(path) = saved else {
            self.evaluate(CHOOSE_SAVED).await?;
            return Ok(());
        };
        let input = self.driver.find(By::Css("input[type=file]")).await?;
        input.send_keys(path.display().to_string()).await?;
        Ok(())
    }

    /// The text that is shown.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn text(&self) -> Result<String, HarnessError> {
        let text = self.evaluate("return document.body.innerText").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits a moment, unless that has been done for too long or nobody is there any more.
    async fn look_again(
        &mut self,
        what: &str,
        start: Instant,
        secs: u64,
    ) -> Result<(), HarnessError> {
        self.is_alive()?;
        if start.elapsed() > Duration::from_secs(secs) {
            return Err(HarnessError::Waited {
                what: what.to_owned(),
                secs,
                shown: self.text().await.unwrap_or_default(),
            });
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok(())
    }

    fn is_alive(&mut self) -> Result<(), HarnessError> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => Err(dead(self.home.path(), &status.to_string())),
        }
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn end(self) -> Result<(), HarnessError> {
        Ok(self.driver.clone().quit().await?)
    }
}

impl Drop for Visit {
    /// A driver that is ended leaves its browser behind.
    fn drop(&mut self) {
        drop(self.driver.clone().leak());
        drop(self.process.start_kill());
        let home = self.home.path().display().to_string();
        // Where there is no such program, the browser goes when the machine does.
        drop(
            std::process::Command::new("pkill")
                .args(["-f", &home])
                .status(),
        );
    }
}

/// Why there is no browser any more, with the end of what it said.
fn dead(home: &Path, why: &str) -> HarnessError {
    const LINES: usize = 30;
    let log = std::fs::read_to_string(home.join("log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    HarnessError::Usage(format!("the browser has ended: {why}\n{last}"))
}

fn driver(variable: &str, usual: &str, port: u16) -> Command {
    let program = std::env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let mut command = Command::new(program);
    command.arg(format!("--port={port}"));
    command
}

/// A screen that nobody looks at, and its name.
async fn screen(home: &Path) -> Result<(Child, String), HarnessError> {
    let number = home.join("screen");
    let file = File::create(&number)?;
    let screen = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            SCREEN,
            "-nolisten",
            "tcp",
        ])
        .stdout(file)
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let start = Instant::now();
    loop {
        let said = std::fs::read_to_string(&number)?;
        if said.ends_with('\n') {
            return Ok((screen, format!(":{}", said.trim())));
        }
        if start.elapsed() > Duration::from_secs(20) {
            return Err(HarnessError::Usage("Xvfb does not start".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn capabilities(engine: Engine, home: &Path) -> Result<Capabilities, HarnessError> {
    let downloads = home.join("Downloads").display().to_string();
    let profile = home.join("profile").display().to_string();
    let always = match engine {
        Engine::Blink => {
            let mut args: Vec<String> = QUIET.map(str::to_owned).to_vec();
            args.push(format!("--user-data-dir={profile}"));
            json!({ "goog:chromeOptions": { "args": args, "prefs": {
                "download.default_directory": downloads, "download.prompt_for_download": false } } })
        }
        Engine::Gecko => {
            std::fs::create_dir(&profile)?;
            let firefox = std::env::var("FIREFOX").unwrap_or_else(|_| "firefox".to_owned());
            json!({ "moz:firefoxOptions": {
                "binary": firefox,
                "args": ["-headless", "-profile", profile],
                "prefs": { "browser.download.folderList": 2, "browser.download.dir": downloads,
                           "browser.download.alwaysOpenPanel": false,
                           "browser.helperApps.neverAsk.saveToDisk": "application/zip" } } })
        }
        Engine::WebKit => {
            let browser = std::env::var("MINIBROWSER").unwrap_or_else(|_| MINI_BROWSER.to_owned());
            json!({ "webkitgtk:browserOptions": { "binary": browser, "args": ["--automation"] } })
        }
    };
    let mut capabilities = Capabilities::default();
    if let Value::Object(always) = always {
        for (name, value) in always {
            capabilities.set(name, value)?;
        }
    }
    Ok(capabilities)
}
