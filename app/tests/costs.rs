//! What keeping a run safe costs, and whether a long run stays as small as it was: figures that
//! `cargo xtask bench` prints. Nothing here is judged by time.
#![cfg(target_arch = "wasm32")]
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use burn::tensor::Device;
use js_sys::{Reflect, WebAssembly};
use kiln_app::worker::{constructors, yield_to_messages};
use kiln_model::batch::Batches;
use kiln_model::checkpoint::write;
use kiln_model::config::Config;
use kiln_model::dataset::{Dataset, Images};
use kiln_model::event::Event;
use kiln_model::mnist::{FILES, Unpacker};
use kiln_model::spec::PARAMETER_COUNT;
use kiln_model::train::fused::update::{Update, norm};
use kiln_model::train::fused::{Examples, Network};
use kiln_model::train::session::{ReadBack, Session};
use kiln_model::weights::initial;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const TEST_IMAGES: &[u8] = include_bytes!("../../model/data/t10k-images-idx3-ubyte.0fa7898d.gz");
const TEST_LABELS: &[u8] = include_bytes!("../../model/data/t10k-labels-idx1-ubyte.ff7bcfd4.gz");

fn dataset() -> Dataset {
    let inflate = |bytes: &[u8], file: usize| {
        let mut unpacker = Unpacker::new(&FILES[file]);
        unpacker.push(bytes).unwrap();
        unpacker.finish().unwrap()
    };
    let images = Images::from_idx(inflate(TEST_IMAGES, 2), &inflate(TEST_LABELS, 1)).unwrap();
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
    constructors::call();
    Device::wgpu_options()
        .tasks_max(64)
        .init_async()
        .await
        .unwrap()
}

/// As a worker reads.
fn read_back(device: &Device) -> ReadBack {
    if *device == Device::flex() {
        ReadBack::EveryStep
    } else {
        ReadBack::Batched
    }
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

/// Milliseconds of a step and of a snapshot as a file.
async fn costs(name: &str, device: Device, batch_size: u32, times: usize) {
    let data = dataset();
    let read_back = read_back(&device);
    let mut session = Session::new(config(batch_size), &data, device, read_back).unwrap();
    let take = async |session: &mut Session| {
        session.advance().await.unwrap();
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
        bytes = write(&snapshot.unwrap()).unwrap().len();
        keeping.push(now_ms() - start);
    }
    let keep = median(keeping);
    // A run is kept every 30 seconds at least.
    console_log!(
        "{name}, batch {batch_size}: step {step:.1} ms; checkpoint {keep:.1} ms, {bytes} bytes, \
         {:.3} % at one in 30 s",
        100.0 * keep / 30_000.0
    );
}

#[wasm_bindgen_test]
async fn costs_on_the_cpu() {
    costs("CPU", Device::flex(), 128, 20).await;
}

/// What each part of a step costs one worker, with the default settings but for the batch.
#[wasm_bindgen_test]
fn the_parts_of_a_step_on_the_cpu() {
    const BATCH_SIZE: u32 = 128;
    const TIMES: u32 = 50;
    let config = config(BATCH_SIZE);
    let images = dataset().split_for(&config).training;
    let mut weights = initial(config.seed);
    let mut batches = Batches::new(
        images.clone(),
        BATCH_SIZE as usize,
        config.dropout,
        config.seed,
    );
    let optimizer = config.optimizer;
    let mut update = Update::new(optimizer, &optimizer.initial_state(PARAMETER_COUNT), 0).unwrap();
    let mut network = Network::new(&weights);
    let mut spent = [0.0; 6];
    let mut start = 0.0;
    let mut part = |part: usize| {
        let now = now_ms();
        if let Some(spent) = spent.get_mut(part) {
            *spent += (now - start) / f64::from(TIMES);
        }
        start = now;
    };
    for step in 0..TIMES {
        part(usize::MAX);
        let batch = batches.draw(step).whole(&images);
        part(0);
        network.load(&weights);
        part(1);
        drop(network.logits(&batch.pixels));
        part(2);
        let examples = Examples {
            pixels: &batch.pixels,
            labels: &batch.labels,
            dropout: batch.dropout.as_ref(),
        };
        let outcome = network.gradients(examples, BATCH_SIZE as usize);
        part(3);
        let gradient = outcome.sums.flat();
        assert!(norm(&gradient).is_finite());
        part(4);
        update.apply(&mut weights, &gradient, config.learning_rate);
        part(5);
    }
    let [drawn, loaded, answered, learned, flat, updated] = spent;
    console_log!(
        "CPU, 1 worker, batch {BATCH_SIZE}, ms a step: pixels and dropout {drawn:.2}, weights laid \
         out {loaded:.2}, forward and backward {learned:.2}, gradient laid out and its norm \
         {flat:.2}, update {updated:.2}; and forward alone, dropout off, {answered:.2}"
    );
}

#[wasm_bindgen_test]
async fn costs_and_a_long_run_on_the_gpu() {
    let device = gpu().await;
    costs("Software GPU", device.clone(), 32, 20).await;
    long_run("Software GPU", device, 16, [100, 500]).await;
}

#[wasm_bindgen_test]
async fn a_long_run_on_the_cpu() {
    long_run("CPU", Device::flex(), 1, [10_000, 100_000]).await;
}

/// Memory after some steps and after many; as in a worker, events go away.
async fn long_run(name: &str, device: Device, batch_size: u32, [early, late]: [u32; 2]) {
    let data = dataset();
    let config = Config {
        validation_split: 0.05,
        ..config(batch_size)
    };
    let read_back = read_back(&device);
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
        if step.is_multiple_of(1_000) {
            session.snapshot().await.unwrap();
        }
        yield_to_messages().await;
    }
}
