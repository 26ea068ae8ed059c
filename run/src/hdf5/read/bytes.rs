//! Numbers and pieces out of bytes, one after the other; and the bytes of a file, by address.

use std::cell::Cell;

use super::refusal::Refusal;

/// What all that is read of a file may cost: one for each piece, and one more for each
/// [`COST_BYTES`] of it. It bounds time and memory, also where pieces lie in each other.
const BUDGET: usize = 1 << 18;
/// Bytes that cost one.
const COST_BYTES: usize = 64;

/// Bytes that were not read yet.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Refusal::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    /// As [`Self::take`], and on to the next multiple of 8 from here.
    pub fn take_padded(&mut self, len: usize) -> Result<&'a [u8], Refusal> {
        let padded = len.checked_next_multiple_of(8).ok_or(Refusal::Short)?;
        self.take(padded)?.get(..len).ok_or(Refusal::Short)
    }

    /// Goes on behind bytes of which nothing is needed.
    pub fn skip(&mut self, len: usize) -> Result<(), Refusal> {
        self.take(len).map(|_| ())
    }

    /// Goes on behind these bytes, which have to be there.
    pub fn expect(&mut self, bytes: &[u8], reason: &'static str) -> Result<(), Refusal> {
        let found = self.take(bytes.len())?;
        (found == bytes)
            .then_some(())
            .ok_or(Refusal::Damaged(reason))
    }

    /// A number of `N` bytes, the least significant first.
    pub fn number<const N: usize>(&mut self) -> Result<u64, Refusal> {
        let bytes = self.take(N)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// The next `N` bytes by themselves.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Refusal::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Result<u8, Refusal> {
        self.array().map(|[byte]| byte)
    }

    /// A length of `N` bytes.
    pub fn len<const N: usize>(&mut self) -> Result<usize, Refusal> {
        usize::try_from(self.number::<N>()?).map_err(|_| Refusal::Short)
    }

    /// An address.
    pub fn address(&mut self) -> Result<u64, Refusal> {
        self.number::<8>()
    }
}

/// A file in memory.
pub struct File<'a> {
    bytes: &'a [u8],
    left: Cell<usize>,
}

impl<'a> File<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let left = Cell::new(BUDGET);
        Self { bytes, left }
    }

    /// The bytes at an address, at no cost.
    pub fn at(&self, address: u64, len: usize) -> Result<&'a [u8], Refusal> {
        self.from(address)?.take(len)
    }

    /// All from an address on, at no cost.
    pub fn from(&self, address: u64) -> Result<Bytes<'a>, Refusal> {
        let start = usize::try_from(address).map_err(|_| Refusal::Short)?;
        let bytes = self.bytes.get(start..).ok_or(Refusal::Short)?;
        Ok(Bytes(bytes))
    }

    /// The bytes at an address, to be read.
    pub fn read(&self, address: u64, len: usize) -> Result<Bytes<'a>, Refusal> {
        let bytes = self.at(address, len)?;
        let cost = 1 + len / COST_BYTES;
        let left = self.left.get().checked_sub(cost);
        self.left.set(left.ok_or(Refusal::TooMuch)?);
        Ok(Bytes(bytes))
    }
}
