//! The messages of object headers, of both versions.

use super::bytes::{Bytes, File};
use super::refusal::Refusal;
use crate::hdf5::checksum::checksum;
use crate::hdf5::parts::message::CONTINUATION;

/// Bytes of a header of version 1 before its messages, padding included.
const FIRST_BYTES: usize = 16;
/// Bytes of the letters that a block of version 2 begins with.
const SIGNATURE_BYTES: usize = 4;
/// Bytes of a checksum.
const SUM_BYTES: usize = 4;
/// The flag of a message that is somewhere else and shared.
const SHARED: u8 = 1 << 1;

/// What a header says.
pub struct Message<'a> {
    /// What it is about.
    pub kind: u8,
    body: Bytes<'a>,
    shared: bool,
}

impl<'a> Message<'a> {
    /// What it says.
    pub fn body(&self) -> Result<Bytes<'a>, Refusal> {
        if self.shared {
            return Err(Refusal::Unread("described in a shared place"));
        }
        Ok(self.body)
    }
}

/// The messages of the header at an address.
pub fn messages<'a>(file: &File<'a>, address: u64) -> Result<Vec<Message<'a>>, Refusal> {
    if file.from(address)?.0.starts_with(b"OHDR") {
        second(file, address)
    } else {
        first(file, address)
    }
}

/// Those of version 1.
fn first<'a>(file: &File<'a>, address: u64) -> Result<Vec<Message<'a>>, Refusal> {
    let mut start = file.read(address, FIRST_BYTES)?;
    start.expect(&[1, 0], "there is no object header")?;
    // How many messages there are, which their lengths say too, and how many links lead here.
    start.skip(2 + 4)?;
    let len = start.len::<4>()?;
    let mut blocks = vec![file.read(after(address, FIRST_BYTES)?, len)?];
    let mut messages = Vec::new();
    while let Some(mut block) = blocks.pop() {
        while block.0.len() >= 8 {
            let kind = block.number::<2>()?;
            let len = block.len::<2>()?;
            let flags = block.byte()?;
            block.skip(3)?;
            if let Some(mut next) = push(file, &mut messages, kind, flags, block.take(len)?)? {
                let address = next.address()?;
                blocks.push(file.read(address, next.len::<8>()?)?);
            }
        }
    }
    Ok(messages)
}

/// Those of version 2.
fn second<'a>(file: &File<'a>, address: u64) -> Result<Vec<Message<'a>>, Refusal> {
    let mut start = file.from(address)?;
    let whole = start.0.len();
    start.expect(b"OHDR\x02", "there is no object header")?;
    let flags = start.byte()?;
    if flags & 1 << 5 != 0 {
        start.skip(16)?;
    }
    if flags & 1 << 4 != 0 {
        start.skip(4)?;
    }
    let len = match flags & 3 {
        0 => start.len::<1>(),
        1 => start.len::<2>(),
        2 => start.len::<4>(),
        _ => start.len::<8>(),
    }?;
    let numbered = flags & 1 << 2 != 0;
    let before = whole - start.0.len();
    let mut blocks = vec![sealed(file, address, before, len)?];
    let mut messages = Vec::new();
    while let Some(mut block) = blocks.pop() {
        let least = if numbered { 6 } else { 4 };
        while block.0.len() >= least {
            let kind = block.number::<1>()?;
            let len = block.len::<2>()?;
            let flags = block.byte()?;
            block.skip(least - 4)?;
            if let Some(mut next) = push(file, &mut messages, kind, flags, block.take(len)?)? {
                let address = next.address()?;
                let len = next.len::<8>()?.checked_sub(SIGNATURE_BYTES + SUM_BYTES);
                let len = len.ok_or(Refusal::Short)?;
                file.from(address)?
                    .expect(b"OCHK", "an object header does not go on")?;
                blocks.push(sealed(file, address, SIGNATURE_BYTES, len)?);
            }
        }
    }
    Ok(messages)
}

/// Keeps a message, or gives it back where it says that there are more elsewhere.
fn push<'a>(
    file: &File<'a>,
    messages: &mut Vec<Message<'a>>,
    kind: u64,
    flags: u8,
    body: &'a [u8],
) -> Result<Option<Bytes<'a>>, Refusal> {
    // Each costs something.
    file.read(0, 0)?;
    let body = Bytes(body);
    // Of the kinds above 255 there are none.
    let kind = u8::try_from(kind).unwrap_or_default();
    if kind == CONTINUATION {
        return Ok(Some(body));
    }
    let shared = flags & SHARED != 0;
    messages.push(Message { kind, body, shared });
    Ok(None)
}

/// The `len` bytes that stand behind so many others, after which comes the checksum of all.
fn sealed<'a>(
    file: &File<'a>,
    address: u64,
    before: usize,
    len: usize,
) -> Result<Bytes<'a>, Refusal> {
    let whole = before.checked_add(len).ok_or(Refusal::Short)?;
    let mut block = file.read(address, whole.checked_add(SUM_BYTES).ok_or(Refusal::Short)?)?;
    let sum = checksum(block.0.get(..whole).unwrap_or_default());
    block.skip(before)?;
    let body = block.take(len)?;
    block.expect(&sum.to_le_bytes(), "a checksum is wrong")?;
    Ok(Bytes(body))
}

/// The address so many bytes on.
pub fn after(address: u64, bytes: usize) -> Result<u64, Refusal> {
    address.checked_add(bytes as u64).ok_or(Refusal::Short)
}
