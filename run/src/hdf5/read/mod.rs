//! Groups and arrays out of files of both generations: superblocks 0 and 1 with symbol tables, as
//! h5py writes by default, and superblocks 2 and 3 with links in the header. What is kept in any other
//! way is refused, by its name. Sections are those of the HDF5 File Format Specification 3.0.
//!
//! The bytes may be anything: each piece that is read costs something of a budget, so that neither
//! time nor memory runs away, and nothing is reached in two ways.

mod array;
mod attribute;
mod bytes;
mod group;
mod header;
mod refusal;

use std::collections::HashSet;

pub use array::{Array, Kind};
use bytes::{Bytes, File};
pub use refusal::Refusal;

use crate::hdf5::parts::SIGNATURE;
use crate::run::names::cut;

/// Most groups in each other.
const MOST_DEPTH: usize = 16;
/// Most groups and arrays.
const MOST_OBJECTS: usize = 4_096;
/// Most letters of a path in an error.
const PATH_LETTERS: usize = 60;

/// Why a file cannot be read: the end of a sentence that begins with its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be read as HDF5: {:?} {refusal}", cut(.path, PATH_LETTERS))]
pub struct ReadError {
    path: String,
    refusal: Refusal,
}

/// A group or an array.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    /// Its names from the root on, each behind a `/`; empty for the root.
    pub path: String,
    /// The names and values of attributes that are a single text.
    pub texts: Vec<(&'a str, &'a str)>,
    /// Its values; nothing for a group.
    pub array: Option<Array<'a>>,
}

impl<'a> Object<'a> {
    /// What an attribute says.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let mut named = self.texts.iter().filter(|(other, _)| *other == name);
        named.next().map(|(_, text)| *text)
    }

    /// The bytes of its values; none for a group.
    ///
    /// # Errors
    /// Values that are compressed or in any other way not all in one place.
    pub fn values(&self) -> Result<&'a [u8], ReadError> {
        let values = self.array.as_ref().map_or(Ok(&[][..]), Array::values);
        values.map_err(|refusal| ReadError {
            path: self.path.clone(),
            refusal,
        })
    }
}

/// Whether bytes begin as a file does.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&SIGNATURE)
}

/// All that is in a file and reached through objects whose path is `wanted`, groups before what is in
/// them.
///
/// # Errors
/// Anything that cannot be read, by its path.
pub fn read<'a>(
    bytes: &'a [u8],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Object<'a>>, ReadError> {
    let failed = |path: &str, refusal| ReadError {
        path: if path.is_empty() { "/" } else { path }.to_owned(),
        refusal,
    };
    let file = File::new(bytes);
    let root = root(bytes).map_err(|refusal| failed("", refusal))?;
    let mut open = vec![(String::new(), root, 0)];
    let mut seen = HashSet::from([root]);
    let mut objects = Vec::new();
    while let Some((path, address, depth)) = open.pop() {
        let read = object(&file, address);
        let (texts, array, links) = read.map_err(|refusal| failed(&path, refusal))?;
        // The last is the next to be read.
        for (name, address) in links.into_iter().rev() {
            let path = format!("{path}/{name}");
            if !wanted(&path) {
                continue;
            }
            if depth == MOST_DEPTH || seen.len() == MOST_OBJECTS {
                return Err(failed(&path, Refusal::TooMuch));
            }
            if !seen.insert(address) {
                return Err(failed(&path, Refusal::Twice));
            }
            open.push((path, address, depth + 1));
        }
        objects.push(Object { path, texts, array });
    }
    Ok(objects)
}

/// Where the root group is: section II.
fn root(bytes: &[u8]) -> Result<u64, Refusal> {
    let mut block = Bytes(bytes);
    block.expect(&SIGNATURE, "it does not begin as one")?;
    let version = block.byte()?;
    // Versions of other parts come first in older ones, and what is not said in newer ones last.
    let before = match version {
        0 | 1 => 4,
        2 | 3 => 0,
        _ => return Err(Refusal::Unread("in a file of a newer version")),
    };
    block.skip(before)?;
    if block.take(2)? != [8, 8] {
        return Err(Refusal::Unread("in a file with other addresses"));
    }
    // Flags, and in older ones how wide trees of links are.
    block.skip(match version {
        0 => 9,
        1 => 13,
        _ => 1,
    })?;
    if block.address()? != 0 {
        return Err(Refusal::Unread("behind something else"));
    }
    // Where more is said.
    block.skip(8)?;
    if block.len::<8>()? > bytes.len() {
        return Err(Refusal::Short);
    }
    if version < 2 {
        // Where more is said, and the root's name.
        block.skip(16)?;
    }
    block.address()
}

/// The texts of an object, its values, and the names and addresses of what is in it.
type Read<'a> = (
    Vec<(&'a str, &'a str)>,
    Option<Array<'a>>,
    Vec<(&'a str, u64)>,
);

fn object<'a>(file: &File<'a>, address: u64) -> Result<Read<'a>, Refusal> {
    let messages = header::messages(file, address)?;
    let texts = attribute::texts(file, &messages)?;
    let array = array::array(file, &messages)?;
    let links = group::links(file, &messages)?;
    Ok((texts, array, links))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::hdf5::checksum::checksum;
    use crate::hdf5::{self, Group, write};

    /// A file with a group in a group, and something in each.
    fn file() -> Vec<u8> {
        let mut root = Group::default();
        root.say("title", hdf5::Array::text("ä title"));
        root.say("list", hdf5::Array::texts(vec!["a".to_owned()]));
        let inner = root.group("a/b");
        inner.put("one", hdf5::Array::f32(vec![2, 1], vec![1.5, -2.0]));
        inner.put("two", hdf5::Array::i32(3));
        write(&root).unwrap()
    }

    fn refusal(bytes: &[u8]) -> Refusal {
        read(bytes, |_| true).unwrap_err().refusal
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = file();
        let objects = read(&bytes, |_| true).unwrap();
        let paths: Vec<&str> = objects.iter().map(|object| object.path.as_str()).collect();
        assert_eq!(paths, ["", "/a", "/a/b", "/a/b/one", "/a/b/two"]);
        assert_eq!(objects[0].texts, [("title", "ä title")]);
        let one = objects[3].array.as_ref().unwrap();
        assert_eq!(one.shape, [2, 1]);
        let float = Kind::Float {
            bits: 32,
            fraction: 23,
            is_big_endian: false,
        };
        assert_eq!(one.kind, float);
        let values = [1.5_f32.to_le_bytes(), (-2.0_f32).to_le_bytes()];
        assert_eq!(objects[3].values(), Ok(values.as_flattened()));
        let two = objects[4].array.as_ref().unwrap();
        assert_eq!((two.shape.len(), two.kind), (0, Kind::Other(4)));
        assert_eq!(objects[0].values(), Ok(&[][..]));
        let some = read(&bytes, |path| path != "/a/b").unwrap();
        assert_eq!(some.len(), 2);
    }

    #[test]
    fn what_is_cut_or_altered_is_refused() {
        let bytes = file();
        // The root's header is the last.
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len], |_| true).is_err(), "{len}");
        }
        let mut altered = bytes.clone();
        let at = altered.len() - 8;
        altered[at] ^= 1;
        assert_eq!(refusal(&altered), Refusal::Damaged("a checksum is wrong"));
        for (at, byte) in [(0, b'x'), (8, 4), (9, 4), (12, 1)] {
            let mut altered = bytes.clone();
            altered[at] = byte;
            let refusal = refusal(&altered);
            assert!(
                matches!(refusal, Refusal::Damaged(_) | Refusal::Unread(_)),
                "{at}"
            );
        }
    }

    /// The file with a change in the header that has these bytes, whose checksum is right again.
    fn changed(bytes: &[u8], part: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let at = bytes
            .windows(part.len())
            .position(|other| other == part)
            .unwrap();
        let start = bytes[..at]
            .windows(4)
            .rposition(|four| four == b"OHDR")
            .unwrap();
        let len: [u8; 4] = bytes[start + 6..start + 10].try_into().unwrap();
        let end = start + 10 + u32::from_le_bytes(len) as usize;
        change(&mut bytes[at..end]);
        let sum = checksum(&bytes[start..end]);
        bytes[end..end + 4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn what_is_kept_in_other_ways_is_refused_by_its_name() {
        let bytes = file();
        let root = bytes.len() as u64 - 4;
        let root = (0..root)
            .rev()
            .find(|at| bytes[*at as usize..].starts_with(b"OHDR"))
            .unwrap();
        let link = changed(&bytes, b"\x01b", |part| {
            part[2..10].copy_from_slice(&root.to_le_bytes());
        });
        let error = read(&link, |_| true).unwrap_err();
        let words = "cannot be read as HDF5: \"/a/b\" is what another name also leads to";
        assert_eq!(error.to_string(), words);
        // The layout of the array `one`, whose version and class stand behind its length.
        for (class, refusal) in [(2, "in chunks"), (3, "put together of other arrays")] {
            let bytes = changed(&bytes, &[8, 18, 0, 0, 3, 1], |part| part[5] = class);
            let objects = read(&bytes, |_| true).unwrap();
            let error = objects[3].values().unwrap_err();
            assert_eq!(error.refusal, Refusal::Unread(refusal));
        }
        let links = changed(&bytes, &[2, 18, 0, 0, 0, 0, 255], |part| part[6] = 0);
        let words = "a group with its links in a heap";
        assert_eq!(refusal(&links), Refusal::Unread(words));
        let mut deep = Group::default();
        deep.group(&["x"; MOST_DEPTH + 1].join("/"));
        assert_eq!(refusal(&write(&deep).unwrap()), Refusal::TooMuch);
        let mut many = Group::default();
        let groups = (0..MOST_OBJECTS).map(|index| (index.to_string(), Group::default()));
        many.groups = groups.collect::<BTreeMap<_, _>>();
        assert_eq!(refusal(&write(&many).unwrap()), Refusal::TooMuch);
    }

    /// A file of the older generation whose root has a tree with nodes of these levels, each with
    /// many children that are all the next node, and on level 0 an empty table. After the last comes
    /// the first.
    fn tree(levels: &[u8]) -> Vec<u8> {
        const CHILDREN: usize = 1_000;
        const FIRST: usize = 512;
        const NODE: usize = 24 + 16 * CHILDREN;
        let address = |index: usize| ((FIRST + index * NODE) as u64).to_le_bytes();
        let mut bytes = vec![0; FIRST];
        bytes[..8].copy_from_slice(&SIGNATURE);
        bytes[13..15].copy_from_slice(&[8, 8]);
        bytes[64] = 96;
        // A header with one message of 16 bytes: a tree and a heap.
        bytes[96..104].copy_from_slice(&[1, 0, 1, 0, 1, 0, 0, 0]);
        bytes[104] = 24;
        bytes[112..116].copy_from_slice(&[0x11, 0, 16, 0]);
        bytes[120..128].copy_from_slice(&address(0));
        bytes[128] = 200;
        bytes[200..204].copy_from_slice(b"HEAP");
        for (index, level) in levels.iter().enumerate() {
            let mut node = b"TREE\0".to_vec();
            node.push(*level);
            node.extend((CHILDREN as u16).to_le_bytes());
            node.resize(24, 0xff);
            for _ in 0..CHILDREN {
                node.extend([0; 8]);
                node.extend(address(match level {
                    0 => levels.len(),
                    _ => (index + 1) % levels.len(),
                }));
            }
            bytes.extend(node);
        }
        bytes.extend(b"SNOD\x01\0\0\0");
        bytes
    }

    #[test]
    fn trees_of_links_end() {
        let looped = Refusal::Damaged("the tree of a group has a loop");
        assert_eq!(refusal(&tree(&[1])), looped);
        assert_eq!(refusal(&tree(&[3, 2])), looped);
        assert_eq!(read(&tree(&[0]), |_| true).unwrap().len(), 1);
        // A thousand times a thousand tables.
        assert_eq!(refusal(&tree(&[1, 0])), Refusal::TooMuch);
    }
}
