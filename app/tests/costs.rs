//! What keeping a run safe costs, and whether a long run stays as small as it was: figures that
//! `cargo xtask bench` prints. Nothing here is judged by time.
#![cfg(target_arch = "wasm32")]
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use burn::tensor::Device;
use js_sys::{Reflect, WebAssembly};
use kiln_app::worker::yield_to_messages;
use kiln_model::batch::Batches;
use kiln_model::checkpoint::{Checkpoint, write};
use kiln_model::config::{Config, ValidateOn};
use kiln_model::dataset::{Dataset, Images};
use kiln_model::event::Event;
use kiln_model::history::History;
use kiln_model::mnist::{FILES, Unpacker};
use kiln_model::train::network;
use kiln_model::train::session::{ReadBack, Session};
use kiln_model::train::transfer::{download, upload};
use kiln_model::weights;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TEST_IMAGES: &[u8] = include_bytes!("../../model/data/t10k-images-idx3-ubyte.gz");
const TEST_LABELS: &[u8] = include_bytes!("../../model/data/t10k-labels-idx1-ubyte.gz");

fn dataset() -> Dataset {
    let inflate = |bytes: &[u8], file: usize| {
        let mut unpacker = Unpacker::new(&FILES[file]);
        unpacker.push(bytes).unwrap();
        unpacker.finish().unwrap()
    };
    let images = Images::from_idx(&inflate(TEST_IMAGES, 2), &inflate(TEST_LABELS, 1)).unwrap();
    Dataset::new(images.clone(), images, "test files")
}

fn config(batch_size: u32) -> Config {
    Config {
        epochs: 50,
        batch_size,
        training_images: 10_000,
        ..Config::default()
    }
}

async fn gpu() -> Device {
    Device::wgpu_options()
        .tasks_max(64)
        .init_async()
        .await
        .unwrap()
}

fn now_ms() -> f64 {
    let performance = Reflect::get(&js_sys::global(), &"performance".into()).unwrap();
    let now: js_sys::Function = Reflect::get(&performance, &"now".into())
        .unwrap()
        .unchecked_into();
    now.call0(&performance).unwrap().as_f64().unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds of a step, of a snapshot as a file, of a read-back, and of the gradient's norm.
async fn costs(name: &str, device: Device, read_back: ReadBack, batch_size: u32, times: usize) {
    let data = dataset();
    let mut session = Session::new(config(batch_size), &data, device.clone(), read_back).unwrap();
    let mut history = History::default();
    let mut take = async |session: &mut Session| {
        for event in session.advance().await.unwrap() {
            history.apply(&event);
        }
    };
    for _ in 0..3 {
        take(&mut session).await;
    }
    // A read-back at the end makes the device finish what was only asked for.
    session.snapshot().await.unwrap();
    let start = now_ms();
    for _ in 0..times {
        take(&mut session).await;
    }
    session.snapshot().await.unwrap();
    let step = (now_ms() - start) / times as f64;

    let mut keeping = Vec::new();
    let mut bytes = 0;
    for _ in 0..5 {
        let start = now_ms();
        let (_, snapshot) = session.snapshot().await.unwrap();
        let checkpoint = Checkpoint {
            snapshot: snapshot.unwrap(),
            history: history.clone(),
        };
        bytes = write(&checkpoint).unwrap().len();
        keeping.push(now_ms() - start);
    }
    let keep = median(keeping);

    let split = data.split(1_000, 0, ValidateOn::TestSet);
    let batch = Batches::new(split.training, batch_size as usize, 0.5, 42).next(0);
    let weights = upload(weights::initial(42), &device);
    let found = network::gradients(&weights, &batch, batch_size as usize).unwrap();
    download(found.logits.clone()).await.unwrap();
    let mut reading = Vec::new();
    let mut norming = Vec::new();
    for _ in 0..9 {
        let start = now_ms();
        download(found.logits.clone() + 1.0).await.unwrap();
        reading.push(now_ms() - start);
        let start = now_ms();
        let squares = found.gradient.clone() * found.gradient.clone();
        download(squares.sum().sqrt()).await.unwrap();
        norming.push(now_ms() - start);
    }
    let (read, norm) = (median(reading), median(norming));
    // A GPU is read at most every 100 ms, a CPU after every step.
    let reads_a_step = match read_back {
        ReadBack::EveryStep => 1.0,
        ReadBack::Batched => (step / 100.0).min(1.0),
    };
    // The norm is read with the logits: what it costs alone is its arithmetic.
    let arithmetic = (norm - read).max(0.0);
    let share = |ms: f64| 100.0 * ms / step;
    let (keep_share, read_share) = (keep / 30_000.0 * 100.0, share(read * reads_a_step));
    console_log!(
        "{name}, batch {batch_size}: step {step:.1} ms; checkpoint {keep:.1} ms, {bytes} bytes, \
         {keep_share:.3} % at one in 30 s; read-back {read:.2} ms, {read_share:.2} %; gradient \
         norm {arithmetic:.2} ms, {:.2} %; together {:.2} %",
        share(arithmetic),
        keep_share + read_share + share(arithmetic)
    );
}

#[wasm_bindgen_test]
async fn costs_on_the_cpu() {
    costs("CPU", Device::flex(), ReadBack::EveryStep, 128, 20).await;
}

#[wasm_bindgen_test]
async fn costs_and_a_long_run_on_the_gpu() {
    let device = gpu().await;
    costs("Software GPU", device.clone(), ReadBack::Batched, 32, 6).await;
    long_run("Software GPU", device, ReadBack::Batched, 100, 500).await;
}

#[wasm_bindgen_test]
async fn a_long_run_on_the_cpu() {
    long_run("CPU", Device::flex(), ReadBack::EveryStep, 1_000, 10_000).await;
}

/// Memory after `early` steps and after `late` ones, at batch 16; as in a worker, events go away.
async fn long_run(name: &str, device: Device, read_back: ReadBack, early: u32, late: u32) {
    let data = dataset();
    let config = Config {
        validation_split: 0.05,
        ..config(16)
    };
    let mut session = Session::new(config, &data, device.clone(), read_back).unwrap();
    let mut step = 0;
    while step < late {
        for event in session.advance().await.unwrap() {
            if let Event::Step(moment, _) = event {
                step = moment.step;
                if step == early || step == late {
                    let wasm = wasm_bindgen::memory().unchecked_into::<WebAssembly::Memory>();
                    let buffer: js_sys::ArrayBuffer = wasm.buffer().unchecked_into();
                    let pool = device.memory_pool_usage();
                    console_log!(
                        "{name}, step {step}: wasm memory {} bytes, pool {:?} bytes reserved, {:?} in use",
                        buffer.byte_length(),
                        pool.as_ref().map(|pool| pool.bytes_reserved),
                        pool.as_ref().map(|pool| pool.bytes_in_use)
                    );
                }
            }
        }
        if step.is_multiple_of(100) {
            session.snapshot().await.unwrap();
        }
        yield_to_messages().await;
    }
}
