//! The checksum of HDF5's metadata: Bob Jenkins' `lookup3` (`hashlittle`) with 0 as its start.

/// Bytes that are mixed at once.
const BLOCK_BYTES: usize = 12;

/// The checksum of these bytes.
pub fn checksum(bytes: &[u8]) -> u32 {
    // A length counts modulo 2³² here.
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let mut state = [start; 3];
    let mut rest = bytes;
    // The last block is mixed in another way, also where it is a whole one.
    while let Some((block, more)) = rest.split_first_chunk::<BLOCK_BYTES>()
        && !more.is_empty()
    {
        state = mixed(with(state, block));
        rest = more;
    }
    if rest.is_empty() {
        return start;
    }
    let mut block = [0; BLOCK_BYTES];
    block
        .iter_mut()
        .zip(rest)
        .for_each(|(to, byte)| *to = *byte);
    sum(with(state, &block))
}

/// Adds the three words of a block.
fn with(mut state: [u32; 3], block: &[u8; BLOCK_BYTES]) -> [u32; 3] {
    let (words, _) = block.as_chunks::<4>();
    for (sum, word) in state.iter_mut().zip(words) {
        *sum = sum.wrapping_add(u32::from_le_bytes(*word));
    }
    state
}

/// Spreads what a block brought over the whole state.
fn mixed([mut a, mut b, mut c]: [u32; 3]) -> [u32; 3] {
    for bits in [4, 6, 8, 16, 19, 4] {
        a = a.wrapping_sub(c) ^ c.rotate_left(bits);
        c = c.wrapping_add(b);
        [a, b, c] = [b, c, a];
    }
    [a, b, c]
}

/// What is left of the state in the end.
fn sum([mut a, mut b, mut c]: [u32; 3]) -> u32 {
    for bits in [14, 11, 25, 16, 4, 14, 24] {
        c = (c ^ b).wrapping_sub(b.rotate_left(bits));
        [a, b, c] = [b, c, a];
    }
    // The last word that was changed.
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_original() {
        // The first two stand in the self-test of `lookup3.c`; the others are of a last block that is
        // whole and of one that is not.
        for (text, expected) in [
            ("", 0xdead_beef),
            ("Four score and seven years ago", 0x1777_0551),
            ("twelve bytes", 0x597b_94ce),
            ("thirteen byte", 0x4ed7_13f9),
        ] {
            assert_eq!(checksum(text.as_bytes()), expected, "{text}");
        }
    }
}
