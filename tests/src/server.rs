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

/// The program that starts the worker which trains on the CPU.
const CPU_WORKER: &str = "cpu_worker_loader.js";

/// Between two steps the worker posts itself a null. That it arrives this much later makes a run
/// last long enough to be pressed, reloaded and broken in the middle, on a machine of any speed.
const UNHURRIED: &str = "{
    const post = MessagePort.prototype.postMessage;
    MessagePort.prototype.postMessage = function (...sent) {
      if (sent[0] === null) setTimeout(() => post.apply(this, sent), 15);
      else post.apply(this, sent);
    };
  }";

/// How fast the CPU trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Some fifty steps a second.
    Unhurried,
    /// As fast as it can.
    Full,
}

#[derive(Clone, Debug)]
struct Shared {
    fault: Arc<Mutex<Option<Fault>>>,
    pace: Pace,
}

/// A server on a free port of this machine; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub struct Server {
    address: SocketAddr,
    /// Where the page is on it: `/`, or a folder.
    folder: &'static str,
    shared: Shared,
}

/// The folder of the built page.
pub fn dist() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../dist"))
}

/// Answers on a free port of this machine until the runtime ends; says where.
///
/// # Errors
/// No port.
pub async fn listen(router: Router) -> Result<SocketAddr, HarnessError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

impl Server {
    /// Serves `dist`, with a worker that takes its time.
    ///
    /// # Errors
    /// No page that was built, or no port.
    pub async fn start() -> Result<Self, HarnessError> {
        Self::start_at(Pace::Unhurried).await
    }

    /// Serves `dist`.
    ///
    /// # Errors
    /// No page that was built, or no port.
    pub async fn start_at(pace: Pace) -> Result<Self, HarnessError> {
        Self::start_in("/", pace).await
    }

    /// Serves `dist` in a folder, such as `/some/folder/`, and nothing beside it.
    ///
    /// # Errors
    /// No page that was built, or no port.
    pub async fn start_in(folder: &'static str, pace: Pace) -> Result<Self, HarnessError> {
        let index = dist().join("index.html");
        if !index.exists() {
            return Err(
                std::io::Error::other("there is no built page; run `cargo xtask build`").into(),
            );
        }
        let shared = Shared {
            fault: Arc::default(),
            pace,
        };
        let files = kiln_bundle::host::router(&dist());
        let router = if folder == "/" {
            files
        } else {
            Router::new().nest_service(folder, files)
        };
        let router = router.layer(from_fn_with_state(shared.clone(), answer));
        Ok(Self {
            address: listen(router).await?,
            folder,
            shared,
        })
    }

    /// The page's address.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.folder)
    }

    /// Answers with a fault from now on, or with none.
    pub fn set_fault(&self, fault: Option<Fault>) {
        *self
            .shared
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

async fn answer(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let fault = shared
        .fault
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let path = request.uri().path().to_owned();
    let pace = match shared.pace {
        Pace::Unhurried if path.ends_with(CPU_WORKER) => UNHURRIED,
        _ => "",
    };
    match fault {
        Some(Fault::Missing(name)) if path.ends_with(name) => StatusCode::NOT_FOUND.into_response(),
        Some(Fault::Bytes(name, bytes)) if path.ends_with(name) => Response::new(Body::from(bytes)),
        Some(Fault::Before(name, script)) if path.ends_with(name) => {
            after(name, &format!("{pace}\n{script}"))
        }
        _ if !pace.is_empty() => after(CPU_WORKER, pace),
        _ => next.run(request).await,
    }
}

/// A file of JavaScript that runs after a script.
fn after(name: &str, script: &str) -> Response {
    match std::fs::read_to_string(dist().join(name)) {
        Ok(file) => {
            let javascript = [(header::CONTENT_TYPE, "text/javascript")];
            (javascript, format!("{script}\n{file}")).into_response()
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}
