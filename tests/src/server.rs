//! Serves the built page, with faults on demand.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, body::Body};
use tower_http::services::ServeDir;

use crate::HarnessError;

/// What a server answers instead of one file.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not there.
    Missing(&'static str),
    /// Its bytes are these.
    Bytes(&'static str, Vec<u8>),
    /// This script runs before what is in it.
    Before(&'static str, Cow<'static, str>),
}

type Shared = Arc<Mutex<Option<Fault>>>;

/// A server on a free port of this machine; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub struct Server {
    address: SocketAddr,
    fault: Shared,
}

/// The folder of the built page.
pub fn dist() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../dist"))
}

impl Server {
    /// Serves `dist`.
    ///
    /// # Errors
    /// No page that was built, or no port.
    pub async fn start() -> Result<Self, HarnessError> {
        let index = dist().join("index.html");
        if !index.exists() {
            return Err(
                std::io::Error::other("there is no built page; run `cargo xtask build`").into(),
            );
        }
        let fault = Shared::default();
        let router = Router::new()
            .fallback_service(ServeDir::new(dist()))
            .layer(from_fn_with_state(Arc::clone(&fault), answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self { address, fault })
    }

    /// The page's address.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Answers with a fault from now on, or with none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

async fn answer(State(fault): State<Shared>, request: Request, next: Next) -> Response {
    let fault = fault.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let path = request.uri().path().to_owned();
    match fault {
        Some(Fault::Missing(name)) if path.ends_with(name) => StatusCode::NOT_FOUND.into_response(),
        Some(Fault::Bytes(name, bytes)) if path.ends_with(name) => Response::new(Body::from(bytes)),
        Some(Fault::Before(name, script)) if path.ends_with(name) => {
            match std::fs::read_to_string(dist().join(name)) {
                Ok(file) => {
                    let javascript = [(header::CONTENT_TYPE, "text/javascript")];
                    (javascript, format!("{script}\n{file}")).into_response()
                }
                Err(_) => StatusCode::NOT_FOUND.into_response(),
            }
        }
        _ => next.run(request).await,
    }
}
