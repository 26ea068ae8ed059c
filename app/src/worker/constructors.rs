//! The module's constructors, by which burn's runtime enters what it has into lists.
#![allow(
    unsafe_code,
    reason = "the linker's function that calls the constructors cannot be had otherwise"
)]

use std::sync::Once;

/// Calls them, once.
///
/// Where nobody does, the linker has every call from JavaScript into the module begin with all of
/// them, a millisecond and more each time.
pub fn call() {
    static CALLED: Once = Once::new();
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: it takes and gives nothing, and no other thread runs in this module; the constructors
    // are written to be called once, before what they enter is read, which is after a device opens.
    CALLED.call_once(|| unsafe { __wasm_call_ctors() });
}
