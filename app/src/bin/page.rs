//! The page.

fn main() {
    kiln_app::ui::mount();
}
