//! Files that are dropped on the page, those in folders too.

use gloo::file::{File, FileList};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

use crate::browser::words::describe;

/// Most files that are taken out of folders.
const MOST_FILES: usize = 1_000;

/// What was dropped: it can be asked for only while it is being dropped.
#[derive(Debug)]
pub struct Dropped {
    files: Vec<File>,
    /// What is in folders has still to be read.
    entries: Vec<FileSystemEntry>,
}

impl Dropped {
    /// What an event brings.
    pub fn of(event: &DragEvent) -> Self {
        let dropped = event.data_transfer();
        let items = dropped.as_ref().map(web_sys::DataTransfer::items);
        let entries: Vec<FileSystemEntry> = items
            .iter()
            .flat_map(|items| (0..items.length()).filter_map(|index| items.get(index)))
            .filter_map(|item| item.webkit_get_as_entry().ok().flatten())
            .collect();
        let has_folder = entries.iter().any(FileSystemEntry::is_directory);
        let files = dropped
            .filter(|_| !has_folder)
            .and_then(|dropped| dropped.files());
        Self {
            files: files
                .map(|files| FileList::from(files).to_vec())
                .unwrap_or_default(),
            entries: if has_folder { entries } else { Vec::new() },
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.entries.is_empty()
    }

    /// All files, in folders within folders too.
    ///
    /// # Errors
    /// A folder or a file that the browser does not read, in its own words, and more files than are
    /// taken.
    pub async fn files(self) -> Result<Vec<File>, String> {
        let Self {
            mut files,
            mut entries,
        } = self;
        while let Some(entry) = entries.pop() {
            // Browsers have other names for what these are, so they are asked.
            if entry.is_directory() {
                entries.extend(inside(entry.unchecked_ref()).await?);
            } else {
                let file: &FileSystemFileEntry = entry.unchecked_ref();
                let read = asked(|done, failed| file.file_with_callback_and_callback(done, failed));
                let file: web_sys::File = read.await?.unchecked_into();
                files.push(file.into());
            }
            if files.len() + entries.len() > MOST_FILES {
                return Err(format!("there are more than {MOST_FILES} files in it"));
            }
        }
        files.sort_by_key(File::name);
        Ok(files)
    }
}

/// What is in a folder; a browser tells it a hundred at a time.
async fn inside(folder: &FileSystemDirectoryEntry) -> Result<Vec<FileSystemEntry>, String> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    while all.len() <= MOST_FILES {
        let read = asked(|done, failed| {
            // Where it throws, nobody is called back.
            if let Err(error) = reader.read_entries_with_callback_and_callback(done, failed) {
                drop(failed.call1(&JsValue::NULL, &error));
            }
        });
        let some: Array = read.await?.unchecked_into();
        if some.length() == 0 {
            break;
        }
        all.extend(
            some.iter()
                .map(|entry| entry.unchecked_into::<FileSystemEntry>()),
        );
    }
    Ok(all)
}

/// What a function comes to that calls back.
async fn asked(ask: impl Fn(&Function, &Function)) -> Result<JsValue, String> {
    let promise = Promise::new(&mut |done, failed| ask(&done, &failed));
    JsFuture::from(promise)
        .await
        .map_err(|error| describe(&error))
}
