//! Runs between visits, in this browser's IndexedDB.
//!
//! What lists show of every run is small and read at once; its log, its checkpoint, and what it
//! answered in its validations, are read when it is looked at. A keep is one transaction: it writes
//! the record and the checkpoint in place of those before, and appends what is new of the log.

mod answers;
mod door;
mod kept;
mod opened;
mod own_data;
mod runs;

use std::rc::Rc;

use leptos::wasm_split::wasm_split;

use opened::Opened;

pub use kept::{Fate, Kept, KeptAnswers, OwnData, Removed, Store, StoreError};

/// Opens the store.
type Open = fn(Rc<dyn Fn(Fate)>) -> kept::Wait<'static, Rc<dyn Store>>;

#[wasm_split(work, fallible, wasm_split_path = leptos::wasm_split)]
fn opener() -> Result<Open, StoreError> {
    Ok(|tell| {
        Box::pin(async move {
            let opened = Opened::open(move |fate| tell(fate)).await?;
            Ok(Rc::new(opened) as Rc<dyn Store>)
        })
    })
}

/// Opens the store, and makes it on the first visit; what does so arrives first. `tell` hears what
/// becomes of the store.
///
/// # Errors
/// A browser that keeps nothing, as in some private windows.
pub async fn open(tell: impl Fn(Fate) + 'static) -> Result<Rc<dyn Store>, StoreError> {
    opener().await?(Rc::new(tell)).await
}
