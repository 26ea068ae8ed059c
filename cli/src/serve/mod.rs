//! `kiln serve`: the page, and a trainer for it.

mod process;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures::channel::mpsc;
use kiln_run::protocol::ToWorker;
use serde_value::Value;
use tokio::net::TcpListener;

use crate::arguments::Serve;
use crate::data;
use crate::device;
use crate::error::CliError;
use crate::terminal::tell;
use process::{Loaded, Process};

/// Where the page asks for the trainer; its token follows as the query.
const TRAINER: &str = "/trainer";
/// Bytes of the largest message: images of a person's own, all at once.
const MOST_BYTES: usize = 1 << 30;

/// Who may use the trainer.
struct Gate {
    /// What a page's address has that was opened as this program says.
    token: String,
    port: u16,
}

impl Gate {
    /// Why somebody may not, where they may not. A page of another origin never knows the token; that its
    /// origin is looked at too keeps a token that got out from being of use to it.
    fn refuses(&self, request: &Request) -> Option<&'static str> {
        let hosts = ["127.0.0.1", "localhost"].map(|name| match self.port {
            // Browsers leave out the one that is usual.
            80 => name.to_owned(),
            port => format!("{name}:{port}"),
        });
        let said = |name| request.headers().get(name)?.to_str().ok();
        // A name that somebody has point here is none of them.
        let is_asked = said(header::HOST).is_some_and(|host| hosts.iter().any(|own| own == host));
        let origin = said(header::ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
        if !is_asked || !origin.is_some_and(|origin| hosts.iter().any(|own| own == origin)) {
            return Some("Only the page of this address may use the trainer.");
        }
        if request.uri().query() != Some(&self.token) {
            return Some("Open the page by the address that `kiln serve` says.");
        }
        None
    }
}

/// Serves the page and a trainer until the process is ended.
///
/// # Errors
/// A device that is not there, no page that was built, or a port that is taken.
pub fn serve(arguments: &Serve) -> Result<(), CliError> {
    let threads = arguments.threads.map_or_else(device::threads, usize::from);
    let device = device::open(arguments.device, threads)?;
    let mnist = data::load(&[])?.images;
    let loaded = Arc::new(Loaded { device, mnist });
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let failed = |error: std::io::Error| CliError::Address {
        address,
        reason: error.to_string(),
    };
    let page = kiln_host::router(&arguments.page, None).map_err(|error| CliError::Page {
        folder: arguments.page.clone(),
        reason: error.to_string(),
    })?;
    let runtime = tokio::runtime::Runtime::new().map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        // The port that was given, where the system was to choose one.
        let port = listener.local_addr().map_err(failed)?.port();
        let token = token()?;
        tell(format_args!("It trains on {}.", loaded.device.words));
        tell(format_args!(
            "Kiln is at http://127.0.0.1:{port}/?trainer={token}\nOnly this machine reaches it, and only by \
             this address. Ctrl+C ends it."
        ));
        let gate = Arc::new(Gate { token, port });
        let trainer = get(connect)
            .with_state(loaded)
            .layer(middleware::from_fn_with_state(gate, admit));
        let router = page.route(TRAINER, trainer);
        axum::serve(listener, router).await.map_err(failed)
    })
}

/// What nobody guesses.
fn token() -> Result<String, CliError> {
    let number = getrandom::u64().and_then(|first| Ok((first, getrandom::u64()?)));
    let (first, second) = number.map_err(|error| CliError::Random(error.to_string()))?;
    Ok(format!("{first:016x}{second:016x}"))
}

async fn admit(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    match gate.refuses(&request) {
        Some(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
        None => next.run(request).await,
    }
}

async fn connect(State(loaded): State<Arc<Loaded>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .max_message_size(MOST_BYTES)
        .max_frame_size(MOST_BYTES)
        .on_upgrade(|socket| talk(socket, loaded))
}

/// A message of the page. Its numbers were JavaScript's: whole ones may stand for others.
fn read(bytes: &[u8]) -> Result<ToWorker, String> {
    let value: Value = ciborium::from_reader(bytes).map_err(|error| error.to_string())?;
    value.deserialize_into().map_err(|error| error.to_string())
}

/// Has a trainer of its own serve a page, until one of the two has gone.
async fn talk(mut socket: WebSocket, loaded: Arc<Loaded>) {
    let (asked, inbox) = mpsc::unbounded();
    let (outbox, mut said) = tokio::sync::mpsc::unbounded_channel();
    thread::spawn(move || {
        let process = Process::new(&loaded, outbox);
        pollster::block_on(kiln_trainer::serve(&process, inbox));
    });
    loop {
        tokio::select! {
            received = socket.recv() => match received {
                Some(Ok(Message::Binary(bytes))) => match read(&bytes) {
                    // Where it is gone, what it said last comes next.
                    Ok(message) => drop(asked.unbounded_send(message)),
                    Err(error) => {
                        tell(format_args!("A page said what cannot be understood: {error}."));
                        return;
                    }
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            said = said.recv() => match said {
                Some(bytes) => {
                    if socket.send(Message::binary(bytes)).await.is_err() {
                        return;
                    }
                }
                None => return,
            },
        }
    }
}
