//! Libraries in Chromium, each by its module in `tests/peers/`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::{HeaderName, HeaderValue};
use axum::middleware::map_response;
use axum::response::Response;
use kiln_tests::HarnessError;
use kiln_tests::browser::{Browser, WebGpu};
use kiln_tests::server::listen;
use serde_json::Value;
use tower_http::services::ServeDir;

use super::packages::folder;

/// The slowest take seconds for a step, and some steps are needed.
const LIMIT: Duration = Duration::from_secs(600);
/// How often the page is asked; seldom, for it would train meanwhile.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Serves the modules and the packages that they load.
///
/// # Errors
/// No port.
pub async fn serve() -> Result<SocketAddr, HarnessError> {
    let files = Router::new().fallback_service(ServeDir::new(folder()));
    listen(files.layer(map_response(isolated))).await
}

/// Only an isolated page may share memory between threads, which makes wasm faster.
async fn isolated(mut response: Response) -> Response {
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
    ] {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Images a second in a Chromium of its own.
///
/// # Errors
/// A library that cannot train, with its reason.
pub async fn images_per_sec(
    server: SocketAddr,
    module: &str,
    device: &str,
    batch: u32,
) -> Result<f64, HarnessError> {
    let browser = Browser::start(WebGpu::Software).await?;
    let address = format!("http://{server}/?library={module}&device={device}&batch={batch}");
    browser.driver.goto(address).await?;
    let outcome = outcome(&browser).await?;
    browser.driver.clone().quit().await?;
    outcome["rate"].as_f64().ok_or_else(|| {
        HarnessError::Peer(outcome["failure"].as_str().unwrap_or_default().to_owned())
    })
}

/// What the page came to.
async fn outcome(browser: &Browser) -> Result<Value, HarnessError> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        let script = "return window.outcome ?? null";
        let outcome = browser.driver.execute(script, Vec::new()).await?;
        if !outcome.json().is_null() {
            return Ok(outcome.json().clone());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(HarnessError::Peer(format!(
        "it was not measured within {} s",
        LIMIT.as_secs()
    )))
}
