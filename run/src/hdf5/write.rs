//! Files out of groups and arrays.

use super::checksum::checksum;
use super::{Array, Group, SIGNATURE, UNDEFINED, UTF_8, Values, class, message};

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
