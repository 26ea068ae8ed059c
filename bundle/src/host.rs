//! Serves the built page as a web server would: every file compressed, where the browser takes it so.

use std::path::Path;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::error::Error;
use crate::policy;

/// Serves a folder at an address until the program is ended.
///
/// # Errors
/// No page that was built, or an address that is taken.
pub fn host(dist: &Path, address: &str) -> Result<(), Error> {
    let router = router(dist)?;
    let taken = |error: std::io::Error| Error::File {
        path: address.into(),
        reason: error.to_string(),
    };
    let runtime = tokio::runtime::Runtime::new().map_err(taken)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        eprintln!("Kiln is at http://{address}; Ctrl+C ends it.");
        axum::serve(listener, router).await.map_err(taken)
    })
}

/// Answers with the files of a folder, under the policy of the page in it.
///
/// # Errors
/// No page that was built.
pub fn router(dist: &Path) -> Result<Router, Error> {
    let index = dist.join("index.html");
    let html = std::fs::read_to_string(&index).map_err(Error::of(&index))?;
    let policy = HeaderValue::try_from(policy::of(&html)).map_err(Error::split)?;
    let others = policy::HEADERS.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });

    let files = ServeDir::new(dist).precompressed_br().precompressed_gzip();
    let under_policy = move |mut response: Response| {
        let headers = response.headers_mut();
        // The browser asks each time whether what it has is still right.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        headers.extend(others.clone());
        async { response }
    };
    Ok(Router::new()
        .fallback_service(files)
        .layer(map_response(under_policy)))
}
