//! The file that W&B keeps a run in: records in blocks, as LevelDB's log has them, but with a header
//! and plain CRC-32.

use std::io::{self, Write};

use crc::{CRC_32_ISO_HDLC, Crc, Table};

const CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);
/// The name, a number that no other file has there, and version 0. It is part of the first block.
const HEADER: [u8; 7] = *b":W&B\xe1\xbe\x00";
/// Bytes of a block. No chunk lies in two.
const BLOCK: usize = 32_768;
/// Bytes of a chunk before its data: check sum, length and kind.
const CHUNK_HEADER: usize = 7;

/// A file of records that is being written.
pub struct Log<'a> {
    to: &'a mut dyn Write,
    /// Bytes of the block until now.
    filled: usize,
}

impl<'a> Log<'a> {
    /// A file without records.
    pub fn new(to: &'a mut dyn Write) -> io::Result<Self> {
        to.write_all(&HEADER)?;
        Ok(Self {
            to,
            filled: HEADER.len(),
        })
    }

    /// Adds a record: as many chunks as the blocks make of it.
    pub fn add(&mut self, record: &[u8]) -> io::Result<()> {
        let (mut rest, mut is_first) = (record, true);
        loop {
            let left = BLOCK - self.filled;
            if left < CHUNK_HEADER {
                self.to.write_all(&[0; CHUNK_HEADER][..left])?;
                self.filled = 0;
                continue;
            }
            let (data, after) = rest.split_at(rest.len().min(left - CHUNK_HEADER));
            self.chunk(kind(is_first, after.is_empty()), data)?;
            if after.is_empty() {
                return Ok(());
            }
            (rest, is_first) = (after, false);
        }
    }

    fn chunk(&mut self, kind: u8, data: &[u8]) -> io::Result<()> {
        let mut checked = CRC.digest();
        checked.update(&[kind]);
        checked.update(data);
        self.to.write_all(&checked.finalize().to_le_bytes())?;
        // A block's length is less than 16 bits can say.
        self.to.write_all(&(data.len() as u16).to_le_bytes())?;
        self.to.write_all(&[kind])?;
        self.to.write_all(data)?;
        self.filled += CHUNK_HEADER + data.len();
        Ok(())
    }
}

/// Whether a chunk is a whole record, its first part, one in the middle, or its last.
const fn kind(is_first: bool, is_last: bool) -> u8 {
    match (is_first, is_last) {
        (true, true) => 1,
        (true, false) => 2,
        (false, false) => 3,
        (false, true) => 4,
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn log(records: &[Vec<u8>]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut log = Log::new(&mut file).unwrap();
        for record in records {
            log.add(record).unwrap();
        }
        file
    }

    #[test]
    fn the_bytes_are_those_that_wandb_writes() {
        let hex: String = log(&[b"abc".to_vec()])
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, "3a572642e1be00a9209d53030001616263");
    }

    /// The kind and the data of every chunk, found as a reader finds them.
    fn chunks(file: &[u8]) -> Vec<(u8, &[u8])> {
        let (mut chunks, mut at) = (Vec::new(), HEADER.len());
        while at < file.len() {
            if BLOCK - at % BLOCK < CHUNK_HEADER {
                at = at.next_multiple_of(BLOCK);
                continue;
            }
            let length = usize::from(u16::from_le_bytes([file[at + 4], file[at + 5]]));
            let start = at + CHUNK_HEADER;
            chunks.push((file[at + 6], &file[start..start + length]));
            at = start + length;
        }
        chunks
    }

    /// Every record of a file.
    pub fn records(file: &[u8]) -> Vec<Vec<u8>> {
        let mut records: Vec<Vec<u8>> = Vec::new();
        for (kind, data) in chunks(file) {
            if matches!(kind, 1 | 2) {
                records.push(Vec::new());
            }
            records.last_mut().unwrap().extend(data);
        }
        records
    }

    #[test]
    fn a_record_goes_on_in_the_next_block() {
        let first = BLOCK - 2 * CHUNK_HEADER;
        for (lengths, expected) in [
            (vec![first], vec![(1, first)]),
            // Nothing of the second has room in the first block.
            (vec![first - 6, 9], vec![(1, first - 6), (1, 9)]),
            (vec![first - 7, 9], vec![(1, first - 7), (2, 0), (4, 9)]),
            (
                vec![first + 40_000],
                vec![(2, first), (3, 32_761), (4, 7_239)],
            ),
            (vec![0, 5], vec![(1, 0), (1, 5)]),
        ] {
            let all: Vec<Vec<u8>> = lengths
                .into_iter()
                .map(|length| (0..length).map(|place| place as u8).collect())
                .collect();
            let file = log(&all);
            let chunks = chunks(&file);
            let found = chunks.iter().map(|(kind, data)| (*kind, data.len()));
            assert_eq!(found.collect::<Vec<_>>(), expected);
            assert_eq!(records(&file), all);
        }
    }
}
