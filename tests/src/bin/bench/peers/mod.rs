//! Other programs train the same network: how many images a second, beside Kiln.

mod browser;
pub mod keras;
pub mod packages;
mod table;

use std::net::SocketAddr;
use std::path::PathBuf;

use kiln_tests::HarnessError;
use kiln_tests::server::{Pace, Server};

use crate::training::{self, Device};
use table::Table;

/// Batch sizes in the order of their tables.
const BATCHES: [u32; 3] = [32, 64, 128];

/// Who trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trainer {
    /// The built page.
    Kiln(Device),
    /// A module of `tests/peers/` in the same Chromium, on a device as its library calls it.
    Library {
        module: &'static str,
        device: &'static str,
    },
    /// Keras on TensorFlow, outside the browser.
    Keras,
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
struct Contestant {
    name: &'static str,
    trainer: Trainer,
    batches: &'static [u32],
}

const KILN: [Contestant; 3] = [
    kiln("Kiln, CPU, 1 worker", Device::Cpu("1")),
    kiln("Kiln, CPU, 2 workers", Device::Cpu("2")),
    kiln("Kiln, WebGPU", Device::WebGpu),
];
const PEERS: [Contestant; 6] = [
    library("jax-js, WebGPU", "jax", "webgpu", &[32, 64, 128]),
    library("jax-js, wasm", "jax", "wasm", &[32, 64, 128]),
    library("TensorFlow.js, WebGPU", "tensorflow", "webgpu", &[32, 128]),
    library("TensorFlow.js, WebGL", "tensorflow", "webgl", &[32, 128]),
    library("TensorFlow.js, wasm", "tensorflow", "wasm", &[32, 128]),
    Contestant {
        name: "Keras, native, CPU",
        trainer: Trainer::Keras,
        batches: &[32, 128],
    },
];

const fn kiln(name: &'static str, device: Device) -> Contestant {
    Contestant {
        name,
        trainer: Trainer::Kiln(device),
        batches: &BATCHES,
    }
}

const fn library(
    name: &'static str,
    module: &'static str,
    device: &'static str,
    batches: &'static [u32],
) -> Contestant {
    Contestant {
        name,
        trainer: Trainer::Library { module, device },
        batches,
    }
}

/// Measures everyone in turn, so many times, and prints the medians.
///
/// # Errors
/// Packages that cannot be had, or no built page. Whoever cannot train is in the table with the
/// reason.
pub async fn compare(rounds: usize) -> Result<(), HarnessError> {
    let packages = packages::install()?;
    let places = Places {
        page: Server::start_at(Pace::Full).await?,
        libraries: browser::serve().await?,
        python: packages.python,
    };
    let mut tables = BATCHES.map(Table::new);
    for round in 1..=rounds {
        for table in &mut tables {
            for row in table.rows.iter_mut().filter(|row| row.failure.is_none()) {
                let answer = images_per_sec(row.contestant.trainer, table.batch, &places).await;
                let said = match &answer {
                    Ok(rate) => format!("{rate:.0} images/s"),
                    Err(error) => error.to_string(),
                };
                let name = row.contestant.name;
                eprintln!(
                    "Round {round} of {rounds}, batch {}, {name}: {said}",
                    table.batch
                );
                match answer {
                    Ok(rate) => row.rates.push(rate),
                    Err(_) => row.failure = Some(said),
                }
            }
        }
    }
    println!("{}", packages.versions);
    println!(
        "Images a second in training, dropout and Adam included; medians of rounds: {rounds}."
    );
    for table in tables {
        println!("\n{table}");
    }
    Ok(())
}

/// Where the trainers are.
#[derive(Debug)]
struct Places {
    page: Server,
    libraries: SocketAddr,
    python: PathBuf,
}

async fn images_per_sec(
    trainer: Trainer,
    batch: u32,
    places: &Places,
) -> Result<f64, HarnessError> {
    match trainer {
        Trainer::Kiln(device) => training::images_per_sec(&places.page, device, batch).await,
        Trainer::Library { module, device } => {
            browser::images_per_sec(places.libraries, module, device, batch).await
        }
        Trainer::Keras => keras::images_per_sec(&places.python, batch).await,
    }
}
