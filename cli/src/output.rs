//! The file that a run leaves: whole at any moment, and written by one process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use kiln_run::export::name::file_stem;
use kiln_run::export::{ExportError, Take};
use kiln_run::import::archive::Unpacked;

use crate::error::CliError;
use crate::input;

/// The place of a run's file, held by this process until it ends, however it ends.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    /// The system lets go of it with the process.
    _lock: File,
}

impl Output {
    /// Takes the place of the file of a run in a folder, which is made where it is missing.
    ///
    /// # Errors
    /// A folder that nothing can be put into, or another process that has the place.
    pub fn take(folder: &Path, name: &str) -> Result<Self, CliError> {
        fs::create_dir_all(folder).map_err(CliError::of(folder))?;
        let stem = file_stem(name);
        let path = folder.join(format!("{stem}.kiln.zip"));
        let lock_path = folder.join(format!(".{stem}.kiln.lock"));
        let failed = CliError::of(&lock_path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = options.open(&lock_path).map_err(&failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // Whoever has it has just begun to say who it is, or keeps others from reading it.
                if lock.read_to_string(&mut pid).is_err() || pid.is_empty() {
                    "(unknown)".clone_into(&mut pid);
                }
                return Err(CliError::Taken { path, pid });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.set_len(0).map_err(&failed)?;
        lock.rewind().map_err(&failed)?;
        write!(lock, "{}", std::process::id()).map_err(&failed)?;
        // Nothing is trained that could not be kept.
        let part = path.with_extension("part");
        let made = File::create(&part).and_then(|_| fs::remove_file(&part));
        made.map_err(CliError::of(&part))?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The runs that are there already.
    ///
    /// # Errors
    /// Something there that holds no run.
    pub fn there(&self) -> Result<Vec<Unpacked>, CliError> {
        if self.path.exists() {
            input::runs(&self.path)
        } else {
            Ok(Vec::new())
        }
    }

    /// Puts a new file in the place of what is there, which stays until the new one is whole.
    ///
    /// # Errors
    /// A file that cannot be made, or a disk that takes no more.
    pub fn put(
        &self,
        name: &str,
        fill: impl FnOnce(&mut Take) -> Result<(), ExportError>,
    ) -> Result<(), CliError> {
        let part = self.path.with_extension("part");
        let written = write(&part, name, fill);
        let put =
            written.and_then(|()| fs::rename(&part, &self.path).map_err(CliError::of(&self.path)));
        if put.is_err() {
            // What is left of it is of no use to anybody.
            drop(fs::remove_file(&part));
        }
        put
    }
}

/// Writes a file and has the system put it on the disk.
fn write(
    path: &Path,
    name: &str,
    fill: impl FnOnce(&mut Take) -> Result<(), ExportError>,
) -> Result<(), CliError> {
    let failed = CliError::of(path);
    let mut file = File::create(path).map_err(&failed)?;
    let mut outcome = Ok(());
    let filled = fill(&mut |part: Vec<u8>, _| {
        if outcome.is_ok() {
            outcome = file.write_all(&part);
        }
    });
    filled.map_err(|reason| CliError::Export {
        name: name.to_owned(),
        reason,
    })?;
    outcome.map_err(&failed)?;
    file.sync_all().map_err(&failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_once_and_free_again_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let first = Output::take(folder.path(), "a/b").unwrap();
        assert!(first.path().ends_with("a_b.kiln.zip"));
        let taken = Output::take(folder.path(), "a/b").unwrap_err().to_string();
        let pid = std::process::id();
        assert!(taken.contains(&format!("by process {pid}.")), "{taken}");
        drop(first);
        Output::take(folder.path(), "a/b").unwrap();
    }

    #[test]
    fn what_is_there_stays_until_the_new_file_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::take(folder.path(), "run").unwrap();
        let put = |bytes: &[u8], end: Result<(), ExportError>| {
            let bytes = bytes.to_vec();
            output.put("run", |take| {
                take(bytes, 1.0);
                end
            })
        };
        put(b"first", Ok(())).unwrap();
        assert!(put(b"second", Err(ExportError::NoWeights)).is_err());
        assert_eq!(fs::read(output.path()).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        put(b"third", Ok(())).unwrap();
        assert_eq!(fs::read(output.path()).unwrap(), b"third");
    }
}
