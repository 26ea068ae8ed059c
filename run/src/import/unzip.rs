//! Zip archives, read from memory: whatever a file claims, no more is unpacked than is asked for.

use std::collections::HashSet;
use std::io::Read;

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipSliceArchive};

/// Most files of an archive.
const MOST_FILES: usize = 100_000;

/// Why an archive cannot be read: the end of a sentence that begins with its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnzipError {
    /// It is no archive, or not whole.
    #[error("is no whole zip file: {0}")]
    Damaged(String),
    /// Too many files.
    #[error("holds more than {MOST_FILES} files")]
    TooMany,
    /// A name that leads out of it.
    #[error("holds a file whose name leads out of it, {0:?}")]
    Climbs(String),
    /// A name twice.
    #[error("holds {0:?} twice")]
    Twice(String),
    /// A file that cannot be unpacked.
    #[error("holds {name:?}, which cannot be unpacked: {reason}")]
    File {
        /// Its name.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A file that is larger than any that is wanted.
    #[error("holds {name:?}, which is larger than {limit} bytes")]
    TooLarge {
        /// Its name.
        name: String,
        /// The most bytes of such a file.
        limit: usize,
    },
}

/// A file of an archive.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Its name, with `/` between folders.
    pub name: String,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

/// An archive in memory.
#[derive(Debug)]
pub struct Archive<'a> {
    zip: ZipSliceArchive<&'a [u8]>,
    /// Its files, but for what systems add by themselves.
    pub files: Vec<Packed>,
}

impl<'a> Archive<'a> {
    /// Whether bytes begin as an archive does.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
    }

    /// Reads what is in it.
    ///
    /// # Errors
    /// Bytes that are no archive, and names that are not to be trusted.
    pub fn open(bytes: &'a [u8]) -> Result<Self, UnzipError> {
        let damaged = |error: rawzip::Error| UnzipError::Damaged(error.to_string());
        let zip = ZipArchive::from_slice(bytes).map_err(damaged)?;
        let mut files = Vec::new();
        let mut names = HashSet::new();
        let mut entries = zip.entries();
        while let Some(entry) = entries.next_entry().map_err(damaged)? {
            let name = String::from_utf8_lossy(entry.file_path().as_ref()).replace('\\', "/");
            if name.starts_with('/') || name.split('/').any(|part| part == "..") {
                return Err(UnzipError::Climbs(name));
            }
            if entry.is_dir() || name.ends_with('/') || is_of_a_system(&name) {
                continue;
            }
            if files.len() == MOST_FILES {
                return Err(UnzipError::TooMany);
            }
            if !names.insert(name.clone()) {
                return Err(UnzipError::Twice(name));
            }
            files.push(Packed {
                name,
                method: entry.compression_method(),
                place: entry.wayfinder(),
            });
        }
        Ok(Self { zip, files })
    }

    /// A file of it, of at most so many bytes.
    ///
    /// # Errors
    /// A larger file, one that is damaged, or packed in a way of which nothing is known here.
    pub fn read(&self, file: &Packed, limit: usize) -> Result<Vec<u8>, UnzipError> {
        // What it claims to be counts for nothing: it is read until the limit.
        let bytes = self.start(file, limit.saturating_add(1))?;
        if bytes.len() > limit {
            return Err(UnzipError::TooLarge {
                name: file.name.clone(),
                limit,
            });
        }
        Ok(bytes)
    }

    /// The first so many bytes of a file of it, or all there are.
    ///
    /// # Errors
    /// A file that is damaged until there, or packed in a way of which nothing is known here.
    pub fn start(&self, file: &Packed, most: usize) -> Result<Vec<u8>, UnzipError> {
        let failed = |reason: String| UnzipError::File {
            name: file.name.clone(),
            reason,
        };
        let entry = self.zip.get_entry(file.place);
        let entry = entry.map_err(|error| failed(error.to_string()))?;
        let packed = entry.data();
        let mut bytes = Vec::new();
        let most = most as u64;
        let read = match file.method {
            CompressionMethod::STORE => entry
                .verifying_reader(packed)
                .take(most)
                .read_to_end(&mut bytes),
            CompressionMethod::DEFLATE => entry
                .verifying_reader(DeflateDecoder::new(packed))
                .take(most)
                .read_to_end(&mut bytes),
            _ => {
                return Err(failed(
                    "it is packed in another way than deflate".to_owned(),
                ));
            }
        };
        read.map_err(|error| failed(error.to_string()))?;
        Ok(bytes)
    }
}

/// What macOS and Windows add to an archive.
pub(super) fn is_of_a_system(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    name.split('/').any(|part| part == "__MACOSX")
        || file.starts_with("._")
        || matches!(file, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::export::zip::Zip;

    pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = Zip::new(Vec::new());
        for (name, bytes) in files {
            zip.store(name, bytes).unwrap();
        }
        zip.finish().unwrap()
    }

    #[test]
    fn files_come_out_as_they_went_in() {
        let bytes = zipped(&[
            ("a/b.txt", b"one"),
            ("__MACOSX/a/._b.txt", b"x"),
            ("a/._c", b"y"),
        ]);
        let archive = Archive::open(&bytes).unwrap();
        assert_eq!(archive.files.len(), 1);
        assert_eq!(archive.read(&archive.files[0], 3).unwrap(), b"one");
        assert!(matches!(
            archive.read(&archive.files[0], 2),
            Err(UnzipError::TooLarge { limit: 2, .. })
        ));
    }

    #[test]
    fn a_flood_is_stopped_at_the_limit() {
        let mut zip = Zip::new(Vec::new());
        let zeros = vec![0; 50_000_000];
        zip.pack("zeros", |to| {
            to.write_all(&zeros)
                .map_err(|_| crate::export::ExportError::NoWeights)
        })
        .unwrap();
        let bytes = zip.finish().unwrap();
        let archive = Archive::open(&bytes).unwrap();
        let read = archive.read(&archive.files[0], 1_000);
        assert!(matches!(
            read,
            Err(UnzipError::TooLarge { limit: 1_000, .. })
        ));
    }

    #[test]
    fn what_is_altered_or_cut_is_refused() {
        let bytes = zipped(&[("a.txt", b"some text")]);
        for length in 0..bytes.len() {
            assert!(Archive::open(&bytes[..length]).is_err(), "{length}");
        }
        let at = bytes.windows(4).position(|four| four == b"some").unwrap();
        let mut altered = bytes;
        altered[at] ^= 1;
        let archive = Archive::open(&altered).unwrap();
        assert!(matches!(
            archive.read(&archive.files[0], 100),
            Err(UnzipError::File { .. })
        ));
    }

    #[test]
    fn a_name_that_leads_out_or_comes_twice_is_refused() {
        // The writer would not write such names, so they are written over others of their length.
        let renamed = |from: &[u8], to: &[u8]| {
            let mut bytes = zipped(&[("xx/one", b"1"), ("yy/one", b"2")]);
            while let Some(at) = bytes.windows(from.len()).position(|part| part == from) {
                bytes[at..at + to.len()].copy_from_slice(to);
            }
            Archive::open(&bytes).map(|archive| archive.files.len())
        };
        assert_eq!(renamed(b"xx/one", b"xx/two"), Ok(2));
        assert_eq!(
            renamed(b"xx/one", b"../one"),
            Err(UnzipError::Climbs("../one".to_owned()))
        );
        assert_eq!(
            renamed(b"xx/one", b"..\\one"),
            Err(UnzipError::Climbs("../one".to_owned()))
        );
        assert_eq!(
            renamed(b"xx/one", b"/x/one"),
            Err(UnzipError::Climbs("/x/one".to_owned()))
        );
        assert_eq!(
            renamed(b"xx/one", b"yy/one"),
            Err(UnzipError::Twice("yy/one".to_owned()))
        );
    }
}
