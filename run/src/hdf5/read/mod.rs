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

use std::collections::HashSet;

pub use array::{Array, Kind};
use bytes::{Bytes, File};

use super::SIGNATURE;
use crate::run::names::cut;

/// Most groups in each other.
const MOST_DEPTH: usize = 16;
/// Most groups and arrays.
const MOST_OBJECTS: usize = 4_096;
/// Most letters of a path in an error.
const PATH_LETTERS: usize = 60;

/// Why something cannot be read: the end of a sentence that begins with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something would be behind the file's end.
    #[error("is not whole")]
    Short,
    /// It breaks the rules of the format.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// It follows them in a way of which nothing is known here.
    #[error("is {0}, which is not read here")]
    Unread(&'static str),
    /// More than any file of a small network has.
    #[error("has too many parts")]
    TooMuch,
    /// A loop, or something with two names.
    #[error("is what another name also leads to")]
    Twice,
}

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
    // Where more is said, and the file's end.
    block.skip(16)?;
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
