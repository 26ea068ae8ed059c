//! ChaCha8, four blocks at once: dropout draws a word for each feature of each image, and a block at
//! a time those would take a tenth of a training step.
//!
//! D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008, with a counter and a stream of 64 bits as
//! `rand_chacha` has them; the words are the same.

use wide::u32x4;

/// Words of a block.
pub const WORDS: usize = 16;
/// What every block begins with: "expand 32-byte k".
const BEGINNING: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
/// ChaCha8 has so many pairs of a column round and a diagonal round.
const DOUBLE_ROUNDS: usize = 4;

/// Word by word those of block `first` and of the three after it, a block a lane.
#[inline(always)]
pub fn four_blocks(key: [u32; 8], first: u64, stream: u64) -> [u32x4; WORDS] {
    let counters: [u64; 4] = std::array::from_fn(|block| first.wrapping_add(block as u64));
    let mut start = [u32x4::ZERO; WORDS];
    for (lanes, word) in start.iter_mut().zip(BEGINNING.into_iter().chain(key)) {
        *lanes = u32x4::splat(word);
    }
    start[12] = u32x4::new(counters.map(|counter| counter as u32));
    start[13] = u32x4::new(counters.map(|counter| (counter >> 32) as u32));
    start[14] = u32x4::splat(stream as u32);
    start[15] = u32x4::splat((stream >> 32) as u32);

    let mut state = start;
    for _ in 0..DOUBLE_ROUNDS {
        quarter_round(&mut state, [0, 4, 8, 12]);
        quarter_round(&mut state, [1, 5, 9, 13]);
        quarter_round(&mut state, [2, 6, 10, 14]);
        quarter_round(&mut state, [3, 7, 11, 15]);
        quarter_round(&mut state, [0, 5, 10, 15]);
        quarter_round(&mut state, [1, 6, 11, 12]);
        quarter_round(&mut state, [2, 7, 8, 13]);
        quarter_round(&mut state, [3, 4, 9, 14]);
    }
    for (end, start) in state.iter_mut().zip(start) {
        *end += start;
    }
    state
}

#[inline(always)]
fn quarter_round(state: &mut [u32x4; WORDS], [a, b, c, d]: [usize; 4]) {
    state[a] += state[b];
    state[d] = turned::<16, 16>(state[d] ^ state[a]);
    state[c] += state[d];
    state[b] = turned::<12, 20>(state[b] ^ state[c]);
    state[a] += state[b];
    state[d] = turned::<8, 24>(state[d] ^ state[a]);
    state[c] += state[d];
    state[b] = turned::<7, 25>(state[b] ^ state[c]);
}

/// The bits of each lane, turned to the left.
#[inline(always)]
fn turned<const LEFT: u32, const RIGHT: u32>(lanes: u32x4) -> u32x4 {
    (lanes << LEFT) | (lanes >> RIGHT)
}
