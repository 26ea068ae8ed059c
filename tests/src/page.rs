//! The page as a person uses it: things are found by role and accessible name.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::WindowHandle;

use crate::HarnessError;
use crate::browser::{Browser, Profile, WebGpu};
use crate::measurements::{Row, rows};
use crate::server::Server;

/// Where a browser keeps what a page has.
pub const STORES: &[&str] = &["localStorage", "indexedDB", "caches"];

/// A script that makes a browser one that denies these, as told by a person.
pub fn denies(stores: &[&str]) -> String {
    format!(
        "for (const name of {stores:?}) Object.defineProperty(window, name,
           {{ get() {{ throw new DOMException('The request was denied.', 'SecurityError'); }} }});"
    )
}

/// How often the page is looked at while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Whether the code of a screen is only now arriving.
const IS_ARRIVING: &str = "Boolean(document.querySelector('.arriving [role=status]'))";

/// A page in a Chromium of its own.
#[derive(Debug)]
pub struct Page {
    browser: Browser,
}

/// Notes what the page does against its policy.
const NOTE_VIOLATIONS: &str = "window.violations = [];
    addEventListener('securitypolicyviolation', event => violations.push(
      `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} ${event.sample}`));";

impl Page {
    /// Opens the page that `server` serves.
    ///
    /// # Errors
    /// No Chromium, or a page that cannot be opened.
    pub async fn open(server: &Server, web_gpu: WebGpu) -> Result<Self, HarnessError> {
        Self::open_after(server, web_gpu, "").await
    }

    /// Opens the page that `server` serves, after a script that makes the browser another.
    ///
    /// # Errors
    /// No Chromium, or a page that cannot be opened.
    pub async fn open_after(
        server: &Server,
        web_gpu: WebGpu,
        script: &str,
    ) -> Result<Self, HarnessError> {
        let page = Self::start(web_gpu).await?;
        page.before_loading(script).await?;
        page.browser.driver.goto(server.url()).await?;
        Ok(page)
    }

    /// Opens the page that `server` serves in a Chromium as it comes, and waits until it can start.
    ///
    /// # Errors
    /// No Chromium, or a page that does not become ready.
    pub async fn open_ready(server: &Server) -> Result<Self, HarnessError> {
        let page = Self::open(server, WebGpu::AsIs).await?;
        page.wait_for_state(&["ready"], 60).await?;
        Ok(page)
    }

    /// Runs a script before every page that is loaded from now on.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn before_loading(&self, script: &str) -> Result<(), HarnessError> {
        self.cdp(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": script }),
        )
        .await?;
        Ok(())
    }

    /// Opens another address of the server, with a browser as it is.
    ///
    /// # Errors
    /// No Chromium, or a page that cannot be opened.
    pub async fn open_at(server: &Server, path: &str) -> Result<Self, HarnessError> {
        Self::open_address(&format!("{}{path}", server.url())).await
    }

    /// Opens an address, with a browser as it is.
    ///
    /// # Errors
    /// No Chromium, or a page that cannot be opened.
    pub async fn open_address(address: &str) -> Result<Self, HarnessError> {
        let page = Self::start(WebGpu::AsIs).await?;
        page.go_to(address).await?;
        Ok(page)
    }

    /// Opens another address of the server, in a browser that finds what an earlier one left.
    ///
    /// # Errors
    /// No Chromium, or a page that cannot be opened.
    pub async fn open_again(
        server: &Server,
        path: &str,
        profile: Profile,
    ) -> Result<Self, HarnessError> {
        let browser = Browser::start_in(WebGpu::AsIs, profile).await?;
        let page = Self::show_nothing(browser).await?;
        page.go_to(&format!("{}{path}", server.url())).await?;
        Ok(page)
    }

    /// A Chromium that shows nothing yet.
    async fn start(web_gpu: WebGpu) -> Result<Self, HarnessError> {
        Self::show_nothing(Browser::start(web_gpu).await?).await
    }

    async fn show_nothing(browser: Browser) -> Result<Self, HarnessError> {
        let page = Self { browser };
        page.make_ready().await?;
        Ok(page)
    }

    /// Makes the tab that is looked at one that notes violations and saves files where they are looked for.
    async fn make_ready(&self) -> Result<(), HarnessError> {
        self.before_loading(NOTE_VIOLATIONS).await?;
        self.cdp(
            "Browser.setDownloadBehavior",
            json!({ "behavior": "allow", "downloadPath": self.browser.downloads.path() }),
        )
        .await?;
        Ok(())
    }

    async fn cdp(&self, command: &str, parameters: Value) -> Result<Value, HarnessError> {
        Ok(self
            .browser
            .driver
            .cdp()
            .send_raw(command, parameters)
            .await?)
    }

    /// The value of a JavaScript expression.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn evaluate(&self, expression: &str) -> Result<Value, HarnessError> {
        let answer = self
            .cdp(
                "Runtime.evaluate",
                json!({ "expression": expression, "returnByValue": true, "awaitPromise": true }),
            )
            .await?;
        value(&answer, expression)
    }

    /// What the page says it is doing.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn state(&self) -> Result<String, HarnessError> {
        let state = self
            .evaluate("document.documentElement.dataset.state")
            .await?;
        Ok(state.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page is in one of the states, and shows a screen.
    ///
    /// # Errors
    /// A page that does not get there in time.
    pub async fn wait_for_state(&self, states: &[&str], secs: u64) -> Result<(), HarnessError> {
        let what = format!("state {states:?}");
        let start = Instant::now();
        loop {
            let state = self.state().await?;
            if states.contains(&state.as_str()) && self.evaluate(IS_ARRIVING).await? == json!(false)
            {
                return Ok(());
            }
            self.look_again(&what, start, secs).await?;
        }
    }

    /// Waits until the text of the page holds `part`.
    ///
    /// # Errors
    /// A page that does not show it in time.
    pub async fn wait_for_text(&self, part: &str, secs: u64) -> Result<(), HarnessError> {
        let start = Instant::now();
        while !self.text().await?.contains(part) {
            self.look_again(part, start, secs).await?;
        }
        Ok(())
    }

    /// Waits until a JavaScript expression has this value.
    ///
    /// # Errors
    /// A page that does not get there in time.
    pub async fn wait_for_value(
        &self,
        expression: &str,
        value: &Value,
        secs: u64,
    ) -> Result<(), HarnessError> {
        let start = Instant::now();
        loop {
            match self.evaluate(expression).await {
                Ok(found) if found == *value => return Ok(()),
                // What it is about may not be there yet; if it never comes, that is the reason.
                Err(error @ HarnessError::Unreadable { .. }) => {
                    let again = self.look_again(expression, start, secs).await;
                    again.map_err(|_| error)?;
                }
                Ok(_) => self.look_again(expression, start, secs).await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// The training steps that the page says are done; none before the first.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn steps_done(&self) -> Result<u32, HarnessError> {
        let text = self.text().await?;
        let after = text.rsplit_once("· step ").map_or("", |(_, after)| after);
        let digits: String = after
            .chars()
            .take_while(|letter| *letter != '/')
            .filter(char::is_ascii_digit)
            .collect();
        Ok(digits.parse().unwrap_or(0))
    }

    /// Waits until so many training steps are done.
    ///
    /// # Errors
    /// A page that does not get there in time.
    pub async fn wait_for_step(&self, step: u32, secs: u64) -> Result<(), HarnessError> {
        let start = Instant::now();
        while self.steps_done().await? < step {
            self.look_again(&format!("step {step}"), start, secs)
                .await?;
        }
        Ok(())
    }

    /// Loads the page again, whatever it asks before it goes.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn reload(&self) -> Result<(), HarnessError> {
        // Without a touch by a person the browser does not ask; by the driver it might.
        self.evaluate("onbeforeunload = null; addEventListener('beforeunload', event => event.stopImmediatePropagation(), true)")
            .await?;
        Ok(self.browser.driver.refresh().await?)
    }

    /// Opens the page once more in a tab of its own and says which one was there before.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn open_tab(&self, server: &Server) -> Result<WindowHandle, HarnessError> {
        self.open_tab_after(&server.url(), "").await
    }

    /// The same of an address, after a script that makes the browser another.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn open_tab_after(
        &self,
        address: &str,
        script: &str,
    ) -> Result<WindowHandle, HarnessError> {
        let driver = &self.browser.driver;
        let before = driver.window().await?;
        let tab = driver.new_tab().await?;
        driver.switch_to_window(tab).await?;
        self.make_ready().await?;
        self.before_loading(script).await?;
        driver.goto(address).await?;
        Ok(before)
    }

    /// The tab that is looked at.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn tab(&self) -> Result<WindowHandle, HarnessError> {
        Ok(self.browser.driver.window().await?)
    }

    /// Hides the page behind another tab.
    ///
    /// # Errors
    /// A browser that does not answer, or does not hide the page in time.
    pub async fn hide(&self) -> Result<(), HarnessError> {
        self.cdp("Target.createTarget", json!({ "url": "about:blank" }))
            .await?;
        self.wait_for_value("document.hidden", &json!(true), 10)
            .await
    }

    /// Brings the page to the front again.
    ///
    /// # Errors
    /// A browser that does not answer, or does not show the page in time.
    pub async fn show(&self) -> Result<(), HarnessError> {
        self.cdp("Page.bringToFront", json!({})).await?;
        self.wait_for_value("document.hidden", &json!(false), 10)
            .await
    }

    /// Goes to a tab.
    ///
    /// # Errors
    /// A tab that is gone.
    pub async fn go_to_tab(&self, tab: WindowHandle) -> Result<(), HarnessError> {
        Ok(self.browser.driver.switch_to_window(tab).await?)
    }

    /// Closes every tab but this one, as a browser that crashes does: nothing is asked.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn close_other_tabs(&self) -> Result<(), HarnessError> {
        let driver = &self.browser.driver;
        let this = driver.window().await?;
        for tab in driver.windows().await? {
            if tab != this {
                driver.switch_to_window(tab).await?;
                driver.close_window().await?;
            }
        }
        Ok(driver.switch_to_window(this).await?)
    }

    /// Leaves the server's pages so many bytes of storage.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn limit_storage(&self, server: &Server, bytes: u64) -> Result<(), HarnessError> {
        let parameters = json!({ "origin": server.url(), "quotaSize": bytes });
        self.cdp("Storage.overrideQuotaForOrigin", parameters)
            .await?;
        Ok(())
    }

    /// Waits for the next look; gives up when the time is over.
    async fn look_again(&self, what: &str, start: Instant, secs: u64) -> Result<(), HarnessError> {
        if start.elapsed().as_secs() >= secs {
            return Err(HarnessError::Waited {
                what: what.to_owned(),
                secs,
                shown: self.text().await?,
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
        Ok(())
    }

    /// All text that the page shows.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn text(&self) -> Result<String, HarnessError> {
        let text = self.evaluate("document.body.innerText").await?;
        Ok(text.as_str().unwrap_or_default().replace('\u{2009}', " "))
    }

    /// Everything with this role and accessible name.
    async fn query(&self, role: &str, name: &str) -> Result<Vec<i64>, HarnessError> {
        let document = self.cdp("DOM.getDocument", json!({ "depth": 0 })).await?;
        let found = self
            .cdp(
                "Accessibility.queryAXTree",
                json!({
                    "backendNodeId": document["root"]["backendNodeId"],
                    "role": role,
                    "accessibleName": name,
                }),
            )
            .await?;
        let nodes = found["nodes"].as_array().cloned().unwrap_or_default();
        Ok(nodes
            .iter()
            .filter(|node| node["ignored"] != json!(true))
            .filter_map(|node| node["backendDOMNodeId"].as_i64())
            .collect())
    }

    /// Whether there is something with this role and accessible name.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn has(&self, role: &str, name: &str) -> Result<bool, HarnessError> {
        Ok(!self.query(role, name).await?.is_empty())
    }

    /// Calls a JavaScript function on what has this role and accessible name, waiting for it.
    ///
    /// # Errors
    /// Nothing of that name within ten seconds.
    pub async fn call(
        &self,
        role: &str,
        name: &str,
        function: &str,
    ) -> Result<Value, HarnessError> {
        let start = Instant::now();
        loop {
            if let Some(node) = self.query(role, name).await?.first() {
                let object = self
                    .cdp("DOM.resolveNode", json!({ "backendNodeId": node }))
                    .await;
                if let Ok(object) = object {
                    let answer = self
                        .cdp(
                            "Runtime.callFunctionOn",
                            json!({
                                "objectId": object["object"]["objectId"],
                                "functionDeclaration": function,
                                "returnByValue": true,
                                "awaitPromise": true,
                            }),
                        )
                        .await?;
                    return value(&answer, function);
                }
            }
            self.look_again(&format!("{role} “{name}”"), start, 10)
                .await?;
        }
    }

    /// Presses what has this role and accessible name, with the mouse, in its middle.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn press(&self, role: &str, name: &str) -> Result<(), HarnessError> {
        self.click(role, name, 1..=1).await
    }

    /// Clicks on what has this role and accessible name as the second click of a double click does.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn press_again(&self, role: &str, name: &str) -> Result<(), HarnessError> {
        self.click(role, name, 2..=2).await
    }

    /// Clicks twice at once on what has this role and accessible name, wherever it is by then.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn press_twice(&self, role: &str, name: &str) -> Result<(), HarnessError> {
        self.click(role, name, 1..=2).await
    }

    async fn click(
        &self,
        role: &str,
        name: &str,
        counts: RangeInclusive<u32>,
    ) -> Result<(), HarnessError> {
        let [x, y, width, height] = self.place_of(role, name).await?;
        let (x, y) = (x + width / 2.0, y + height / 2.0);
        for count in counts {
            for kind in ["mousePressed", "mouseReleased"] {
                self.cdp(
                    "Input.dispatchMouseEvent",
                    json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": count }),
                )
                .await?;
            }
        }
        if role == "link" {
            self.wait_for_screen().await?;
        }
        Ok(())
    }

    /// Waits until the screen that the address names is there: its code may only now arrive.
    async fn wait_for_screen(&self) -> Result<(), HarnessError> {
        let is_there = format!(
            "(() => {{
               const path = address => address.split('?')[0];
               const current = document.querySelector('.top [aria-current=page]');
               const isNamed = !location.hash || path(current?.hash ?? '') === path(location.hash);
               return isNamed && !{IS_ARRIVING}; }})()"
        );
        self.wait_for_value(&is_there, &json!(true), 20).await
    }

    /// Draws with the mouse on what has this role and accessible name, through places that are
    /// given from 0 to 1, across and down.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn drag(
        &self,
        role: &str,
        name: &str,
        places: &[(f64, f64)],
    ) -> Result<(), HarnessError> {
        let [x, y, width, height] = self.place_of(role, name).await?;
        let last = places.len().saturating_sub(1);
        for (index, (across, down)) in places.iter().enumerate() {
            let kinds: &[&str] = match index {
                0 => &["mouseMoved", "mousePressed"],
                _ if index == last => &["mouseMoved", "mouseReleased"],
                _ => &["mouseMoved"],
            };
            for kind in kinds {
                let buttons = u8::from(index > 0);
                self.cdp(
                    "Input.dispatchMouseEvent",
                    json!({
                        "type": kind, "x": x + across * width, "y": y + down * height,
                        "button": "left", "buttons": buttons, "clickCount": 1,
                    }),
                )
                .await?;
            }
        }
        Ok(())
    }

    /// The names of the runs that Runs lists, from the top, once they are so many: they are drawn a
    /// few at a time, while the screen is already there.
    ///
    /// # Errors
    /// Another number of runs.
    pub async fn listed(&self, count: usize) -> Result<Vec<String>, HarnessError> {
        const NAMES: &str = "[...document.querySelectorAll('.table-scroll tbody th')]
            .map(cell => cell.innerText.trim())";
        self.wait_for_value(&format!("{NAMES}.length"), &json!(count), 20)
            .await?;
        let names = self.evaluate(NAMES).await?;
        Ok(serde_json::from_value(names).unwrap_or_default())
    }

    /// Puts two fingers on what has this role and accessible name, and moves them apart or together,
    /// through pairs of places that are given from 0 to 1, across.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn pinch(
        &self,
        role: &str,
        name: &str,
        pairs: &[[f64; 2]],
    ) -> Result<(), HarnessError> {
        let [x, y, width, height] = self.place_of(role, name).await?;
        for (index, pair) in pairs.iter().enumerate() {
            let kind = if index == 0 {
                "touchStart"
            } else {
                "touchMove"
            };
            let points =
                pair.map(|across| json!({ "x": x + across * width, "y": y + height / 2.0 }));
            let parameters = json!({ "type": kind, "touchPoints": points });
            self.cdp("Input.dispatchTouchEvent", parameters).await?;
        }
        let parameters = json!({ "type": "touchEnd", "touchPoints": [] });
        self.cdp("Input.dispatchTouchEvent", parameters).await?;
        Ok(())
    }

    /// Draws with a finger on what has this role and accessible name, as [`Page::drag`] does with
    /// the mouse.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn touch(
        &self,
        role: &str,
        name: &str,
        places: &[(f64, f64)],
    ) -> Result<(), HarnessError> {
        let [x, y, width, height] = self.place_of(role, name).await?;
        for (index, (across, down)) in places.iter().enumerate() {
            let kind = if index == 0 {
                "touchStart"
            } else {
                "touchMove"
            };
            let point = json!({ "x": x + across * width, "y": y + down * height });
            let parameters = json!({ "type": kind, "touchPoints": [point] });
            self.cdp("Input.dispatchTouchEvent", parameters).await?;
        }
        let parameters = json!({ "type": "touchEnd", "touchPoints": [] });
        self.cdp("Input.dispatchTouchEvent", parameters).await?;
        Ok(())
    }

    /// Scrolls to what has this role and accessible name and says where it is: left, top, width
    /// and height.
    async fn place_of(&self, role: &str, name: &str) -> Result<[f64; 4], HarnessError> {
        let place = self
            .call(
                role,
                name,
                // What has just changed the page may move things still: a press goes where they rest.
                "async function() {
                   const place = () => { const box = this.getBoundingClientRect();
                     return [box.x, box.y, box.width, box.height]; };
                   for (let look = 0; look < 20; look += 1) {
                     this.scrollIntoView({ block: 'center' });
                     const before = place();
                     await new Promise(done => setTimeout(done, 40));
                     if (place().every((length, index) => length === before[index])) break;
                   }
                   return place(); }",
            )
            .await?;
        Ok([0, 1, 2, 3].map(|index| place[index].as_f64().unwrap_or(0.0)))
    }

    /// Shows the settings that are folded away.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn open_advanced(&self) -> Result<(), HarnessError> {
        self.press("DisclosureTriangle", "Advanced").await
    }

    /// Gives the focus to what has this role and accessible name.
    ///
    /// # Errors
    /// Nothing of that name.
    pub async fn focus(&self, role: &str, name: &str) -> Result<(), HarnessError> {
        self.call(role, name, "function() { this.focus(); }")
            .await?;
        Ok(())
    }

    /// Gives the focus to the first of what a selector finds.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn focus_on(&self, selector: &str) -> Result<(), HarnessError> {
        let focus = format!("document.querySelector({selector:?}).focus()");
        self.evaluate(&focus).await?;
        Ok(())
    }

    /// Presses a key by its name, such as `Enter`.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn key(&self, key: &str) -> Result<(), HarnessError> {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            " " => (32, " "),
            "Tab" => (9, ""),
            "Escape" => (27, ""),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowDown" => (40, ""),
            "ArrowRight" => (39, ""),
            "F2" => (113, ""),
            _ => (0, key),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            self.cdp(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text }),
            )
            .await?;
        }
        Ok(())
    }

    /// Presses what has this role and accessible name with the keyboard alone: Tab until it has
    /// the focus, then the key that presses such a thing.
    ///
    /// # Errors
    /// Nothing of that name that the keyboard reaches.
    pub async fn press_by_keyboard(&self, role: &str, name: &str) -> Result<(), HarnessError> {
        const MOST_TABS: usize = 200;
        // Waits until it is there.
        self.call(role, name, "function() {}").await?;
        for _ in 0..MOST_TABS {
            self.key("Tab").await?;
            let has_focus = "function() { return document.activeElement === this; }";
            if self.call(role, name, has_focus).await? == json!(true) {
                let key = if role == "checkbox" { " " } else { "Enter" };
                self.key(key).await?;
                if role == "link" {
                    self.wait_for_screen().await?;
                }
                return Ok(());
            }
        }
        Err(HarnessError::Waited {
            what: format!("the keyboard to reach {role} “{name}”"),
            secs: 0,
            shown: self.text().await?,
        })
    }

    /// Gives files to the field with this label, as if they had been chosen.
    ///
    /// # Errors
    /// No such field, or a page that does not answer.
    pub async fn choose_files(&self, label: &str, files: &[PathBuf]) -> Result<(), HarnessError> {
        let field = format!(
            "[...document.querySelectorAll('input[type=file]')]
               .find(field => field.labels[0]?.innerText.trim() === {label:?})"
        );
        let start = Instant::now();
        loop {
            let found = self
                .cdp("Runtime.evaluate", json!({ "expression": field }))
                .await?;
            if let Some(object) = found["result"]["objectId"].as_str() {
                let parameters = json!({ "objectId": object, "files": files });
                self.cdp("DOM.setFileInputFiles", parameters).await?;
                return Ok(());
            }
            self.look_again(&format!("the field “{label}”"), start, 10)
                .await?;
        }
    }

    /// Drops files and folders in the middle of the page.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn drop_files(&self, paths: &[PathBuf]) -> Result<(), HarnessError> {
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
            let event = json!({ "type": kind, "x": 300, "y": 300, "data": data });
            self.cdp("Input.dispatchDragEvent", event).await?;
        }
        Ok(())
    }

    /// Types a text where the focus is, in place of what is selected.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn type_text(&self, text: &str) -> Result<(), HarnessError> {
        self.cdp("Input.insertText", json!({ "text": text }))
            .await?;
        Ok(())
    }

    /// Types a text into a field in place of what was there, and leaves it.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn type_into(&self, role: &str, name: &str, text: &str) -> Result<(), HarnessError> {
        self.call(role, name, "function() { this.focus(); this.select(); }")
            .await?;
        if text.is_empty() {
            self.evaluate("document.execCommand('delete')").await?;
        }
        self.type_text(text).await?;
        self.call(role, name, "function() { this.blur(); }").await?;
        Ok(())
    }

    /// Goes to an address.
    ///
    /// # Errors
    /// A page that cannot be opened.
    pub async fn go_to(&self, address: &str) -> Result<(), HarnessError> {
        Ok(self.browser.driver.goto(address).await?)
    }

    /// Presses a button that saves a file, and waits for the whole of it.
    ///
    /// # Errors
    /// A file that does not arrive within ten seconds.
    pub async fn save(&self, button: &str, file: &str) -> Result<Vec<u8>, HarnessError> {
        self.press("button", button).await?;
        self.arrived(file, 10).await
    }

    /// Has the page train on WebGPU, and waits until it is ready to.
    ///
    /// # Errors
    /// A page that cannot open the GPU in time.
    pub async fn choose_web_gpu(&self) -> Result<(), HarnessError> {
        self.open_advanced().await?;
        self.choose("Backend", "WebGPU").await?;
        self.wait_for_text("WebGPU ·", 60).await?;
        self.wait_for_state(&["ready"], 60).await
    }

    /// Types a value into a number field and leaves it.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn type_number(&self, name: &str, value: &str) -> Result<(), HarnessError> {
        self.call(
            "spinbutton",
            name,
            "function() { this.focus(); this.select(); }",
        )
        .await?;
        self.cdp("Input.insertText", json!({ "text": value }))
            .await?;
        self.call("spinbutton", name, "function() { this.blur(); }")
            .await?;
        Ok(())
    }

    /// Chooses an option of a list by its text.
    ///
    /// # Errors
    /// Nothing of that name, or a page that does not answer.
    pub async fn choose(&self, name: &str, option: &str) -> Result<(), HarnessError> {
        let function = format!(
            "function() {{ this.value = [...this.options].find(o => o.text === {option:?}).value;
               this.dispatchEvent(new Event('change', {{ bubbles: true }})); }}"
        );
        self.call("combobox", name, &function).await?;
        Ok(())
    }

    /// Follows a download link and waits for the whole file.
    ///
    /// # Errors
    /// A file that does not arrive within ten seconds.
    pub async fn download(&self, file: &str) -> Result<Vec<u8>, HarnessError> {
        self.download_within(file, 10).await
    }

    /// Follows a download link and waits for the whole file.
    ///
    /// # Errors
    /// A file that does not arrive in time.
    pub async fn download_within(&self, file: &str, secs: u64) -> Result<Vec<u8>, HarnessError> {
        self.press("button", &format!("Download {file}")).await?;
        self.arrived(file, secs).await
    }

    async fn arrived(&self, file: &str, secs: u64) -> Result<Vec<u8>, HarnessError> {
        let path = self.browser.downloads.path().join(file);
        let start = Instant::now();
        // Chromium puts an empty file there, then renames the whole one over it.
        while !std::fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
            self.look_again(&format!("the download of {file}"), start, secs)
                .await?;
        }
        Ok(std::fs::read(path)?)
    }

    /// Goes to the files of the run that ended and says its name.
    ///
    /// # Errors
    /// A page without such files.
    pub async fn show_files(&self) -> Result<String, HarnessError> {
        self.press("link", "Files").await?;
        self.wait_for_text("Opens with", 10).await?;
        let name = self
            .evaluate("document.querySelector('.files select').selectedOptions[0].innerText")
            .await?;
        Ok(name.as_str().unwrap_or_default().to_owned())
    }

    /// Ends the run without scoring it and downloads what was measured.
    ///
    /// # Errors
    /// A run that does not end, or a file that does not arrive or cannot be read.
    pub async fn stop_and_read(&self) -> Result<Vec<Row>, HarnessError> {
        self.press("button", "Stop").await?;
        self.wait_for_state(&["finishing"], 300).await?;
        self.press("button", "Skip scoring").await?;
        self.wait_for_state(&["stopped"], 300).await?;
        let name = self.show_files().await?;
        rows(&self.download(&format!("{name}.csv")).await?)
    }

    /// Does one step of a run and stops it without scoring, so that it is kept.
    ///
    /// # Errors
    /// A page that does not come so far.
    pub async fn keep_short_run(&self) -> Result<(), HarnessError> {
        self.press("link", "Train").await?;
        self.press("button", "Step").await?;
        self.wait_for_state(&["paused"], 60).await?;
        self.press("button", "Stop").await?;
        self.wait_for_state(&["finishing"], 30).await?;
        self.press("button", "Skip scoring").await?;
        self.wait_for_state(&["stopped"], 30).await
    }

    /// Gives the page so many pixels.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(), HarnessError> {
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false }),
        )
        .await?;
        Ok(())
    }

    /// What keeps the browser from putting the page among a person's programs.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn why_not_installable(&self) -> Result<Value, HarnessError> {
        let manifest = self.cdp("Page.getAppManifest", json!({})).await?;
        let errors = self.cdp("Page.getInstallabilityErrors", json!({})).await?;
        Ok(json!([manifest["errors"], errors["installabilityErrors"]]))
    }

    /// Has the page know that its person wants nothing to move.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn reduce_motion(&self) -> Result<(), HarnessError> {
        let reduced = json!([{ "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.cdp("Emulation.setEmulatedMedia", json!({ "features": reduced }))
            .await?;
        Ok(())
    }

    /// A picture of the page at a width, as PNG.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn picture(&self, width: u32, height: u32) -> Result<Vec<u8>, HarnessError> {
        self.resize(width, height).await?;
        Ok(self.browser.driver.screenshot_as_png().await?)
    }

    /// Tells the browser that the machine has hardly any memory left.
    ///
    /// # Errors
    /// A browser that does not answer.
    pub async fn press_for_memory(&self) -> Result<(), HarnessError> {
        self.cdp(
            "Memory.simulatePressureNotification",
            json!({ "level": "critical" }),
        )
        .await?;
        Ok(())
    }

    /// Has the browser let go of what the page no longer uses, as it does by itself sooner or later.
    ///
    /// # Errors
    /// A page that does not answer.
    pub async fn collect_garbage(&self) -> Result<(), HarnessError> {
        self.cdp("HeapProfiler.collectGarbage", json!({})).await?;
        Ok(())
    }

    /// Bytes in memory of the process that shows the page.
    ///
    /// # Errors
    /// A system that does not say.
    pub fn memory_bytes(&self) -> Result<u64, HarnessError> {
        self.browser.tab_bytes()
    }

    /// Ends Chromium at once, whatever it is doing.
    pub async fn kill(self) {
        self.browser.kill().await;
    }

    /// Ends Chromium, unless the page has done what its policy forbids, such as asking anybody but its
    /// own server.
    ///
    /// # Errors
    /// Such a page, or a Chromium that does not answer.
    pub async fn close(self) -> Result<(), HarnessError> {
        let noted = self.evaluate("window.violations ?? []").await?;
        if noted != json!([]) {
            return Err(HarnessError::Unreadable {
                what: "what the page may not do".to_owned(),
                answer: noted.to_string(),
            });
        }
        Ok(self.browser.driver.clone().quit().await?)
    }
}

/// What JavaScript came to, unless it threw.
fn value(answer: &Value, script: &str) -> Result<Value, HarnessError> {
    match answer.get("exceptionDetails") {
        None => Ok(answer["result"]["value"].clone()),
        Some(thrown) => Err(HarnessError::Unreadable {
            what: format!("what `{script}` comes to"),
            answer: thrown["exception"]["description"].to_string(),
        }),
    }
}

/// JavaScript that comes to what `body` returns, with the database of kept runs open: `of` makes a
/// request a promise, `store` gives what is kept under a name. A `version` that is not there yet
/// is made as the first one was.
pub fn with_database(version: Option<u32>, body: &str) -> String {
    let version = version.map_or(String::new(), |version| format!(", {version}"));
    format!(
        "(async () => {{
           const of = request => new Promise((done, failed) => {{
             request.onsuccess = () => done(request.result); request.onerror = failed; }});
           const opening = indexedDB.open('kiln'{version});
           opening.onupgradeneeded = () => opening.result.createObjectStore('runs', {{ keyPath: 'id' }});
           const database = await of(opening);
           const store = name => database.transaction(name, 'readwrite').objectStore(name);
           const result = await (async () => {{ {body} }})();
           database.close();
           return result; }})()"
    )
}
