//! A worker's side of the browser: messages out, messages in, faults, yielding.

use std::cell::RefCell;
use std::panic;

use futures::channel::oneshot;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, PromiseRejectionEvent};

use crate::browser::codec::encode;
use crate::browser::words::describe;
use kiln_run::protocol::FromWorker;

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends a message to the page.
pub fn post(message: &FromWorker) {
    let sent = encode(message)
        .map_err(|error| error.to_string())
        .and_then(|value| {
            scope()
                .post_message(&value)
                .map_err(|error| describe(&error))
        });
    if let Err(reason) = sent {
        // The page hears of it as the worker's `error` event.
        wasm_bindgen::throw_str(&reason);
    }
}

/// Sends whoever started this worker a message, and buffers that are no longer its own.
pub fn hand_over(message: &JsValue, buffers: &JsValue) {
    let sent = scope().post_message_with_transfer(message, buffers);
    if let Err(error) = sent {
        // Whoever started it hears of it as the worker's `error` event.
        wasm_bindgen::throw_val(error);
    }
}

/// The name that this worker was started with.
pub fn name() -> String {
    scope().name()
}

/// How many threads this machine runs at once.
pub fn cores() -> u32 {
    // A whole number, which the browser gives as any other.
    scope().navigator().hardware_concurrency() as u32
}

/// Calls `receive` with every message from whoever started this worker.
pub fn listen(receive: impl FnMut(JsValue) + 'static) {
    let mut receive = receive;
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        receive(event.data());
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
}

/// Tells the page of panics and of promises that are rejected with nobody to notice.
///
/// A trap in a promise reaches no `error` event of the page by itself.
pub fn report_faults() {
    panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        post(&FromWorker::Fatal {
            details: info.to_string(),
        });
    }));
    let on_rejection =
        Closure::<dyn Fn(PromiseRejectionEvent)>::new(|event: PromiseRejectionEvent| {
            post(&FromWorker::Fatal {
                details: describe(&event.reason()),
            });
        });
    let listening = scope().add_event_listener_with_callback(
        "unhandledrejection",
        on_rejection.as_ref().unchecked_ref(),
    );
    if let Err(error) = listening {
        wasm_bindgen::throw_val(error);
    }
    on_rejection.forget();
}

/// Lets the browser hand over the messages that wait.
///
/// Timers are held back to four milliseconds once nested; a message to oneself is not.
pub async fn yield_to_messages() {
    thread_local! {
        static CHANNEL: RefCell<Option<MessageChannel>> = const { RefCell::new(None) };
    }
    let (sender, woken) = oneshot::channel::<()>();
    let mut sender = Some(sender);
    let wake = Closure::<dyn FnMut()>::new(move || {
        // The receiver waits a few lines below; where it is gone nobody needs waking.
        sender.take().map(|sender| sender.send(()));
    });
    let posted = CHANNEL.with_borrow_mut(|channel| {
        let channel = match channel {
            Some(channel) => channel,
            None => channel.insert(MessageChannel::new()?),
        };
        channel
            .port1()
            .set_onmessage(Some(wake.as_ref().unchecked_ref()));
        channel.port2().post_message(&JsValue::NULL)
    });
    match posted {
        Ok(()) => drop(woken.await),
        Err(error) => wasm_bindgen::throw_val(error),
    }
}

/// As many workers as were asked for; where none were, as many as there are cores.
pub fn number_of(workers: Option<u32>) -> u32 {
    workers.unwrap_or_else(cores)
}
