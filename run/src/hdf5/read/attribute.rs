//! Attributes that are a single text: sections IV.A.2.m and III.E.

use super::array::{Kind, shape};
use super::bytes::{Bytes, File};
use super::group::no_heap;
use super::header::Message;
use super::refusal::Refusal;
use crate::hdf5::parts::message;

/// Bytes of a heap's header, and of that of each object in it.
const HEAP_BYTES: usize = 16;

/// The names and values of attributes that are a single text.
pub fn texts<'a>(
    file: &File<'a>,
    messages: &[Message<'a>],
) -> Result<Vec<(&'a str, &'a str)>, Refusal> {
    let mut texts = Vec::new();
    for message in messages {
        match message.kind {
            message::ATTRIBUTE => texts.extend(text(file, message.body()?)?),
            message::ATTRIBUTE_INFO => {
                let mut body = message.body()?;
                body.skip(1)?;
                // How many there were, where that is counted.
                let counted = body.byte()? & 1 != 0;
                body.skip(if counted { 2 } else { 0 })?;
                no_heap(body, "described in a heap")?;
            }
            _ => {}
        }
    }
    Ok(texts)
}

/// An attribute; nothing where it is something else than a text.
fn text<'a>(file: &File<'a>, mut body: Bytes<'a>) -> Result<Option<(&'a str, &'a str)>, Refusal> {
    let version = body.byte()?;
    if !(1..=3).contains(&version) {
        return Err(Refusal::Damaged("an attribute has an unknown version"));
    }
    if version > 1 && body.byte()? & 3 != 0 {
        return Err(Refusal::Unread("described in a shared place"));
    }
    body.skip(usize::from(version == 1))?;
    let lens = [body.len::<2>()?, body.len::<2>()?, body.len::<2>()?];
    // The name's character set.
    body.skip(usize::from(version == 3))?;
    let mut take = |len| match version {
        1 => body.take_padded(len),
        _ => body.take(len),
    };
    let [name, kind, sides] = lens.map(&mut take);
    let (name, kind, sides) = (until_zero(name?), Bytes(kind?), Bytes(sides?));
    if shape(sides)?.is_none_or(|shape| !shape.is_empty()) {
        return Ok(None);
    }
    let text = match Kind::read(kind)? {
        Kind::Text(len) => body.take(len)?,
        Kind::Elsewhere => {
            let len = body.len::<4>()?;
            let heap = body.address()?;
            let index = body.number::<4>()?;
            in_heap(file, heap, index)?
                .get(..len)
                .ok_or(Refusal::Short)?
        }
        _ => return Ok(None),
    };
    let both = str::from_utf8(name).and_then(|name| Ok((name, str::from_utf8(until_zero(text))?)));
    Ok(both.ok())
}

/// What stands before the first zero.
fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What the global heap at an address has under an index.
fn in_heap<'a>(file: &File<'a>, address: u64, index: u64) -> Result<&'a [u8], Refusal> {
    let mut start = file.read(address, HEAP_BYTES)?;
    start.expect(b"GCOL\x01\0\0\0", "there is no heap")?;
    let mut heap = file.read(address, start.len::<8>()?)?;
    heap.skip(HEAP_BYTES)?;
    loop {
        let found = heap.number::<2>()?;
        // How often it is used, and nothing.
        heap.skip(6)?;
        let len = heap.len::<8>()?;
        if found == index {
            return heap.take(len);
        }
        if found == 0 {
            return Err(Refusal::Damaged("a text is not in its heap"));
        }
        heap.take_padded(len)?;
        file.read(0, 0)?;
    }
}
