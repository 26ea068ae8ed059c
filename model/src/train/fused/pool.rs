//! A pooling window of four places with bias and ReLU, four channels at once.

use wide::{f32x4, i8x16, i16x8, i16x16, i32x4, i32x8};

/// Which place of its window each of four channels took: its column, plus its row times the
/// distance of rows.
pub type Picks = i32x4;

/// The largest of four places plus its bias, 0 where that is negative, and which place it was,
/// where rows are `ROW` apart. Of equal places the first counts. What is no number stays so.
#[inline(always)]
pub fn pool<const ROW: i32>(places: [f32x4; 4], bias: f32x4) -> (f32x4, Picks) {
    let [a, b, c, d] = places;
    let (top_right, bottom_right) = (b.simd_gt(a), d.simd_gt(c));
    let top = top_right.bitselect(b, a);
    let bottom = bottom_right.bitselect(d, c);
    let is_bottom = bottom.simd_gt(top);
    let sum = is_bottom.bitselect(bottom, top) + bias;
    let is_right = is_bottom.bitselect(bottom_right, top_right);
    let picks = (bits(is_right) & i32x4::ONE) + (bits(is_bottom) & i32x4::splat(ROW));
    let is_shut = sum.simd_lt(f32x4::ZERO);
    (sum & !is_shut, picks)
}

#[inline(always)]
fn bits(mask: f32x4) -> i32x4 {
    bytemuck::cast(mask)
}

/// The picks of sixteen channels, a byte each.
#[inline(always)]
pub fn bytes([a, b, c, d]: [Picks; 4]) -> [u8; 16] {
    let pair = |low: Picks, high: Picks| {
        let eight: i32x8 = bytemuck::cast([low, high]);
        i16x8::from_i32x8_truncate(eight)
    };
    let sixteen: i16x16 = bytemuck::cast([pair(a, b), pair(c, d)]);
    bytemuck::cast(i8x16::from_i16x16_truncate(sixteen))
}
