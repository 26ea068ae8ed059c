//! The four files of MNIST: their names, sizes and hashes, and how they are unpacked.

use std::io::Write as _;

use flate2::write::GzDecoder;
use sha2::{Digest as _, Sha256};

use crate::dataset::{Dataset, DatasetError, Images};

/// One file of MNIST as Kiln ships it.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, gzipped.
    pub name: &'static str,
    /// Its size as shipped, in bytes.
    pub gzip_bytes: u64,
    /// Its size once inflated, in bytes.
    pub bytes: u64,
    /// SHA-256 of the inflated bytes, in hexadecimal.
    pub sha256: &'static str,
}

/// The files in the order in which they are loaded: the largest last.
pub const FILES: [File; 4] = [
    File {
        name: "train-labels-idx1-ubyte.65a50cbb.gz",
        gzip_bytes: 28_857,
        bytes: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    File {
        name: "t10k-labels-idx1-ubyte.ff7bcfd4.gz",
        gzip_bytes: 4_517,
        bytes: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    File {
        name: "t10k-images-idx3-ubyte.0fa7898d.gz",
        gzip_bytes: 1_616_508,
        bytes: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    File {
        name: "train-images-idx3-ubyte.ba891046.gz",
        gzip_bytes: 9_719_438,
        bytes: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
];

/// Training images of MNIST.
pub const TRAINING_IMAGES: u32 = 60_000;
/// Test images of MNIST.
pub const TEST_IMAGES: u32 = 10_000;

/// Bytes of all files as shipped.
pub const GZIP_BYTES: u64 =
    FILES[0].gzip_bytes + FILES[1].gzip_bytes + FILES[2].gzip_bytes + FILES[3].gzip_bytes;

/// Why a file is not the one Kiln ships.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnistError {
    /// The gzip stream is broken.
    #[error("{file} is damaged and cannot be unpacked: {reason}")]
    Gzip {
        /// The file.
        file: &'static str,
        /// What the decoder said.
        reason: String,
    },
    /// The bytes end early or go on too long.
    #[error("{file} has {found} bytes once unpacked, not {expected}")]
    Length {
        /// The file.
        file: &'static str,
        /// Bytes it has.
        found: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// The bytes are others.
    #[error("{file} was altered: its SHA-256 starts with {found}, not with {expected}")]
    Altered {
        /// The file.
        file: &'static str,
        /// The first eight digits of its hash.
        found: String,
        /// The first eight digits that it should have.
        expected: &'static str,
    },
    /// The bytes are right but are not what the format says; the table above is wrong.
    #[error("MNIST could not be read: {0}")]
    Format(#[from] DatasetError),
}

/// Unpacks one file from chunks as they arrive.
///
/// A server may have the browser inflate the file on the way (`Content-Encoding: gzip`), so
/// whether there is anything to inflate is read from the first two bytes.
#[derive(Debug)]
pub struct Unpacker {
    file: &'static File,
    received: u64,
    head: Vec<u8>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Unknown,
    Gzip(Box<GzDecoder<Vec<u8>>>),
    Plain(Vec<u8>),
}

/// What a gzip stream starts with.
pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

impl Unpacker {
    /// Starts on `file`.
    pub fn new(file: &'static File) -> Self {
        Self {
            file,
            received: 0,
            head: Vec::new(),
            body: Body::Unknown,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A gzip stream that is broken.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), MnistError> {
        self.received += chunk.len() as u64;
        if matches!(self.body, Body::Unknown) {
            self.head.extend_from_slice(chunk);
            if self.head.len() < GZIP_MAGIC.len() {
                return Ok(());
            }
            let room = Vec::with_capacity(self.file.bytes as usize);
            self.body = if self.head.starts_with(&GZIP_MAGIC) {
                Body::Gzip(Box::new(GzDecoder::new(room)))
            } else {
                Body::Plain(room)
            };
            let head = std::mem::take(&mut self.head);
            return self.write(&head);
        }
        self.write(chunk)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), MnistError> {
        match &mut self.body {
            Body::Gzip(decoder) => decoder
                .write_all(bytes)
                .map_err(|error| broken(self.file, &error)),
            Body::Plain(plain) => {
                plain.extend_from_slice(bytes);
                Ok(())
            }
            Body::Unknown => Ok(()),
        }
    }

    /// Bytes loaded so far, of the file's [`File::gzip_bytes`]; scaled where the browser inflated
    /// the file before it came here.
    pub fn loaded_bytes(&self) -> u64 {
        match self.body {
            Body::Plain(_) => self.received * self.file.gzip_bytes / self.file.bytes,
            _ => self.received,
        }
        .min(self.file.gzip_bytes)
    }

    /// The whole file, inflated and checked.
    ///
    /// # Errors
    /// A stream that is broken, of another length, or of other bytes than Kiln ships.
    pub fn finish(self) -> Result<Vec<u8>, MnistError> {
        let file = self.file;
        let bytes = match self.body {
            Body::Gzip(decoder) => decoder.finish().map_err(|error| broken(file, &error))?,
            Body::Plain(plain) => plain,
            Body::Unknown => self.head,
        };
        if bytes.len() as u64 != file.bytes {
            return Err(MnistError::Length {
                file: file.name,
                found: bytes.len() as u64,
                expected: file.bytes,
            });
        }
        let found = sha256(&bytes);
        if found != file.sha256 {
            return Err(MnistError::Altered {
                file: file.name,
                found: found[..8].to_owned(),
                expected: &file.sha256[..8],
            });
        }
        Ok(bytes)
    }
}

fn broken(file: &'static File, error: &std::io::Error) -> MnistError {
    MnistError::Gzip {
        file: file.name,
        reason: error.to_string(),
    }
}

/// SHA-256 of the SHA-256 of all files, in hexadecimal and in the order of [`FILES`]: unpacking
/// has checked those.
pub fn hash() -> String {
    sha256(FILES.each_ref().map(|file| file.sha256).concat().as_bytes())
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Joins the four inflated files, in the order of [`FILES`].
///
/// # Errors
/// Bytes that are no idx files of digits.
pub fn dataset(files: [Vec<u8>; 4]) -> Result<Dataset, MnistError> {
    let [train_labels, test_labels, test_images, train_images] = files;
    Ok(Dataset::new(
        Images::from_idx(train_images, &train_labels)?,
        Images::from_idx(test_images, &test_labels)?,
        hash(),
    ))
}

/// Unpacks and joins the four files as shipped, in the order of [`FILES`].
///
/// # Errors
/// Files that are not the ones Kiln ships.
pub fn unpack(files: [&[u8]; 4]) -> Result<Dataset, MnistError> {
    let mut inflated = [const { Vec::new() }; 4];
    for ((file, bytes), inflated) in FILES.iter().zip(files).zip(&mut inflated) {
        let mut unpacker = Unpacker::new(file);
        unpacker.push(bytes)?;
        *inflated = unpacker.finish()?;
    }
    dataset(inflated)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &File = &FILES[1];

    fn shipped(file: &File) -> Vec<u8> {
        std::fs::read(format!("{}/data/{}", env!("CARGO_MANIFEST_DIR"), file.name)).unwrap()
    }

    fn unpack_chunks(bytes: &[u8], chunk: usize) -> Result<Vec<u8>, MnistError> {
        let mut unpacker = Unpacker::new(SMALL);
        for part in bytes.chunks(chunk) {
            unpacker.push(part)?;
        }
        assert!(unpacker.loaded_bytes() <= SMALL.gzip_bytes);
        unpacker.finish()
    }

    #[test]
    fn the_shipped_files_are_mnist() {
        let files = FILES.each_ref().map(shipped);
        for (file, bytes) in FILES.iter().zip(&files) {
            assert_eq!(bytes.len() as u64, file.gzip_bytes, "{}", file.name);
        }
        let dataset = unpack(files.each_ref().map(Vec::as_slice)).unwrap();
        assert_eq!(dataset.training_len(), TRAINING_IMAGES as usize);
        assert_eq!(dataset.test().images().len(), TEST_IMAGES as usize);
    }

    #[test]
    fn chunks_of_any_size_and_inflated_bytes_give_the_same() {
        let gzip = shipped(SMALL);
        let whole = unpack_chunks(&gzip, gzip.len()).unwrap();
        assert_eq!(unpack_chunks(&gzip, 1).unwrap(), whole);
        assert_eq!(unpack_chunks(&whole, 1_000).unwrap(), whole);
    }

    #[test]
    fn short_and_altered_files_are_refused() {
        let gzip = shipped(SMALL);
        let whole = unpack_chunks(&gzip, gzip.len()).unwrap();
        assert!(unpack_chunks(&gzip[..gzip.len() / 2], 99).is_err());
        assert!(unpack_chunks(&[], 1).is_err());
        assert!(unpack_chunks(&gzip[..1], 1).is_err());
        assert!(matches!(
            unpack_chunks(&whole[..900], 99),
            Err(MnistError::Length { found: 900, .. })
        ));
        let mut altered = whole;
        altered[500] ^= 1;
        assert!(matches!(
            unpack_chunks(&altered, 99),
            Err(MnistError::Altered { .. })
        ));
        let mut damaged = gzip;
        damaged[2_000] ^= 0x55;
        assert!(unpack_chunks(&damaged, 99).is_err());
    }
}
