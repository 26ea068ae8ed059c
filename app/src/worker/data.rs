//! Fetches MNIST from the page's own origin, tells how far it is, and checks it; or reads data of a
//! person's own.

use gloo::net::http::Request;
use js_sys::{Reflect, Uint8Array};
use kiln_model::dataset::Dataset;
use kiln_model::mnist::{self, File, MnistError, Unpacker};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStreamDefaultReader;

use crate::browser::scope::post;
use crate::browser::words::describe;
use kiln_run::import::data::{DataError, read, summary};
use kiln_run::protocol::{Data, FromWorker};

/// Bytes between two reports of progress.
const REPORT_BYTES: u64 = 100_000;

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("{file} could not be fetched: {reason}")]
    Fetch { file: &'static str, reason: String },
    #[error(transparent)]
    Damaged(#[from] MnistError),
    #[error(transparent)]
    Own(#[from] DataError),
}

/// The data, or nothing where the page was told why.
pub async fn load(data: Data) -> Option<Dataset> {
    let mut progress = Progress::default();
    let loaded = match data {
        Data::Mnist => load_files(&mut progress)
            .await
            .map(|dataset| (summary(&dataset, false), dataset)),
        Data::Own { files, choices } => read(&files, choices).map_err(LoadError::from),
    };
    match loaded {
        Ok((data, dataset)) => {
            post(&FromWorker::Loaded { data });
            Some(dataset)
        }
        Err(error) => {
            post(&FromWorker::LoadFailed {
                loaded_bytes: progress.loaded_bytes,
                reason: error.to_string(),
            });
            None
        }
    }
}

async fn load_files(progress: &mut Progress) -> Result<Dataset, LoadError> {
    let mut inflated = [const { Vec::new() }; 4];
    for (file, inflated) in mnist::FILES.iter().zip(&mut inflated) {
        *inflated = fetch(file, progress).await?;
    }
    Ok(mnist::dataset(inflated)?)
}

async fn fetch(file: &'static File, progress: &mut Progress) -> Result<Vec<u8>, LoadError> {
    let failed = |reason: String| LoadError::Fetch {
        file: file.name,
        reason,
    };
    // A worker has a folder of its own beside that of the data.
    let response = Request::get(&format!("../data/{}", file.name))
        .send()
        .await
        .map_err(|error| failed(error.to_string()))?;
    if !response.ok() {
        return Err(failed(format!("the server answered {}", response.status())));
    }
    let body = response
        .body()
        .ok_or_else(|| failed("the answer is empty".to_owned()))?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut unpacker = Unpacker::new(file);
    let before = progress.loaded_bytes;
    loop {
        let part = JsFuture::from(reader.read())
            .await
            .map_err(|error| failed(describe(&error)))?;
        let value =
            Reflect::get(&part, &"value".into()).map_err(|error| failed(describe(&error)))?;
        if value.is_undefined() {
            break;
        }
        unpacker.push(&Uint8Array::new(&value).to_vec())?;
        progress.tell(before + unpacker.loaded_bytes());
    }
    Ok(unpacker.finish()?)
}

#[derive(Debug, Default)]
struct Progress {
    loaded_bytes: u64,
    told_bytes: u64,
}

impl Progress {
    fn tell(&mut self, loaded_bytes: u64) {
        self.loaded_bytes = loaded_bytes;
        if loaded_bytes - self.told_bytes >= REPORT_BYTES || loaded_bytes == mnist::GZIP_BYTES {
            self.told_bytes = loaded_bytes;
            post(&FromWorker::Loading {
                loaded_bytes,
                total_bytes: mnist::GZIP_BYTES,
            });
        }
    }
}
