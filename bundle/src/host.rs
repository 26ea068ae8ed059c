//! Serves the built page as a web server would: every file compressed, where the browser takes it so.

use std::path::Path;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::error::Error;

/// Serves a folder at an address until the program is ended.
///
/// # Errors
/// No page that was built, or an address that is taken.
pub fn host(dist: &Path, address: &str) -> Result<(), Error> {
    let index = dist.join("index.html");
    std::fs::metadata(&index).map_err(Error::of(&index))?;
    let taken = |error: std::io::Error| Error::File {
        path: address.into(),
        reason: error.to_string(),
    };
    let runtime = tokio::runtime::Runtime::new().map_err(taken)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(taken)?;
        eprintln!("Kiln is at http://{address}; Ctrl+C ends it.");
        axum::serve(listener, router(dist)).await.map_err(taken)
    })
}

/// Answers with the files of a folder.
pub fn router(dist: &Path) -> Router {
    let files = ServeDir::new(dist).precompressed_br().precompressed_gzip();
    // The browser asks each time whether what it has is still right.
    let ask_again = |mut response: Response| async {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    };
    Router::new()
        .fallback_service(files)
        .layer(map_response(ask_again))
}
