//! What the header of an idx file says: what its numbers are, and how many there are.

use std::fmt;

/// Most axes of an idx file of which anything is known here.
const MOST_AXES: usize = 4;
/// Bytes of the longest header that is read.
pub const HEADER: usize = 4 * (1 + MOST_AXES);

/// What the numbers of an idx file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// 0x08.
    Byte,
    /// 0x09.
    SignedByte,
    /// 0x0B.
    Short,
    /// 0x0C.
    Int,
    /// 0x0D.
    Float,
    /// 0x0E.
    Double,
}

impl Number {
    const fn of(code: u8) -> Option<Self> {
        Some(match code {
            0x08 => Self::Byte,
            0x09 => Self::SignedByte,
            0x0b => Self::Short,
            0x0c => Self::Int,
            0x0d => Self::Float,
            0x0e => Self::Double,
            _ => return None,
        })
    }

    /// Bytes of each.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Byte | Self::SignedByte => 1,
            Self::Short => 2,
            Self::Int | Self::Float => 4,
            Self::Double => 8,
        }
    }

    /// Whether they are whole.
    pub const fn is_whole(self) -> bool {
        !matches!(self, Self::Float | Self::Double)
    }

    /// The whole number in these bytes, the first of which is its highest.
    pub fn whole(self, bytes: &[u8]) -> Option<i64> {
        Some(match (self, bytes) {
            (Self::Byte, [byte]) => i64::from(*byte),
            (Self::SignedByte, [byte]) => i64::from(byte.cast_signed()),
            (Self::Short, [a, b]) => i64::from(i16::from_be_bytes([*a, *b])),
            (Self::Int, [a, b, c, d]) => i64::from(i32::from_be_bytes([*a, *b, *c, *d])),
            _ => return None,
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Byte => "bytes from 0 to 255",
            Self::SignedByte => "bytes from −128 to 127",
            Self::Short => "16-bit whole numbers",
            Self::Int => "32-bit whole numbers",
            Self::Float => "32-bit floating-point numbers",
            Self::Double => "64-bit floating-point numbers",
        })
    }
}

/// The header of an idx file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// What its numbers are.
    pub number: Number,
    /// How many there are along each axis; images or labels along the first.
    pub axes: Vec<u32>,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// They end before it does.
    Short {
        /// Bytes that the header has.
        expected: usize,
    },
    /// Its numbers are of no known kind.
    Number,
    /// It has none, or more axes than anything here.
    Axes {
        /// So many.
        axes: u8,
        /// What its numbers would be.
        number: Number,
    },
}

impl Header {
    /// Reads it from the first bytes of a file.
    pub fn read(bytes: &[u8]) -> Result<Self, HeaderError> {
        let word = |index: usize| {
            let word = bytes.get(4 * index..4 * index + 4)?;
            Some([word[0], word[1], word[2], word[3]])
        };
        // Of the shortest: one axis.
        let Some([_, _, code, count]) = word(0) else {
            return Err(HeaderError::Short { expected: 8 });
        };
        let number = Number::of(code).ok_or(HeaderError::Number)?;
        let axes = usize::from(count);
        if !(1..=MOST_AXES).contains(&axes) {
            return Err(HeaderError::Axes {
                axes: count,
                number,
            });
        }
        let axes: Option<Vec<u32>> = (1..=axes)
            .map(|index| word(index).map(u32::from_be_bytes))
            .collect();
        let expected = 4 * (1 + usize::from(count));
        let axes = axes.ok_or(HeaderError::Short { expected })?;
        Ok(Self { number, axes })
    }

    /// Bytes of the header itself.
    pub const fn len(&self) -> usize {
        4 * (1 + self.axes.len())
    }

    /// Bytes of the whole file; the most there can be where that is more.
    pub fn file_len(&self) -> usize {
        let numbers = self.axes.iter().fold(1, |numbers: usize, axis| {
            numbers.saturating_mul(*axis as usize)
        });
        numbers
            .saturating_mul(self.number.bytes())
            .saturating_add(self.len())
    }

    /// How many images or labels.
    pub fn count(&self) -> u32 {
        self.axes.first().copied().unwrap_or_default()
    }
}

/// Such as `32-bit whole numbers, 60000 × 8`.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.number)?;
        for (index, axis) in self.axes.iter().enumerate() {
            let before = if index == 0 { ", " } else { " × " };
            write!(f, "{before}{axis}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_what_follows_in_words() {
        let bytes = [[0, 0, 12, 2], [0, 0, 234, 96], [0, 0, 0, 8]].concat();
        let header = Header::read(&bytes).unwrap();
        assert_eq!(header.to_string(), "32-bit whole numbers, 60000 × 8");
        assert_eq!(header.file_len(), 12 + 4 * 8 * 60_000);
        assert_eq!(header.count(), 60_000);
        for len in 0..bytes.len() {
            let expected = if len < 4 { 8 } else { 12 };
            let short = Err(HeaderError::Short { expected });
            assert_eq!(Header::read(&bytes[..len]), short);
        }
        let huge = [[0, 0, 14, 3], [255; 4], [255; 4], [255; 4]].concat();
        assert_eq!(Header::read(&huge).unwrap().file_len(), usize::MAX);
        assert_eq!(Header::read(&[0, 0, 10, 1]), Err(HeaderError::Number));
        for axes in [0, 5, 255] {
            assert_eq!(
                Header::read(&[0, 0, 8, axes]),
                Err(HeaderError::Axes {
                    axes,
                    number: Number::Byte
                })
            );
        }
    }

    #[test]
    fn whole_numbers_have_a_sign_and_floating_ones_are_none() {
        assert_eq!(Number::Byte.whole(&[255]), Some(255));
        assert_eq!(Number::SignedByte.whole(&[255]), Some(-1));
        assert_eq!(Number::Short.whole(&[1, 0]), Some(256));
        assert_eq!(Number::Int.whole(&[255, 255, 255, 254]), Some(-2));
        assert_eq!(Number::Float.whole(&[0; 4]), None);
        assert_eq!(Number::Int.whole(&[0; 3]), None);
    }
}
