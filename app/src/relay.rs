//! A worker that trains elsewhere: it passes what page and trainer say to each other between the page and
//! the process that the page came from.

use ciborium::Value;
use kiln_run::protocol::FromWorker;
use serde::Serialize as _;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{BinaryType, Event, MessageEvent, WebSocket, WorkerGlobalScope};

use crate::browser::RELAY;
use crate::browser::codec::{buffers, decode};
use crate::browser::scope::{self, post};
use crate::browser::words::describe;

/// The token of this worker, where it is one.
pub fn token() -> Option<String> {
    scope::name().strip_prefix(RELAY).map(str::to_owned)
}

/// Serves the page until one of the two has gone.
pub fn start(token: &str) {
    scope::report_faults();
    match connect(token) {
        Ok(socket) => scope::listen(move |value| {
            if let Err(details) = send(&socket, value) {
                post(&FromWorker::Fatal { details });
            }
        }),
        Err(error) => post(&FromWorker::Unfit {
            reason: describe(&error),
        }),
    }
}

/// Passes a message of the page on. What it says nobody here needs to know, so that no code is either.
fn send(socket: &WebSocket, message: JsValue) -> Result<(), String> {
    let message: Value = decode(message).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    ciborium::into_writer(&message, &mut bytes).map_err(|error| error.to_string())?;
    socket
        .send_with_u8_array(&bytes)
        .map_err(|error| describe(&error))
}

/// Passes a message of the trainer on.
fn receive(message: &JsValue) -> Result<(), String> {
    let bytes = js_sys::Uint8Array::new(message).to_vec();
    let message: Value =
        ciborium::from_reader(bytes.as_slice()).map_err(|error| error.to_string())?;
    let as_objects = Serializer::new().serialize_maps_as_objects(true);
    let message = message
        .serialize(&as_objects)
        .map_err(|error| error.to_string())?;
    scope::hand_over(&message, &buffers(&message));
    Ok(())
}

fn connect(token: &str) -> Result<WebSocket, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let address = format!("ws://{}/trainer?{token}", scope.location().host());
    let socket = WebSocket::new(&address)?;
    socket.set_binary_type(BinaryType::Arraybuffer);
    // The page's messages come once it knows that somebody listens.
    let on_open = Closure::<dyn Fn()>::new(|| post(&FromWorker::Ready));
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| {
        if let Err(error) = receive(&event.data()) {
            post(&FromWorker::Fatal {
                details: format!("the trainer on this machine cannot be understood: {error}"),
            });
        }
    });
    let on_close = Closure::<dyn Fn(Event)>::new({
        let was_open = std::cell::Cell::new(false);
        move |event: Event| match event.type_().as_str() {
            "open" => was_open.set(true),
            _ if was_open.get() => post(&FromWorker::Fatal {
                details: "the trainer on this machine has ended".to_owned(),
            }),
            _ => post(&FromWorker::Unfit {
                reason: "it does not answer, or has been started anew".to_owned(),
            }),
        }
    });
    socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
    socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    for kind in ["open", "close"] {
        socket.add_event_listener_with_callback(kind, on_close.as_ref().unchecked_ref())?;
    }
    on_open.forget();
    on_message.forget();
    on_close.forget();
    Ok(socket)
}
