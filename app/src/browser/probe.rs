//! Asks the browser for a GPU, before burn does.
//!
//! burn panics on an adapter without `timestamp-query`; so page and worker both look here first.

use futures::future::{Either, select};
use gloo::timers::future::TimeoutFuture;
use js_sys::{Object, Promise, Reflect};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::browser::words::describe;
use kiln_run::device::{Adapter, NoGpu, SILENT_SECS, adapter_name};

// The few members of WebGPU that are asked for; web-sys keeps its own behind a compiler flag.
#[wasm_bindgen]
extern "C" {
    type Gpu;
    #[wasm_bindgen(method, js_name = requestAdapter)]
    fn request_adapter(this: &Gpu) -> Promise;

    type GpuAdapter;
    #[wasm_bindgen(method, getter)]
    fn features(this: &GpuAdapter) -> js_sys::Set;
}

/// Asks the browser for an adapter; works on the page and in a worker.
///
/// # Errors
/// Why there is none that burn can train on.
pub async fn probe() -> Result<Adapter, NoGpu> {
    let gpu = gpu()?;
    let silence = TimeoutFuture::new(1_000 * SILENT_SECS);
    let adapter = match select(JsFuture::from(gpu.request_adapter()), silence).await {
        Either::Left((answer, _)) => answer.map_err(|error| NoGpu::Refused(describe(&error)))?,
        Either::Right(_) => return Err(NoGpu::Silent),
    };
    if adapter.is_null() || adapter.is_undefined() {
        return Err(NoGpu::NoAdapter);
    }
    let adapter: GpuAdapter = adapter.unchecked_into();
    if !adapter.features().has(&"timestamp-query".into()) {
        return Err(NoGpu::NoTimestampQuery);
    }
    // Older browsers have adapters that say nothing of themselves.
    let info = Reflect::get(&adapter, &"info".into()).unwrap_or_default();
    let said = |what: &str| {
        let said = Reflect::get(&info, &what.into()).ok();
        said.and_then(|said| said.as_string()).unwrap_or_default()
    };
    let is_software = Reflect::get(&info, &"isFallbackAdapter".into());
    Ok(Adapter {
        name: adapter_name(
            &[said("description"), said("device")],
            &[said("vendor"), said("architecture")],
        ),
        is_software: is_software.is_ok_and(|is_software| is_software.is_truthy()),
    })
}

fn gpu() -> Result<Gpu, NoGpu> {
    let global: Object = js_sys::global();
    let secure = Reflect::get(&global, &"isSecureContext".into());
    let gpu = Reflect::get(&global, &"navigator".into())
        .and_then(|navigator| Reflect::get(&navigator, &"gpu".into()))
        .unwrap_or(JsValue::UNDEFINED);
    if !gpu.is_undefined() {
        Ok(gpu.unchecked_into())
    } else if secure.is_ok_and(|secure| secure.is_falsy()) {
        Err(NoGpu::Insecure)
    } else {
        Err(NoGpu::NoWebGpu)
    }
}
