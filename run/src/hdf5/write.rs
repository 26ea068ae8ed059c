//! Files out of groups and arrays.

use super::checksum::checksum;
use super::parts::{Array, Group, SIGNATURE, UNDEFINED, UTF_8, Values, class, message};

/// Bytes of a superblock of version 2.
const SUPERBLOCK_BYTES: usize = 48;
/// What addresses are multiples of, so that numbers can be used where they lie.
const ALIGNMENT: usize = 8;
/// Bytes of a number of an array.
const NUMBER_BYTES: u32 = 4;

/// Something is longer than the format has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is too long for HDF5")]
pub struct TooLong(&'static str);

/// The file with this group as its root.
///
/// # Errors
/// A name of more than 255 bytes, or an attribute of 64 KiB and more.
pub fn write(root: &Group) -> Result<Vec<u8>, TooLong> {
    let mut file = vec![0; SUPERBLOCK_BYTES];
    let root = add_group(&mut file, root)?;
    let mut superblock = SIGNATURE.to_vec();
    // Its version, the bytes of addresses and of lengths, and that nobody has the file open.
    superblock.extend([2, 8, 8, 0]);
    let end = file.len() as u64;
    for address in [0, UNDEFINED, end, root] {
        superblock.extend(address.to_le_bytes());
    }
    seal(&mut superblock);
    file.splice(..SUPERBLOCK_BYTES, superblock);
    Ok(file)
}

/// Adds a group after all that is in it, and says where.
fn add_group(file: &mut Vec<u8>, group: &Group) -> Result<u64, TooLong> {
    let mut header = Header::default();
    // No links are kept outside the header.
    let mut info = vec![0, 0];
    info.extend(UNDEFINED.to_le_bytes());
    info.extend(UNDEFINED.to_le_bytes());
    header.push(message::LINK_INFO, &info)?;
    header.push(message::GROUP_INFO, &[0, 0])?;
    for (name, inner) in &group.groups {
        let address = add_group(file, inner)?;
        header.link(name, address)?;
    }
    for (name, array) in &group.arrays {
        let address = add_array(file, array)?;
        header.link(name, address)?;
    }
    for (name, array) in &group.attributes {
        header.attribute(name, array)?;
    }
    header.add_to(file)
}

/// Adds an array, its values first, and says where.
fn add_array(file: &mut Vec<u8>, array: &Array) -> Result<u64, TooLong> {
    let (size, datatype) = datatype(&array.values);
    let values = bytes(&array.values, size);
    let mut layout = vec![3, 1];
    layout.extend(address(file).to_le_bytes());
    layout.extend((values.len() as u64).to_le_bytes());
    file.extend(values);
    let mut header = Header::default();
    header.push(message::DATASPACE, &dataspace(&array.shape))?;
    header.push(message::DATATYPE, &datatype)?;
    // All values are there, so that what stands for others is of no account.
    header.push(message::FILL_VALUE, &[3, 0b1010])?;
    header.push(message::LAYOUT, &layout)?;
    header.add_to(file)
}

/// Where the next thing is put.
fn address(file: &mut Vec<u8>) -> u64 {
    file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
    file.len() as u64
}

/// Adds the checksum of what is there.
fn seal(block: &mut Vec<u8>) {
    block.extend(checksum(block).to_le_bytes());
}

/// The messages of an object header.
#[derive(Default)]
struct Header(Vec<u8>);

impl Header {
    fn push(&mut self, kind: u8, body: &[u8]) -> Result<(), TooLong> {
        let len = u16::try_from(body.len()).map_err(|_| TooLong("An attribute"))?;
        self.0.push(kind);
        self.0.extend(len.to_le_bytes());
        self.0.push(0);
        self.0.extend(body);
        Ok(())
    }

    fn link(&mut self, name: &str, address: u64) -> Result<(), TooLong> {
        let len = u8::try_from(name.len()).map_err(|_| TooLong("A name"))?;
        let mut body = vec![1, 0b1_0000, UTF_8, len];
        body.extend(name.as_bytes());
        body.extend(address.to_le_bytes());
        self.push(message::LINK, &body)
    }

    fn attribute(&mut self, name: &str, array: &Array) -> Result<(), TooLong> {
        let (size, datatype) = datatype(&array.values);
        let dataspace = dataspace(&array.shape);
        let mut body = vec![3, 0];
        // The name ends in a zero.
        for len in [name.len() + 1, datatype.len(), dataspace.len()] {
            let len = u16::try_from(len).map_err(|_| TooLong("A name"))?;
            body.extend(len.to_le_bytes());
        }
        body.push(UTF_8);
        body.extend(name.as_bytes());
        body.push(0);
        body.extend(datatype);
        body.extend(dataspace);
        body.extend(bytes(&array.values, size));
        self.push(message::ATTRIBUTE, &body)
    }

    /// Adds the header and says where.
    fn add_to(self, file: &mut Vec<u8>) -> Result<u64, TooLong> {
        let len = u32::try_from(self.0.len()).map_err(|_| TooLong("A group"))?;
        // Flag 2: the length of the messages has four bytes.
        let mut block = b"OHDR\x02\x02".to_vec();
        block.extend(len.to_le_bytes());
        block.extend(self.0);
        seal(&mut block);
        let address = address(file);
        file.extend(block);
        Ok(address)
    }
}

/// The message of a shape, which has version 2.
fn dataspace(shape: &[usize]) -> Vec<u8> {
    // A shape has few sides. Its kind is 0 for a single value.
    let mut body = vec![2, shape.len() as u8, 0, u8::from(!shape.is_empty())];
    for side in shape {
        body.extend((*side as u64).to_le_bytes());
    }
    body
}

/// The bytes of a value, and the message of its type: version 1 and the class, 24 bits of the
/// class, the bytes, and what else the class has.
fn datatype(values: &Values) -> (u32, Vec<u8>) {
    let (class, bits, size, more): (u8, [u8; 3], u32, &[u8]) = match values {
        // Little-endian, with the sign in bit 31 and a leading one that is not written; the place
        // and length of all bits, of the exponent and of the fraction; the exponent's bias.
        Values::F32(_) => (
            class::FLOATING_POINT,
            [0x20, 31, 0],
            NUMBER_BYTES,
            &[0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0],
        ),
        // Little-endian, signed; the place and length of all bits.
        Values::I32(_) => (class::FIXED_POINT, [8, 0, 0], NUMBER_BYTES, &[0, 0, 32, 0]),
        Values::Text(texts) => {
            // No type may have no bytes.
            let longest = texts.iter().map(String::len).max().unwrap_or(0).max(1);
            // Filled up with zeros.
            let bits = [1 | UTF_8 << 4, 0, 0];
            (class::STRING, bits, longest as u32, &[])
        }
    };
    let mut body = vec![1 << 4 | class];
    body.extend(bits);
    body.extend(size.to_le_bytes());
    body.extend(more);
    (size, body)
}

/// The values, each of so many bytes.
fn bytes(values: &Values, size: u32) -> Vec<u8> {
    match values {
        Values::F32(values) => values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        Values::I32(values) => values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        Values::Text(texts) => texts
            .iter()
            .flat_map(|text| {
                let filled = text.bytes().chain(std::iter::repeat(0));
                filled.take(size as usize)
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> usize {
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// The types and bodies of the messages of the header at an address, whose checksum is right.
    fn messages(file: &[u8], address: usize) -> Vec<(u8, Vec<u8>)> {
        assert_eq!(address % 8, 0);
        let header = &file[address..];
        assert_eq!(&header[..6], b"OHDR\x02\x02");
        let end = 10 + number(&header[6..10]);
        let sum = number(&header[end..end + 4]);
        assert_eq!(sum, checksum(&header[..end]) as usize);
        let mut rest = &header[10..end];
        let mut found = Vec::new();
        while let [kind, low, high, _, more @ ..] = rest {
            let (body, more) = more.split_at(number(&[*low, *high]));
            found.push((*kind, body.to_vec()));
            rest = more;
        }
        assert!(rest.is_empty());
        found
    }

    /// The bodies of the messages of a type.
    fn of(kind: u8, messages: &[(u8, Vec<u8>)]) -> Vec<&[u8]> {
        let own = messages.iter().filter(|(other, _)| *other == kind);
        own.map(|(_, body)| body.as_slice()).collect()
    }

    /// Where the only link of a group leads, and its name.
    fn link(messages: &[(u8, Vec<u8>)]) -> (String, usize) {
        let [link] = of(message::LINK, messages)[..] else {
            panic!("not one link");
        };
        assert_eq!(&link[..3], [1, 0x10, 1]);
        let (name, address) = link[4..].split_at(usize::from(link[3]));
        let name = String::from_utf8(name.to_vec()).unwrap();
        (name, number(address))
    }

    /// The type, shape and values of the only array in the group `a/b` of a file.
    fn array_in(file: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        assert_eq!(&file[..12], b"\x89HDF\r\n\x1a\n\x02\x08\x08\x00");
        assert_eq!(number(&file[28..36]), file.len());
        assert_eq!(number(&file[44..48]), checksum(&file[..44]) as usize);
        let (a, address) = link(&messages(file, number(&file[36..44])));
        let (b, address) = link(&messages(file, address));
        let (name, address) = link(&messages(file, address));
        assert_eq!([a, b, name], ["a", "b", "x"]);
        let header = messages(file, address);
        let layout = of(message::LAYOUT, &header)[0];
        assert_eq!(&layout[..2], [3, 1]);
        let (at, len) = (number(&layout[2..10]), number(&layout[10..]));
        (
            of(message::DATATYPE, &header)[0].to_vec(),
            of(message::DATASPACE, &header)[0].to_vec(),
            file[at..at + len].to_vec(),
        )
    }

    fn file_with(array: Array) -> Vec<u8> {
        let mut root = Group::default();
        root.group("a/b").put("x", array);
        write(&root).unwrap()
    }

    #[test]
    fn an_array_is_found_in_its_groups() {
        let values = vec![1.5, f32::NAN, f32::INFINITY, -0.0, 1e-40, 2.0];
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let file = file_with(Array::f32(vec![2, 3], values));
        let (datatype, dataspace, found) = array_in(&file);
        assert_eq!(datatype[..8], [0x11, 0x20, 31, 0, 4, 0, 0, 0]);
        assert_eq!(datatype[8..], [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0]);
        assert_eq!(dataspace[..4], [2, 2, 0, 1]);
        assert_eq!(
            [number(&dataspace[4..12]), number(&dataspace[12..])],
            [2, 3]
        );
        assert_eq!(found, bytes);

        let (datatype, dataspace, found) = array_in(&file_with(Array::i32(-2)));
        assert_eq!(datatype, [0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32, 0]);
        assert_eq!(dataspace, [2, 0, 0, 0]);
        assert_eq!(found, [0xFE, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn texts_have_the_length_of_the_longest() {
        let mut root = Group::default();
        root.say(
            "names",
            Array::texts(vec!["é".to_owned(), "abc".to_owned()]),
        );
        root.say("nothing", Array::text(""));
        let file = write(&root).unwrap();
        let header = messages(&file, number(&file[36..44]));
        let attributes = of(message::ATTRIBUTE, &header);
        let mut names = vec![3, 0, 6, 0, 8, 0, 12, 0, 1];
        names.extend(b"names\0");
        names.extend([0x13, 0x11, 0, 0, 3, 0, 0, 0]);
        names.extend([2, 1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
        names.extend("é\0abc".as_bytes());
        assert_eq!(attributes[0], names);
        assert_eq!(attributes[1].last(), Some(&0));
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let mut root = Group::default();
        root.group(&"x".repeat(256));
        assert_eq!(write(&root), Err(TooLong("A name")));
        let mut root = Group::default();
        root.say("long", Array::text("x".repeat(1 << 16)));
        assert_eq!(write(&root), Err(TooLong("An attribute")));
    }
}
