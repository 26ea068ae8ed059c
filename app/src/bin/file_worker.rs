//! The worker that makes and reads files.

fn main() {
    kiln_app::files::start();
}
