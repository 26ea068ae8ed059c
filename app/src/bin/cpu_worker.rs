//! The worker that trains on the CPU.

fn main() {
    kiln_app::worker::start(kiln_run::device::Backend::Cpu);
}
