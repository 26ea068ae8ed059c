//! The worker for files: makes what runs leave, and reads what comes back. It knows neither a device
//! nor burn, so it is small, and is there as soon as a file is asked for.

mod make;
mod unpack;

use crate::browser::codec::decode;
use crate::browser::scope::{self, post};
use kiln_run::protocol::{FromWorker, ToWorker};
use serde_bytes::ByteBuf;

/// Serves the page until the worker is ended.
pub fn start() {
    scope::report_faults();
    let mut held = Vec::new();
    scope::listen(move |value| match decode(value) {
        Ok(message) => hear(message, &mut held),
        Err(error) => post(&FromWorker::Fatal {
            details: error.to_string(),
        }),
    });
    post(&FromWorker::Ready);
}

/// Answers a question; `held` are the logs of the runs that are asked about next.
fn hear(mut message: ToWorker, held: &mut Vec<Vec<ByteBuf>>) {
    if let ToWorker::Hold { place, segments } = message {
        let place = place as usize;
        held.resize_with(held.len().max(place + 1), Vec::new);
        held[place].extend(segments);
        return;
    }
    let logs = std::mem::take(held);
    for (parcel, segments) in message.parcels_mut().iter_mut().zip(logs) {
        parcel.segments = segments;
    }
    answer(message);
}

fn answer(message: ToWorker) {
    match message {
        ToWorker::Export {
            format,
            which,
            parcel,
        } => make::one(format, which, &parcel),
        ToWorker::Pack { parcels } => make::archive(&parcels),
        ToWorker::Weigh { which, parcel } => make::weigh(which, &parcel),
        ToWorker::Check { files, choices } => unpack::check(&files, choices),
        ToWorker::Unpack { file, newcomer } => unpack::unpack(&file, *newcomer),
        _ => post(&FromWorker::Fatal {
            details: "this worker only makes and reads files".to_owned(),
        }),
    }
}
