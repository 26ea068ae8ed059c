//! The page's end of a worker: starts it, holds messages back until it listens, ends it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::Array;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};

use crate::browser::codec::{CodecError, buffers, decode, encode};
use crate::browser::native;
use crate::browser::words::describe;
use kiln_run::device::Backend;
use kiln_run::protocol::{FromWorker, ToWorker};

/// A message as a value, and the buffers in it that are the worker's from then on.
struct Sent {
    value: JsValue,
    buffers: Array,
}

/// Writes and reads messages. To read all that can be said takes a lot of code, which nobody waits
/// for before the first paint.
#[derive(Clone, Copy)]
struct Codec {
    encode: fn(&ToWorker) -> Result<Sent, CodecError>,
    decode: fn(JsValue) -> Result<FromWorker, CodecError>,
}

thread_local! {
    static CODEC: Cell<Option<Codec>> = const { Cell::new(None) };
}

#[wasm_split(work, fallible, wasm_split_path = leptos::wasm_split)]
fn codec() -> Result<Codec, SplitLoaderError> {
    Ok(Codec {
        encode: |message| {
            let value = encode(message)?;
            let buffers = buffers(&value);
            Ok(Sent { value, buffers })
        },
        decode: |value| decode(value),
    })
}

/// Has the code that reads messages arrive; no worker can be started before.
///
/// # Errors
/// It did not arrive.
pub async fn arrive() -> Result<(), SplitLoaderError> {
    CODEC.set(Some(codec().await?));
    Ok(())
}

/// The program of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// Trains on the CPU, and answers questions.
    CpuTrainer,
    /// Trains on WebGPU.
    GpuTrainer,
    /// Passes messages on to the trainer in the process that the page came from.
    Relay,
    /// Makes and reads files.
    Files,
}

impl Program {
    /// The one that trains on a device.
    pub const fn trainer(backend: Backend) -> Self {
        match backend {
            Backend::Cpu => Self::CpuTrainer,
            Backend::WebGpu => Self::GpuTrainer,
            Backend::Native => Self::Relay,
        }
    }

    /// Whether the document knows of it.
    pub fn is_there(self) -> bool {
        self.address().is_ok()
    }

    /// Where the document says that it is.
    fn address(self) -> Result<String, String> {
        let name = match self {
            Self::CpuTrainer => "kiln-cpu_worker",
            Self::GpuTrainer => "kiln-gpu_worker",
            Self::Relay | Self::Files => "kiln-file_worker",
        };
        let document = web_sys::window().and_then(|window| window.document());
        let selector = format!("meta[name={name}]");
        let meta = document.and_then(|document| document.query_selector(&selector).ok()?);
        let address = meta.and_then(|meta| meta.get_attribute("content"));
        address.ok_or_else(|| format!("the page does not name its {name}"))
    }
}

/// A worker; it ends when this is dropped.
pub struct Bridge {
    worker: Worker,
    codec: Codec,
    /// What waits for the worker to listen; nothing once it does.
    held_back: Rc<RefCell<Option<Vec<Sent>>>>,
    _listeners: [EventListener; 2],
}

impl Bridge {
    /// Starts a worker. `receive` gets its messages; a fault of the worker, and a
    /// message that cannot be read, come as [`FromWorker::Fatal`].
    ///
    /// # Errors
    /// A browser that starts no worker, in its own words.
    pub fn start(
        program: Program,
        receive: impl Fn(FromWorker) + Clone + 'static,
    ) -> Result<Self, String> {
        let codec = CODEC.get().ok_or("its code has not arrived yet")?;
        let script = program.address()?;
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        if program == Program::Relay {
            let name = native::relay().ok_or("the page did not come from one")?;
            options.set_name(&name);
        }
        let worker =
            Worker::new_with_options(&script, &options).map_err(|error| describe(&error))?;
        let held_back = Rc::new(RefCell::new(Some(Vec::new())));

        let on_message = EventListener::new(&worker, "message", {
            let (worker, held_back, receive) =
                (worker.clone(), Rc::clone(&held_back), receive.clone());
            move |event| {
                let data = event.unchecked_ref::<MessageEvent>().data();
                let message = (codec.decode)(data).unwrap_or_else(|error| FromWorker::Fatal {
                    details: error.to_string(),
                });
                if message == FromWorker::Ready {
                    for message in held_back.take().unwrap_or_default() {
                        if let Err(details) = post(&worker, &message) {
                            receive(FromWorker::Fatal { details });
                        }
                    }
                }
                receive(message);
            }
        });
        let on_error = EventListener::new(&worker, "error", move |event| {
            let details = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message);
            receive(FromWorker::Fatal {
                details: details
                    .filter(|details| !details.is_empty())
                    .unwrap_or_else(|| "the worker's program could not be loaded".to_owned()),
            });
        });
        Ok(Self {
            worker,
            codec,
            held_back,
            _listeners: [on_message, on_error],
        })
    }

    /// Sends a message, at once or as soon as the worker listens.
    ///
    /// # Errors
    /// A message that cannot be sent, in the browser's words.
    pub fn send(&self, message: &ToWorker) -> Result<(), String> {
        let sent = (self.codec.encode)(message).map_err(|error| error.to_string())?;
        match self.held_back.borrow_mut().as_mut() {
            Some(held_back) => {
                held_back.push(sent);
                Ok(())
            }
            None => post(&self.worker, &sent),
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn post(worker: &Worker, Sent { value, buffers }: &Sent) -> Result<(), String> {
    worker
        .post_message_with_transfer(value, buffers)
        .map_err(|error| describe(&error))
}
