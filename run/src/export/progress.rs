//! How far a zip archive is, told by who fills one of its files.

use std::cell::Cell;
use std::io::{self, Write};

use super::zip::Parts;

/// Hands on [`Parts`] with how much is done by now: while a file of an archive is filled, nothing
/// else reaches what the archive is written to.
pub struct Progress<'a, 'b, 'c> {
    parts: Parts<'a, 'b>,
    done: &'c Cell<f64>,
}

impl<'a, 'b, 'c> Progress<'a, 'b, 'c> {
    /// Parts of which so much is done, 0 to 1, as `done` says at any time.
    pub fn new(parts: Parts<'a, 'b>, done: &'c Cell<f64>) -> Self {
        Self { parts, done }
    }

    /// Hands on what is left: the file is whole.
    pub fn finish(self) {
        self.parts.finish();
    }
}

impl Write for Progress<'_, '_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.parts.done = self.done.get();
        self.parts.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.parts.flush()
    }
}
