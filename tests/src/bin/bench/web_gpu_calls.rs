//! What a training step asks of WebGPU: dispatches, submits, uploaded bytes, reads.

use std::time::Duration;

use kiln_tests::HarnessError;
use kiln_tests::server::{Fault, Server};

use crate::training::{self, Device};

/// Images of a step.
const BATCH_SIZE: u32 = 128;
/// The time over which calls are counted.
const COUNTED: Duration = Duration::from_secs(15);

/// Counts in the worker, and tells whoever asks on the channel `counts`.
const COUNT: &str = "
  const counts = { steps: 0, dispatches: 0, submits: 0, uploaded: 0, reads: 0 };
  const before = (owner, name, note) => {
    const call = owner.prototype[name];
    owner.prototype[name] = function (...sent) { note(...sent); return call.apply(this, sent); };
  };
  before(GPUComputePassEncoder, 'dispatchWorkgroups', () => counts.dispatches++);
  before(GPUQueue, 'submit', () => counts.submits++);
  before(GPUQueue, 'writeBuffer', (buffer, at, data, from, size) =>
    counts.uploaded += size ?? data.byteLength);
  before(GPUDevice, 'createBuffer', asked => {
    if (asked.mappedAtCreation) counts.uploaded += asked.size;
  });
  before(GPUBuffer, 'mapAsync', mode => { if (mode === GPUMapMode.READ) counts.reads++; });
  const post = self.postMessage.bind(self);
  self.postMessage = message => {
    counts.steps += (message.Happened?.events ?? []).filter(event => event.Step).length;
    post(message);
  };
  const channel = new BroadcastChannel('counts');
  channel.onmessage = ({ data }) => { if (data === 'ask') channel.postMessage(counts); };
";
const ASK: &str = "new Promise(answer => {
    const channel = new BroadcastChannel('counts');
    channel.onmessage = ({ data: { steps, dispatches, submits, uploaded, reads } }) =>
      answer([steps, dispatches, submits, uploaded, reads]);
    channel.postMessage('ask'); })";

/// Prints what a step asks of WebGPU in the middle of an epoch.
///
/// # Errors
/// A page that does not come so far.
pub async fn print(server: &Server) -> Result<(), HarnessError> {
    server.set_fault(Some(Fault::Before("gpu_worker_loader.js", COUNT.into())));
    let page = training::open(server, Device::WebGpu).await?;
    server.set_fault(None);
    training::start(&page, BATCH_SIZE).await?;
    let ask = async || -> Result<Vec<f64>, HarnessError> {
        let counts = page.evaluate(ASK).await?;
        let counts = counts.as_array().into_iter().flatten();
        Ok(counts.filter_map(serde_json::Value::as_f64).collect())
    };
    let first = ask().await?;
    tokio::time::sleep(COUNTED).await;
    let last = ask().await?;
    let counted: Vec<f64> = last
        .iter()
        .zip(first)
        .map(|(last, first)| last - first)
        .collect();
    if let [steps, dispatches, submits, uploaded, reads] = counted[..] {
        println!(
            "WebGPU, batch {BATCH_SIZE}, each of {steps} steps: {:.1} dispatches, {:.2} submits, \
             {:.0} bytes uploaded, {:.2} reads",
            dispatches / steps,
            submits / steps,
            uploaded / steps,
            reads / steps
        );
    }
    page.close().await
}
