//! The worker that trains on WebGPU.
#![recursion_limit = "256"]

fn main() {
    kiln_app::worker::start(kiln_run::device::Backend::WebGpu);
}
