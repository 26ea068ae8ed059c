//! A pooling window of four places with bias and ReLU, four channels at once.

use wide::f32x4;

/// Byte k is bit k of the index.
const SPREAD: [u32; 16] = {
    let mut spread = [0; 16];
    let mut mask = 0;
    while mask < 16 {
        let bits = mask as u32;
        spread[mask] = bits & 1 | (bits >> 1 & 1) << 8 | (bits >> 2 & 1) << 16 | (bits >> 3) << 24;
        mask += 1;
    }
    spread
};

/// The largest of four places plus its bias, 0 where that is negative, and a byte for each channel
/// that says which place it was: its column, plus twice its row. Of equal places the first counts.
/// What is no number stays so.
#[inline(always)]
pub fn pool(places: [f32x4; 4], bias: f32x4) -> (f32x4, u32) {
    let [a, b, c, d] = places;
    let (top_right, bottom_right) = (b.simd_gt(a), d.simd_gt(c));
    let top = top_right.bitselect(b, a);
    let bottom = bottom_right.bitselect(d, c);
    let is_bottom = bottom.simd_gt(top);
    let sum = is_bottom.bitselect(bottom, top) + bias;
    let is_right = is_bottom.bitselect(bottom_right, top_right);
    let picks = SPREAD[is_right.to_bitmask() as usize & 15]
        | SPREAD[is_bottom.to_bitmask() as usize & 15] << 1;
    let is_shut = sum.simd_lt(f32x4::ZERO);
    (is_shut.bitselect(f32x4::ZERO, sum), picks)
}
