//! Workers that break while they train.

use crate::server::Fault;

/// Counts the steps that a worker has told of, as `told`.
const COUNT_STEPS: &str = "const post = self.postMessage.bind(self); let told = 0;
    const steps = message => (message.Happened?.events ?? []).filter(event => event.Step).length;";

/// A worker whose clock breaks inside a promise, as a trap would, once it has told of so many
/// steps.
pub fn clock_breaks_after(told: u32) -> Fault {
    let script = format!(
        "{COUNT_STEPS}
         self.postMessage = message => {{ told += steps(message); post(message); }};
         const now = performance.now.bind(performance);
         performance.now = () => {{ if (told > {told}) throw new Error('the clock broke'); return now(); }};"
    );
    Fault::Before("cpu_worker_loader.js", script.into())
}

/// A worker whose GPU is lost once its run was kept and it has told of so many steps.
pub fn gpu_goes_after(told: u32) -> Fault {
    let script = format!(
        "const request = GPUAdapter.prototype.requestDevice; let opened;
         GPUAdapter.prototype.requestDevice = async function (...asked) {{
           return opened = await request.apply(this, asked); }};
         {COUNT_STEPS} let kept = false;
         self.postMessage = message => {{ told += steps(message); kept ||= message.Kept; post(message);
           if (kept && told >= {told}) opened.destroy(); }};"
    );
    Fault::Before("gpu_worker_loader.js", script.into())
}
