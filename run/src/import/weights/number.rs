//! Numbers as files hold them, and as the network holds them.

/// A kind of floating-point number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// 16 bits of IEEE 754, `float16`.
    Half,
    /// The upper 16 bits of a [`Number::Single`], `bfloat16`.
    Brain,
    /// 32 bits of IEEE 754: what the network holds.
    Single,
    /// 64 bits of IEEE 754.
    Double,
}

/// Which byte of a number stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The least significant one.
    Little,
    /// The most significant one.
    Big,
}

impl Number {
    /// How many bytes one takes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Half | Self::Brain => 2,
            Self::Single => 4,
            Self::Double => 8,
        }
    }

    /// What libraries call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Half => "float16",
            Self::Brain => "bfloat16",
            Self::Single => "float32",
            Self::Double => "float64",
        }
    }

    /// All numbers in `bytes`; a rest that makes no whole number is left out. A number too large
    /// for 32 bits becomes infinite.
    pub fn values(self, bytes: &[u8], order: ByteOrder) -> Vec<f32> {
        bytes
            .chunks_exact(self.bytes())
            .map(|bytes| self.value(bytes, order))
            .collect()
    }

    fn value(self, bytes: &[u8], order: ByteOrder) -> f32 {
        let join = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        let bits = match order {
            ByteOrder::Little => bytes.iter().rev().fold(0, join),
            ByteOrder::Big => bytes.iter().fold(0, join),
        };
        match self {
            Self::Half => half(bits as u32),
            Self::Brain => f32::from_bits((bits as u32) << 16),
            Self::Single => f32::from_bits(bits as u32),
            Self::Double => f64::from_bits(bits) as f32,
        }
    }
}

/// The number whose 16 bits these are: a sign, 5 bits of exponent (15 more than it is) and 10 bits
/// of fraction. With 32 bits there are 8 of exponent (127 more than it is) and 23 of fraction.
fn half(bits: u32) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15 << 31, bits >> 10 & 0x1f, bits & 0x3ff);
    match exponent {
        // Below the smallest exponent the fraction counts in steps of 2⁻²⁴.
        0 => f32::from_bits(sign | (fraction as f32 / 16_777_216.0).to_bits()),
        0x1f => f32::from_bits(sign | 0xff << 23 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `numpy.array([…], "float16")` writes them.
    #[test]
    fn halves_are_read_as_numpy_writes_them() {
        let halves = [
            (0x0000, 0.0),
            (0x8000, -0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x2e66, 0.099_975_586),
            (0x7bff, 65_504.0),
            (0x0001, 5.960_464_5e-8),
            (0x83ff, -6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x7c00, f32::INFINITY),
            (0xfc00, f32::NEG_INFINITY),
        ];
        for (bits, value) in halves {
            let bytes = u16::to_le_bytes(bits);
            let read = Number::Half.values(&bytes, ByteOrder::Little);
            assert_eq!(read[0].to_bits(), f32::to_bits(value), "{bits:#x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn bytes_stand_in_either_order() {
        let both = |number: Number, bytes: &[u8], value: f32| {
            let mut bytes = bytes.to_vec();
            assert_eq!(number.values(&bytes, ByteOrder::Little), [value]);
            bytes.reverse();
            assert_eq!(number.values(&bytes, ByteOrder::Big), [value]);
            assert_eq!(number.bytes(), bytes.len());
        };
        both(Number::Brain, &[0xc0, 0x3f], 1.5);
        both(Number::Single, &(-0.3_f32).to_le_bytes(), -0.3);
        both(Number::Double, &0.1_f64.to_le_bytes(), 0.1);
        both(Number::Half, &[0x00, 0x3e], 1.5);
        let large = 1e300_f64.to_le_bytes();
        let read = Number::Double.values(&large, ByteOrder::Little);
        assert_eq!(read, [f32::INFINITY]);
        assert!(
            Number::Single
                .values(&[1, 2, 3], ByteOrder::Little)
                .is_empty()
        );
    }
}
