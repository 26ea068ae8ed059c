//! Gzip, as often as a file is packed, and no more of it than is wanted.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use super::kind::HEAD;
use super::{File, ImportError, MOST_BYTES};
use crate::mnist::GZIP_MAGIC;

/// How often a file may be gzipped over.
const MOST_LAYERS: usize = 3;
/// Bytes that a layer may be longer than the longest file.
const LAYER_ROOM: u64 = 65_536;

/// A file that is being unpacked.
pub struct Unpacking<'a> {
    file: File<'a>,
    /// Its first bytes, [`HEAD`] of them or all there are.
    pub head: Vec<u8>,
    /// Whether there is anything to unpack.
    pub is_packed: bool,
    rest: Box<dyn BufRead + 'a>,
}

impl<'a> Unpacking<'a> {
    /// Begins: the first bytes, through as many layers of gzip as there are.
    pub fn begin(file: File<'a>) -> Result<Self, ImportError> {
        let mut rest: Box<dyn BufRead + 'a> = Box::new(file.bytes);
        let mut layers = 0;
        loop {
            let mut head = Vec::with_capacity(HEAD);
            let read = rest.by_ref().take(HEAD as u64).read_to_end(&mut head);
            read.map_err(|error| broken(file, &error))?;
            if layers == MOST_LAYERS || !head.starts_with(&GZIP_MAGIC) {
                return Ok(Self {
                    file,
                    head,
                    is_packed: layers > 0,
                    rest,
                });
            }
            layers += 1;
            let packed = Cursor::new(head).chain(rest);
            let members = Members(Some(GzDecoder::new(Box::new(packed) as Box<dyn BufRead>)));
            // A layer that inflates without end yields no more than the longest file has.
            rest = Box::new(BufReader::new(members.take(MOST_BYTES as u64 + LAYER_ROOM)));
        }
    }

    /// The whole file, but no more than one byte beyond `most`: a small stream may inflate to
    /// anything. A file that is not packed comes whole.
    pub fn finish(self, most: usize) -> Result<Cow<'a, [u8]>, ImportError> {
        if !self.is_packed {
            return Ok(Cow::Borrowed(self.file.bytes));
        }
        let mut bytes = self.head;
        let wanted = (most as u64 + 1).saturating_sub(bytes.len() as u64);
        let read = self.rest.take(wanted).read_to_end(&mut bytes);
        read.map_err(|error| broken(self.file, &error))?;
        Ok(Cow::Owned(bytes))
    }
}

fn broken(file: File, error: &std::io::Error) -> ImportError {
    match error.kind() {
        ErrorKind::UnexpectedEof => ImportError::Cut {
            file: file.name.to_owned(),
            bytes: file.bytes.len(),
        },
        _ => ImportError::Gzip {
            file: file.name.to_owned(),
            reason: error.to_string(),
        },
    }
}

/// The members of a gzip stream one after the other. What follows the last and is none, such as the
/// zeros that fill up a block, counts for nothing, as for gzip itself; flate2's own reader of
/// several members would refuse it.
struct Members<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(mut member) = self.0.take() {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.0 = Some(member);
                return Ok(read);
            }
            let mut rest = member.into_inner();
            if rest.fill_buf()?.first() == GZIP_MAGIC.first() {
                self.0 = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    pub fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(bytes: &[u8], most: usize) -> Result<Vec<u8>, ImportError> {
        let unpacking = Unpacking::begin(File { name: "f", bytes })?;
        unpacking.finish(most).map(Cow::into_owned)
    }

    #[test]
    fn members_and_layers_come_out_as_one_file() {
        let plain: Vec<u8> = (0..2_000).map(|index| (index % 251) as u8).collect();
        let mut members: Vec<u8> = plain.chunks(300).flat_map(gzip).collect();
        assert_eq!(unpack(&members, 2_000).unwrap(), plain);
        members.extend(gzip(b""));
        members.extend([0; 100]);
        assert_eq!(unpack(&members, 2_000).unwrap(), plain);
        let three = gzip(&gzip(&members));
        assert_eq!(unpack(&three, 2_000).unwrap(), plain);
        // A fourth time over, it is left packed.
        assert_eq!(unpack(&gzip(&three), 9_000).unwrap(), members);
        assert_eq!(unpack(&plain, 10).unwrap(), plain);
        for bytes in [&[][..], &[0x1f]] {
            assert_eq!(unpack(bytes, 10).unwrap(), bytes);
        }
    }

    #[test]
    fn no_more_is_unpacked_than_is_wanted() {
        let zeros = gzip(&vec![0; 1 << 22]);
        assert_eq!(unpack(&zeros, 1_000).unwrap().len(), 1_001);
        assert_eq!(unpack(&gzip(&zeros), 1_000).unwrap().len(), 1_001);
        // Members of which each is empty give nothing, however many there are.
        let nothing = gzip(b"").repeat(50_000);
        assert!(unpack(&gzip(&nothing), 1_000).unwrap().is_empty());
    }

    #[test]
    fn a_stream_that_is_cut_is_told_from_one_that_is_damaged() {
        let mut twice = gzip(b"one");
        let first = twice.len();
        twice.extend(gzip(b"two"));
        for len in (2..first).chain(first + 1..twice.len()) {
            let cut = unpack(&twice[..len], 100);
            assert!(matches!(cut, Err(ImportError::Cut { bytes, .. }) if bytes == len));
        }
        let checksum = twice.len() - 8;
        twice[checksum] ^= 1;
        assert!(matches!(unpack(&twice, 100), Err(ImportError::Gzip { .. })));
    }
}
