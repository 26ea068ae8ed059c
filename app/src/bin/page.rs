//! The page.

fn main() {
    kiln_app::page::mount();
}
