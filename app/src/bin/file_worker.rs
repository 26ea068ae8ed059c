//! The worker that makes and reads files, or passes on what a trainer elsewhere is told and tells.

fn main() {
    match kiln_app::relay::token() {
        Some(token) => kiln_app::relay::start(&token),
        None => kiln_app::files::start(),
    }
}
