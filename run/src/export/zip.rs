//! Zip archives, written from front to back.

use std::cell::Cell;
use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::extra_fields::ExtraFieldId;
use rawzip::{CompressionMethod, Error, Header, ZipArchiveWriter};

use super::format::{ExportError, Take};

/// Bytes of a part of a file: a long one is never all there at once.
const PART_BYTES: usize = 1 << 20;
/// Fills room before an entry's bytes; what torch calls its own padding.
const PADDING: ExtraFieldId = ExtraFieldId::new(u16::from_le_bytes(*b"FB"));
/// Bytes of an entry's header before its name, and of the header of its padding.
const HEADER_BYTES: usize = 30 + 4;
/// Who may do what with a file: its owner reads and writes it, and all others read it. An archive
/// that says so is one of Unix, and only then does `unzip` take the names in it for UTF-8.
const MODE: u32 = 0o644;

/// Bytes that are handed on part by part.
pub struct Parts<'a, 'b> {
    part: Vec<u8>,
    /// How much of the file is done, 0 to 1: while a file of an archive is filled, nothing else reaches
    /// what the archive is written to.
    done: &'a Cell<f64>,
    take: &'a mut Take<'b>,
}

impl<'a, 'b> Parts<'a, 'b> {
    /// Nothing yet; `done` says at any time how much is.
    pub fn new(take: &'a mut Take<'b>, done: &'a Cell<f64>) -> Self {
        Self {
            part: Vec::with_capacity(PART_BYTES),
            done,
            take,
        }
    }

    /// Hands on what is left: the file is whole.
    pub fn finish(self) {
        (self.take)(self.part, 1.0);
    }
}

impl Write for Parts<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
            (self.take)(part, self.done.get());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An archive that is being written.
pub struct Zip<W> {
    archive: ZipArchiveWriter<W>,
}

impl<W: Write> Zip<W> {
    /// An archive without files.
    pub fn new(to: W) -> Self {
        Self {
            archive: ZipArchiveWriter::new(to),
        }
    }

    /// Adds a file as it is.
    pub fn store(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        self.store_padded(name, bytes, None)
    }

    /// Adds a file as it is; its bytes begin at a multiple of 64 in the archive, so that they can be
    /// used where they lie.
    pub fn store_aligned(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let at = self.archive.stream_offset() as usize + HEADER_BYTES + name.len();
        let room = at.next_multiple_of(64) - at;
        self.store_padded(name, bytes, Some(&[b'Z'; 64][..room]))
    }

    fn store_padded(
        &mut self,
        name: &str,
        bytes: &[u8],
        padding: Option<&[u8]>,
    ) -> Result<(), ExportError> {
        let mut add = || {
            let mut file = self.archive.new_file(name).unix_permissions(MODE);
            if let Some(padding) = padding {
                file = file.extra_field(PADDING, padding, Header::LOCAL)?;
            }
            let (mut entry, config) = file.start()?;
            let mut writer = config.wrap(&mut entry);
            writer.write_all(bytes)?;
            let (_, end) = writer.finish()?;
            entry.finish(end)?;
            Ok::<_, Error>(())
        };
        add().map_err(ExportError::of)
    }

    /// Adds a file that `fill` writes, and packs it.
    pub fn pack(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), ExportError>,
    ) -> Result<(), ExportError> {
        let file = self.archive.new_file(name).unix_permissions(MODE);
        let file = file.compression_method(CompressionMethod::DEFLATE);
        let (mut entry, config) = file.start().map_err(ExportError::of)?;
        let packed = DeflateEncoder::new(&mut entry, Compression::fast());
        // Packing many bytes at once takes less time than packing few at a time.
        let mut writer = BufWriter::new(config.wrap(packed));
        fill(&mut writer)?;
        let writer = writer.into_inner().map_err(ExportError::of)?;
        let (packed, end) = writer.finish().map_err(ExportError::of)?;
        packed.finish().map_err(ExportError::of)?;
        entry.finish(end).map_err(ExportError::of)?;
        Ok(())
    }

    /// Ends the archive and gives back what it was written to.
    pub fn finish(self) -> Result<W, ExportError> {
        self.archive.finish().map_err(ExportError::of)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rawzip::ZipArchive;

    use super::*;

    /// The files of an archive, by name, unpacked.
    pub fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
        let archive = ZipArchive::from_slice(bytes).unwrap();
        let (mut entries, mut files) = (archive.entries(), Vec::new());
        while let Some(entry) = entries.next_entry().unwrap() {
            let name = String::from_utf8(entry.file_path().as_ref().to_vec()).unwrap();
            let place = archive.get_entry(entry.wayfinder()).unwrap();
            let mut file = Vec::new();
            let mut reader = flate2::read::DeflateDecoder::new(place.data());
            io::Read::read_to_end(&mut reader, &mut file).unwrap();
            files.push((name, file));
        }
        files
    }

    #[test]
    fn what_is_written_can_be_read() {
        let mut zip = Zip::new(Vec::new());
        zip.store("plain", b"as it is").unwrap();
        zip.store_aligned("ä/aligned", b"64").unwrap();
        zip.pack("packed", |to| {
            to.write_all(&[7; 100_000]).map_err(ExportError::of)
        })
        .unwrap();
        let bytes = zip.finish().unwrap();
        assert!(bytes.len() < 1_000, "{}", bytes.len());
        let archive = ZipArchive::from_slice(&bytes).unwrap();
        let mut entries = archive.entries();
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry().unwrap() {
            let name = String::from_utf8(entry.file_path().as_ref().to_vec()).unwrap();
            assert_eq!(entry.mode().value() & 0o777, MODE);
            let place = archive.get_entry(entry.wayfinder()).unwrap();
            found.push((name, place.compressed_data_range().0, place.data().to_vec()));
        }
        assert_eq!(
            (found[0].0.as_str(), found[0].2.as_slice()),
            ("plain", &b"as it is"[..])
        );
        assert_eq!((found[1].0.as_str(), found[1].1 % 64), ("ä/aligned", 0));
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::DeflateDecoder::new(found[2].2.as_slice());
        io::Read::read_to_end(&mut reader, &mut unpacked).unwrap();
        assert_eq!(unpacked, vec![7; 100_000]);
    }

    #[test]
    fn a_long_file_is_handed_on_in_parts() {
        let mut parts = Vec::new();
        let mut take = |part: Vec<u8>, done: f64| parts.push((part.len(), done));
        let done = Cell::new(0.0);
        let mut writer = Parts::new(&mut take, &done);
        for place in 0..3 {
            done.set(f64::from(place) / 3.0);
            writer.write_all(&vec![0; PART_BYTES - 1]).unwrap();
        }
        writer.finish();
        assert_eq!(
            parts.iter().map(|part| part.0).sum::<usize>(),
            3 * (PART_BYTES - 1)
        );
        assert_eq!(parts.last().unwrap().1, 1.0);
        assert_eq!(parts[0].1, 1.0 / 3.0);
    }
}
