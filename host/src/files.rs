//! Serves the built page as a web server would: every file compressed, where the browser takes it so.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::error::HostError;
use crate::policy;

/// A server that takes longer to answer is not well.
const PATIENCE: Duration = Duration::from_secs(2);

/// Serves a folder at an address until the program is ended. What is not in it is looked for in the
/// folder of the page `before`, where there is one: such a page may still be open.
///
/// # Errors
/// No page that was built, or an address that is taken.
pub fn host(dist: &Path, before: Option<&Path>, address: &str) -> Result<(), HostError> {
    let router = router(dist, before)?;
    let taken = |error: std::io::Error| HostError::File {
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

/// Asks a server for the page, as whoever watches over it does.
///
/// # Errors
/// One that does not answer, or has no page.
pub fn ask(address: &str) -> Result<(), HostError> {
    let asked = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(format!("HEAD / HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes())?;
        let mut said = String::new();
        BufReader::new(stream).read_line(&mut said)?;
        Ok(said.trim_end().to_owned())
    };
    let said = asked().map_err(HostError::of(Path::new(address)))?;
    if said == "HTTP/1.1 200 OK" {
        return Ok(());
    }
    Err(HostError::Unwell {
        address: address.to_owned(),
        said,
    })
}

/// Answers with the files of a folder, or else of the page `before`, under the policy of the page.
///
/// # Errors
/// No page that was built.
pub fn router(dist: &Path, before: Option<&Path>) -> Result<Router, HostError> {
    let before = before.unwrap_or(dist);
    let indices = [dist, before].map(|folder| folder.join("index.html"));
    let policy = move || {
        let [index, older] = &indices;
        let index = if index.exists() { index } else { older };
        let html = std::fs::read_to_string(index).map_err(HostError::of(index))?;
        HeaderValue::try_from(policy::of(&html))
            .map_err(|error| HostError::Policy(error.to_string()))
    };
    policy()?;
    let others = policy::HEADERS.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });

    let files = |folder| {
        ServeDir::new(folder)
            .precompressed_br()
            .precompressed_gzip()
    };
    let files = files(dist).fallback(files(before));
    let under_policy = move |mut response: Response| {
        let headers = response.headers_mut();
        // The browser asks each time whether what it has is still right.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Of the page as it is now: it may have been built again. One that is gone allows nothing.
        let policy = policy().unwrap_or(HeaderValue::from_static("default-src 'none'"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.extend(others.clone());
        async { response }
    };
    Ok(Router::new()
        .fallback_service(files)
        .layer(map_response(under_policy)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    /// A server of this folder on a free port.
    fn served(dist: &Path) -> (tokio::runtime::Runtime, String) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = axum::serve(listener, router(dist, None).unwrap());
        runtime.spawn(server.into_future());
        (runtime, address)
    }

    #[test]
    fn a_page_that_is_built_again_is_under_its_own_policy() {
        let dist = tempfile::tempdir().unwrap();
        let (_runtime, address) = {
            std::fs::write(dist.path().join("index.html"), "<script>1</script>").unwrap();
            served(dist.path())
        };
        let policy = || {
            let mut stream = TcpStream::connect(&address).unwrap();
            write!(stream, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            let lines = BufReader::new(stream).lines().map(Result::unwrap);
            let mut policies = lines.filter(|line| line.starts_with("content-security-policy"));
            policies.next().unwrap()
        };
        let first = policy();
        std::fs::write(dist.path().join("index.html"), "<script>2</script>").unwrap();
        assert_ne!(policy(), first);
    }

    #[test]
    fn a_page_that_is_open_finds_its_files_after_the_next_is_there() {
        let (dist, before) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let put = |folder: &Path, name: &str| std::fs::write(folder.join(name), name).unwrap();
        put(before.path(), "index.html");
        put(before.path(), "old.js");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let served = router(dist.path(), Some(before.path())).unwrap();
        runtime.spawn(axum::serve(listener, served).into_future());
        let status = |name: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(
                stream,
                "HEAD /{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            let mut said = String::new();
            BufReader::new(stream).read_line(&mut said).unwrap();
            said.split(' ').nth(1).unwrap().to_owned()
        };
        assert_eq!(["", "old.js", "new.js"].map(status), ["200", "200", "404"]);
        put(dist.path(), "index.html");
        put(dist.path(), "new.js");
        assert_eq!(["", "old.js", "new.js"].map(status), ["200"; 3]);
    }

    #[test]
    fn who_asks_hears_whether_there_is_a_page() {
        let dist = tempfile::tempdir().unwrap();
        let index = dist.path().join("index.html");
        std::fs::write(&index, "page").unwrap();
        let (runtime, address) = served(dist.path());
        ask(&address).unwrap();
        std::fs::remove_file(&index).unwrap();
        let unwell = ask(&address).unwrap_err().to_string();
        assert!(
            unwell.ends_with("answers: HTTP/1.1 404 Not Found"),
            "{unwell}"
        );
        drop(runtime);
        assert!(matches!(ask(&address), Err(HostError::File { .. })));
    }
}
