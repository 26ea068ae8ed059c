//! The page's `index.html`, which is changed where a text stands that has to be there once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// `index.html` as it is read and changed.
pub struct Index {
    path: PathBuf,
    html: String,
}

impl Index {
    /// That of a folder.
    ///
    /// # Errors
    /// One that cannot be read.
    pub fn of(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("index.html");
        let html = fs::read_to_string(&path).map_err(Error::of(&path))?;
        Ok(Self { path, html })
    }

    /// What is in it.
    pub fn html(&self) -> &str {
        &self.html
    }

    /// Puts another text in place of one.
    ///
    /// # Errors
    /// One that is not there, or more than once.
    pub fn change(&mut self, before: &str, after: &str) -> Result<(), Error> {
        if self.html.matches(before).count() != 1 {
            return Err(Error::Unexpected {
                file: self.path.display().to_string(),
                what: before.to_owned(),
            });
        }
        self.html = self.html.replacen(before, after, 1);
        Ok(())
    }

    /// Writes it into a folder: the one that it is from, or another.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join("index.html");
        fs::write(&path, &self.html).map_err(Error::of(&path))
    }
}
