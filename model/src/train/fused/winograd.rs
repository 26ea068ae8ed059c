//! Winograd's F(2 × 2, 3 × 3) (Lavin and Gray 2016, section 4.1): the four places of a pooling
//! window by 16 products instead of 36.

use wide::f32x4;

use crate::spec::{KERNEL_SIDE, POOL_SIDE};

/// Places along a side of what one window sees, and of a transformed kernel.
pub const PATCH: usize = KERNEL_SIDE + POOL_SIDE - 1;
/// Points of the transform.
pub const POINTS: usize = PATCH * PATCH;

/// Bᵀ d B, of the patch whose values `at` gives by row and column.
#[inline(always)]
pub fn transform_input(at: impl Fn(usize, usize) -> f32x4) -> [[f32x4; PATCH]; PATCH] {
    let columns: [[f32x4; PATCH]; PATCH] =
        std::array::from_fn(|column| line(std::array::from_fn(|row| at(row, column))));
    std::array::from_fn(|row| line(columns.map(|column| column[row])))
}

/// The same of one patch alone, given and taken row by row, a row to a vector; columns come first
/// as well.
#[inline(always)]
pub fn transform_patch(rows: [f32x4; PATCH]) -> [f32x4; PATCH] {
    f32x4::transpose(line(f32x4::transpose(line(rows))))
}

#[inline(always)]
fn line([a, b, c, d]: [f32x4; PATCH]) -> [f32x4; PATCH] {
    [a - c, b + c, c - b, b - d]
}

/// G g Gᵀ.
pub fn transform_kernel(kernel: [[f32x4; KERNEL_SIDE]; KERNEL_SIDE]) -> [f32x4; POINTS] {
    let half = f32x4::splat(0.5);
    let line = |[a, b, c]: [f32x4; KERNEL_SIDE]| {
        let (outer, inner) = ((a + c) * half, b * half);
        [a, outer + inner, outer - inner, c]
    };
    let columns: [[f32x4; PATCH]; KERNEL_SIDE] =
        std::array::from_fn(|column| line(kernel.map(|row| row[column])));
    let rows: [[f32x4; PATCH]; PATCH] =
        std::array::from_fn(|row| line(columns.map(|column| column[row])));
    std::array::from_fn(|point| rows[point / PATCH][point % PATCH])
}

/// Aᵀ m A: the four places of a window, row after row.
#[inline(always)]
pub fn transform_output(product: impl Fn(usize) -> f32x4) -> [f32x4; POOL_SIDE * POOL_SIDE] {
    let row = |row: usize| {
        let [a, b, c, d] = std::array::from_fn(|column| product(row * PATCH + column));
        [a + (b + c), (b - c) - d]
    };
    let [first, second, third, fourth] = [row(0), row(1), row(2), row(3)];
    let top = |side: usize| first[side] + second[side] + third[side];
    let bottom = |side: usize| second[side] - third[side] - fourth[side];
    [top(0), top(1), bottom(0), bottom(1)]
}
