//! What is in groups, of both generations: sections III.A to D, IV.A.2.c, g and r.

use super::bytes::{Bytes, File};
use super::header::{Message, after};
use super::refusal::Refusal;
use crate::hdf5::parts::{UNDEFINED, message};

/// Most bytes of a name, and the zero behind it.
const NAME_BYTES: usize = 256;
/// Bytes of the start of a node of a tree, before its children.
const NODE_BYTES: usize = 24;
/// Bytes of the start of a table of links, and of each link.
const TABLE_BYTES: usize = 8;
const ENTRY_BYTES: usize = 40;
/// Bytes of the start of a heap.
const HEAP_BYTES: usize = 32;
/// What a link that leads to a path instead of an address is marked with.
const SOFT: u64 = 2;

const ELSEWHERE: Refusal = Refusal::Unread("a group with a link to another place");
const NO_NAME: Refusal = Refusal::Damaged("a name is none");

/// Names and addresses.
type Links<'a> = Vec<(&'a str, u64)>;

/// The links in a group, by whatever messages of its header; none for anything else.
pub fn links<'a>(file: &File<'a>, messages: &[Message<'a>]) -> Result<Links<'a>, Refusal> {
    let mut links = Vec::new();
    for message in messages {
        match message.kind {
            message::LINK => links.push(link(message.body()?)?),
            message::LINK_INFO => {
                let mut body = message.body()?;
                body.expect(&[0], "a group has an unknown version")?;
                // How many there were, where that is counted.
                let counted = body.byte()? & 1 != 0;
                body.skip(if counted { 8 } else { 0 })?;
                no_heap(body, "a group with its links in a heap")?;
            }
            message::SYMBOL_TABLE => table(file, message.body()?, &mut links)?,
            _ => {}
        }
    }
    Ok(links)
}

/// Refuses what is kept in a fractal heap, whose address comes next.
pub fn no_heap(mut body: Bytes, what: &'static str) -> Result<(), Refusal> {
    match body.address()? {
        UNDEFINED => Ok(()),
        _ => Err(Refusal::Unread(what)),
    }
}

/// A link in the header.
fn link<'a>(mut body: Bytes<'a>) -> Result<(&'a str, u64), Refusal> {
    body.expect(&[1], "a link has an unknown version")?;
    let flags = body.byte()?;
    if flags & 1 << 3 != 0 && body.byte()? != 0 {
        return Err(ELSEWHERE);
    }
    // When it was made, and the name's character set.
    body.skip(if flags & 1 << 2 != 0 { 8 } else { 0 })?;
    body.skip(if flags & 1 << 4 != 0 { 1 } else { 0 })?;
    let len = match flags & 3 {
        0 => body.len::<1>(),
        1 => body.len::<2>(),
        2 => body.len::<4>(),
        _ => body.len::<8>(),
    }?;
    Ok((name(body.take(len)?)?, body.address()?))
}

/// Adds the links of a group of the older generation: a tree of tables, with names in a heap.
fn table<'a>(file: &File<'a>, mut body: Bytes, links: &mut Links<'a>) -> Result<(), Refusal> {
    let tree = body.address()?;
    let mut heap = file.read(body.address()?, HEAP_BYTES)?;
    heap.expect(b"HEAP\0\0\0\0", "a group has no names")?;
    let len = heap.len::<8>()?;
    // What is free in it.
    heap.skip(8)?;
    let names = file.at(heap.address()?, len)?;
    // Each with the level that it has to have, but for the root, which says it.
    let mut nodes = vec![(tree, None)];
    while let Some((address, expected)) = nodes.pop() {
        let mut node = file.read(address, NODE_BYTES)?;
        node.expect(b"TREE\0", "a group has no tree")?;
        let level = node.byte()?;
        if expected.is_some_and(|expected| expected != level) {
            return Err(Refusal::Damaged("the tree of a group has a loop"));
        }
        let count = node.len::<2>()?;
        let mut children = file.read(after(address, NODE_BYTES)?, 16 * count)?;
        for _ in 0..count {
            // The name before it, which the tables say too.
            children.skip(8)?;
            let child = children.address()?;
            match level.checked_sub(1) {
                Some(below) => nodes.push((child, Some(below))),
                None => entries(file, child, names, links)?,
            }
        }
    }
    Ok(())
}

/// Adds the links of a table.
fn entries<'a>(
    file: &File<'a>,
    address: u64,
    names: &'a [u8],
    links: &mut Links<'a>,
) -> Result<(), Refusal> {
    let mut start = file.read(address, TABLE_BYTES)?;
    start.expect(b"SNOD\x01\0", "a group has no table")?;
    let count = start.len::<2>()?;
    let mut entries = file.read(after(address, TABLE_BYTES)?, count * ENTRY_BYTES)?;
    for _ in 0..count {
        let at = entries.len::<8>()?;
        let address = entries.address()?;
        let kind = entries.number::<4>()?;
        entries.skip(20)?;
        if kind == SOFT {
            return Err(ELSEWHERE);
        }
        let rest = names.get(at..).ok_or(NO_NAME)?;
        let mut parts = rest
            .get(..NAME_BYTES)
            .unwrap_or(rest)
            .splitn(2, |byte| *byte == 0);
        match (parts.next(), parts.next()) {
            (Some(found), Some(_)) => links.push((name(found)?, address)),
            _ => return Err(NO_NAME),
        }
    }
    Ok(())
}

/// A name as text.
fn name(bytes: &[u8]) -> Result<&str, Refusal> {
    let fits = !bytes.is_empty() && bytes.len() < NAME_BYTES && !bytes.contains(&b'/');
    let name = str::from_utf8(bytes).ok().filter(|_| fits);
    name.ok_or(NO_NAME)
}
