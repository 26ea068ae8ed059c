//! Serves the built page, with faults on demand.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::{Router, body::Body};

use crate::HarnessError;

/// What a server answers instead of one file.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is not there.
    Missing(Cow<'static, str>),
    /// Its bytes are these.
    Bytes(&'static str, Vec<u8>),
    /// This script runs before what is in it.
    Before(&'static str, Cow<'static, str>),
}

impl Fault {
    /// So many runs fail at their second step, whose loss the page is told to be none.
    pub fn spoilt(runs: u32) -> Self {
        Self::Before(
            "cpu_worker_loader.js",
            format!(
                "const spoilt = new Set(), post = self.postMessage.bind(self);
                 if (self.name !== 'helper') self.postMessage = message => {{
                   const {{ run, events }} = message.Happened ?? {{ events: [] }};
                   const second = events.findIndex(event => event.Step?.[0].step === 2);
                   if (second >= 0 && (spoilt.size < {runs} || spoilt.has(run))) {{
                     spoilt.add(run);
                     const [moment, trained] = events[second].Step;
                     trained.quality.loss = NaN;
                     events.splice(second, Infinity, {{ Diverged: [moment, trained] }}, {{ State: 'Failed' }});
                     dispatchEvent(new MessageEvent('message', {{ data: {{ Cancel: {{ run }} }} }}));
                   }}
                   post(message);
                 }};"
            )
            .into(),
        )
    }
}

/// The program that starts the worker which trains on the CPU.
const CPU_WORKER: &str = "cpu_worker_loader.js";
/// The program by which a browser keeps the page.
const SERVICE_WORKER: &str = "service_worker.js";
/// A page of the same origin that does nothing.
pub const STILL: &str = "still";

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
    /// Whether browsers may keep the page.
    is_kept: Arc<AtomicBool>,
    /// Whether it gives nothing any more.
    is_silent: Arc<AtomicBool>,
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
        Self::start_with(&dist(), None, folder, pace).await
    }

    /// Serves the page `before`, until there is one in `dist`.
    ///
    /// # Errors
    /// No page, or no port.
    pub async fn start_before(dist: &Path, before: &Path) -> Result<Self, HarnessError> {
        Self::start_with(dist, Some(before), "/", Pace::Full).await
    }

    async fn start_with(
        dist: &Path,
        before: Option<&Path>,
        folder: &'static str,
        pace: Pace,
    ) -> Result<Self, HarnessError> {
        let shared = Shared {
            fault: Arc::default(),
            is_kept: Arc::default(),
            is_silent: Arc::default(),
            pace,
        };
        let files = kiln_host::router(dist, before)
            .map_err(|error| HarnessError::Usage(error.to_string()))?;
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

    /// Lets browsers keep the page from now on, which else would hide what the server does.
    pub fn let_keep(&self) {
        self.shared.is_kept.store(true, Ordering::Relaxed);
    }

    /// Gives nothing any more.
    pub fn fall_silent(&self) {
        self.shared.is_silent.store(true, Ordering::Relaxed);
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
    let is_held_back = path.ends_with(SERVICE_WORKER) && !shared.is_kept.load(Ordering::Relaxed);
    match fault {
        _ if shared.is_silent.load(Ordering::Relaxed) => {
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        _ if is_held_back => StatusCode::NOT_FOUND.into_response(),
        _ if path.ends_with(STILL) => Html("A page that does nothing.").into_response(),
        Some(Fault::Missing(name)) if path.ends_with(&*name) => {
            StatusCode::NOT_FOUND.into_response()
        }
        Some(Fault::Bytes(name, bytes)) if path.ends_with(name) => {
            let kind = if name.ends_with(".js") {
                "text/javascript"
            } else {
                "application/octet-stream"
            };
            ([(header::CONTENT_TYPE, kind)], bytes).into_response()
        }
        Some(Fault::Before(name, script)) if path.ends_with(name) => {
            after(&format!("{pace}\n{script}"), request, next).await
        }
        _ if !pace.is_empty() => after(pace, request, next).await,
        _ => next.run(request).await,
    }
}

/// A file of JavaScript that runs after a script, under the policy of every other.
async fn after(script: &str, mut request: Request, next: Next) -> Response {
    for asked in [
        header::ACCEPT_ENCODING,
        header::IF_MODIFIED_SINCE,
        header::IF_NONE_MATCH,
    ] {
        request.headers_mut().remove(asked);
    }
    let (mut parts, body) = next.run(request).await.into_parts();
    if !parts.status.is_success() {
        return (parts, body).into_response();
    }
    let Ok(file) = axum::body::to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    let script = [script.as_bytes(), b"\n", &file].concat();
    (parts, Body::from(script)).into_response()
}
