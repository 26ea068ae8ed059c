//! Every file of the page, compressed beside itself, for servers that send it so.

use std::fs::{self, File};
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::error::Error;

/// What grows when it is compressed again.
const COMPRESSED: [&str; 2] = ["gz", "br"];
/// The window of 16 MB holds the largest module.
const WINDOW_BITS: i32 = 24;

/// Writes `.gz` and `.br` beside each file in a folder and in those below.
///
/// # Errors
/// A file that cannot be read or written.
pub fn compress(dist: &Path) -> Result<(), Error> {
    let mut files = files(dist)?;
    files.retain(|file| {
        let extension = file.extension().and_then(|extension| extension.to_str());
        !extension.is_some_and(|extension| COMPRESSED.contains(&extension))
    });
    let next = std::sync::Mutex::new(files.iter());
    let next = || next.lock().ok().and_then(|mut files| files.next());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            while let Some(file) = next() {
                gzip(file)
                    .and_then(|()| brotli(file))
                    .map_err(Error::of(file))?;
            }
            Ok(())
        };
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| {
                Err(Error::Split(
                    "a thread that compresses has ended".to_owned(),
                ))
            })
        })
    })
}

/// Every file in a folder and in those below.
///
/// # Errors
/// A folder that cannot be read.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::of(folder))? {
        let path = entry.map_err(Error::of(folder))?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// A file's name with another extension after its own.
pub fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn gzip(file: &Path) -> io::Result<()> {
    let mut encoder = GzEncoder::new(File::create(beside(file, "gz"))?, Compression::best());
    io::copy(&mut File::open(file)?, &mut encoder)?;
    encoder.finish()?.flush()
}

fn brotli(file: &Path) -> io::Result<()> {
    let parameters = BrotliEncoderParams {
        lgwin: WINDOW_BITS,
        ..BrotliEncoderParams::default()
    };
    let mut to = File::create(beside(file, "br"))?;
    brotli::BrotliCompress(&mut BufReader::new(File::open(file)?), &mut to, &parameters)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use std::fs;
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::compress;

    #[test]
    fn each_file_lies_beside_itself_twice_and_what_is_compressed_does_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        let text = "Nothing is uploaded. ".repeat(1_000);
        fs::write(folder.path().join("data/page.js"), &text).unwrap();
        fs::write(folder.path().join("images.gz"), "compressed").unwrap();
        compress(folder.path()).unwrap();

        let gzip = fs::read(folder.path().join("data/page.js.gz")).unwrap();
        let mut unzipped = String::new();
        GzDecoder::new(&gzip[..])
            .read_to_string(&mut unzipped)
            .unwrap();
        assert_eq!(unzipped, text);
        let brotli = fs::read(folder.path().join("data/page.js.br")).unwrap();
        let mut unzipped = Vec::new();
        brotli::BrotliDecompress(&mut &brotli[..], &mut unzipped).unwrap();
        assert_eq!(unzipped, text.as_bytes());
        assert!(!folder.path().join("images.gz.gz").exists());
    }
}
