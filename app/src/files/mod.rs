//! The worker for files: makes what runs leave, and reads what comes back. It knows neither a device
//! nor burn, so it is small, and is there as soon as a file is asked for.

mod make;
mod unpack;

use crate::browser::codec::decode;
use crate::browser::scope::{self, post};
use kiln_run::protocol::{FromWorker, ToWorker};

/// Serves the page until the worker is ended.
pub fn start() {
    scope::report_faults();
    scope::listen(|value| match decode(value) {
        Ok(message) => answer(message),
        Err(error) => post(&FromWorker::Fatal {
            details: error.to_string(),
        }),
    });
    post(&FromWorker::Ready);
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
