//! What arrays are and where their values lie: sections IV.A.2.b, d and i.

use super::bytes::{Bytes, File};
use super::header::Message;
use super::refusal::Refusal;
use crate::hdf5::parts::{UNDEFINED, class, message};

/// Most sides of an array, as HDF5 has it.
const MOST_SIDES: u8 = 32;
/// The kind of a shape that has no values.
const NULL: u8 = 2;

/// What each value of an array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A floating-point number as IEEE 754 has them, or one that is cut after 16 bits.
    Float {
        /// All bits.
        bits: u8,
        /// Bits of the fraction.
        fraction: u8,
        /// Whether the most significant byte stands first.
        is_big_endian: bool,
    },
    /// A text of so many bytes, filled up with zeros.
    Text(usize),
    /// A text of any length, which is somewhere else.
    Elsewhere,
    /// So many bytes of which nothing is said.
    Opaque(usize),
    /// Something else of so many bytes.
    Other(usize),
}

/// The bits of floats and of their exponents and fractions; from the lowest bit on come fraction,
/// exponent and sign.
const FLOATS: [[u8; 3]; 4] = [[16, 5, 10], [16, 8, 7], [32, 8, 23], [64, 11, 52]];

impl Kind {
    /// The message of a type.
    pub fn read(mut body: Bytes) -> Result<Self, Refusal> {
        let class = body.byte()? & 0xf;
        let [first, second, _] = body.array()?;
        let size = body.len::<4>()?;
        Ok(match class {
            class::STRING => Self::Text(size),
            class::OPAQUE => Self::Opaque(size),
            class::VARIABLE_LENGTH if first & 0xf == 1 => Self::Elsewhere,
            class::FLOATING_POINT => {
                let float = FLOATS.into_iter().find(|[bits, exponent, fraction]| {
                    let bias = (1_u32 << (exponent - 1)) - 1;
                    let mut expected = vec![0, 0, *bits, 0, *fraction, *exponent, 0, *fraction];
                    expected.extend(bias.to_le_bytes());
                    // A leading one is not written, and nothing is filled up.
                    let plain = [first & !1, second] == [0x20, bits - 1];
                    plain && size == usize::from(bits / 8) && body.0.starts_with(&expected)
                });
                match float {
                    Some([bits, _, fraction]) => Self::Float {
                        bits,
                        fraction,
                        is_big_endian: first & 1 != 0,
                    },
                    None => Self::Other(size),
                }
            }
            _ => Self::Other(size),
        })
    }

    /// The bytes of a value.
    fn size(self) -> usize {
        match self {
            Self::Float { bits, .. } => usize::from(bits / 8),
            // A length, and where the text is.
            Self::Elsewhere => 16,
            Self::Text(size) | Self::Opaque(size) | Self::Other(size) => size,
        }
    }
}

/// The message of a shape; nothing where there are no values.
pub fn shape(mut body: Bytes) -> Result<Option<Vec<usize>>, Refusal> {
    let version = body.byte()?;
    let sides = body.byte()?;
    body.skip(1)?;
    let kind = body.byte()?;
    match version {
        1 => body.skip(4)?,
        2 => {}
        _ => return Err(Refusal::Damaged("a shape has an unknown version")),
    }
    if version == 2 && kind == NULL {
        return Ok(None);
    }
    if sides > MOST_SIDES {
        return Err(Refusal::Damaged("it has too many sides"));
    }
    (0..sides)
        .map(|_| body.len::<8>())
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Values in rows: the last index changes first.
#[derive(Clone, Debug)]
pub struct Array<'a> {
    /// Its sides; none of a single value.
    pub shape: Vec<usize>,
    /// What each value is.
    pub kind: Kind,
    values: Result<&'a [u8], Refusal>,
}

impl<'a> Array<'a> {
    /// The bytes of all values.
    pub fn values(&self) -> Result<&'a [u8], Refusal> {
        let values = self.values?;
        let sides = self.shape.iter();
        let count = sides.copied().try_fold(1_usize, usize::checked_mul);
        let len = count.and_then(|count| count.checked_mul(self.kind.size()));
        (len == Some(values.len()))
            .then_some(values)
            .ok_or(Refusal::Damaged(
                "it has more or fewer values than its shape",
            ))
    }
}

/// The array that a header describes; nothing where it is that of a group.
pub fn array<'a>(file: &File<'a>, messages: &[Message<'a>]) -> Result<Option<Array<'a>>, Refusal> {
    let of = |kind| messages.iter().find(|message| message.kind == kind);
    let (Some(kind), Some(sides), Some(layout)) = (
        of(message::DATATYPE),
        of(message::DATASPACE),
        of(message::LAYOUT),
    ) else {
        return Ok(None);
    };
    let values = if of(message::FILTERS).is_some() {
        Err(Refusal::Unread("compressed"))
    } else if of(message::EXTERNAL).is_some() {
        Err(Refusal::Unread("in another file"))
    } else {
        layout.body().and_then(|layout| values(file, layout))
    };
    Ok(Some(Array {
        shape: shape(sides.body()?)?.unwrap_or_else(|| vec![0]),
        kind: Kind::read(kind.body()?)?,
        values,
    }))
}

/// The message of where values are.
fn values<'a>(file: &File<'a>, mut layout: Bytes<'a>) -> Result<&'a [u8], Refusal> {
    if !matches!(layout.byte()?, 3 | 4) {
        return Err(Refusal::Unread("laid out as very old files have it"));
    }
    match layout.byte()? {
        0 => {
            let len = layout.len::<2>()?;
            layout.take(len)
        }
        1 => match (layout.address()?, layout.len::<8>()?) {
            (UNDEFINED, 0) => Ok(&[]),
            (UNDEFINED, _) => Err(Refusal::Unread("an array that was never written")),
            (address, len) => file.at(address, len),
        },
        2 => Err(Refusal::Unread("in chunks")),
        _ => Err(Refusal::Unread("put together of other arrays")),
    }
}
