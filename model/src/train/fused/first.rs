//! The first block: one channel to 32, convolution 3 × 3, bias, ReLU and pooling.

use wide::f32x4;

use super::pool::pool;
use super::{LANES, SIDE_1, VECTORS_1, WINDOWS_1, add_all};
use crate::spec::{
    CONV1_BIAS, CONV1_CHANNELS, CONV1_WEIGHT, IMAGE_SIDE, KERNEL_SIDE, PIXELS, POOL_SIDE,
};

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
/// Pixels along a side of what one window sees.
const PATCH: usize = KERNEL_SIDE + POOL_SIDE - 1;
/// From the first pixel that a kernel sees to beyond its last row's first.
const REACH: usize = (KERNEL_SIDE - 1) * IMAGE_SIDE + 1;

/// The block's weights.
#[derive(Clone, Debug)]
pub struct First {
    /// `[8][9]` vectors of channels.
    taps: [[f32x4; TAPS]; VECTORS_1],
    bias: [f32x4; VECTORS_1],
    /// Each pixel with its three right neighbours, of the image under way.
    neighbours: Vec<f32x4>,
}

/// Gradients by the block's weights.
#[derive(Clone, Debug)]
pub struct Sums {
    /// `[32][3]`: a row of a kernel in three lanes; the fourth means nothing.
    rows: Vec<f32x4>,
    bias: [f32x4; VECTORS_1],
}

impl First {
    /// The block without weights.
    pub fn new() -> Self {
        Self {
            taps: [[f32x4::ZERO; TAPS]; VECTORS_1],
            bias: [f32x4::ZERO; VECTORS_1],
            neighbours: vec![f32x4::ZERO; PIXELS],
        }
    }

    /// Takes kernels `[32, 1, 3, 3]` and biases `[32]`.
    pub fn load(&mut self, weight: &[f32], bias: &[f32]) {
        for (part, taps) in self.taps.iter_mut().enumerate() {
            for (tap, vector) in taps.iter_mut().enumerate() {
                *vector = f32x4::new(std::array::from_fn(|lane| {
                    weight[(part * LANES + lane) * TAPS + tap]
                }));
            }
        }
        bytemuck::cast_slice_mut(&mut self.bias).copy_from_slice(bias);
    }

    /// Fills `[144][32]` values and where they came from.
    #[inline(never)]
    pub fn forward(&self, image: &[f32; PIXELS], values: &mut [f32x4], picks: &mut [u32]) {
        let (values, _) = values.as_chunks_mut::<VECTORS_1>();
        let (picks, _) = picks.as_chunks_mut::<VECTORS_1>();
        for (window, (values, picks)) in values.iter_mut().zip(picks).enumerate() {
            let at = corner(window);
            let patch: [[f32x4; PATCH]; PATCH] = std::array::from_fn(|row| {
                std::array::from_fn(|column| f32x4::splat(image[at + row * IMAGE_SIDE + column]))
            });
            for part in 0..VECTORS_1 {
                let taps = &self.taps[part];
                let mut places = [f32x4::ZERO; POOL_SIDE * POOL_SIDE];
                for (tap, weight) in taps.iter().enumerate() {
                    let (down, right) = (tap / KERNEL_SIDE, tap % KERNEL_SIDE);
                    for (place, sum) in places.iter_mut().enumerate() {
                        let (row, column) = (place / POOL_SIDE, place % POOL_SIDE);
                        *sum += patch[row + down][column + right] * *weight;
                    }
                }
                (values[part], picks[part]) = pool(places, self.bias[part]);
            }
        }
    }

    /// Adds the gradients by kernels and biases of one image. `by_values` loses what the ReLU shut
    /// off.
    #[inline(never)]
    pub fn backward(
        &mut self,
        image: &[f32; PIXELS],
        values: &[f32x4],
        picks: &[u32],
        by_values: &mut [f32x4],
        sums: &mut Sums,
    ) {
        for (by, values) in by_values
            .chunks_exact_mut(VECTORS_1)
            .zip(values.chunks_exact(VECTORS_1))
        {
            for part in 0..VECTORS_1 {
                by[part] &= values[part].simd_gt(f32x4::ZERO);
                sums.bias[part] += by[part];
            }
        }
        for (at, neighbours) in self.neighbours.iter_mut().enumerate() {
            let pixel = |step| image.get(at + step).copied().unwrap_or_default();
            *neighbours = f32x4::new([pixel(0), pixel(1), pixel(2), pixel(3)]);
        }
        let by_values: &[f32] = bytemuck::cast_slice(by_values);
        let picks: &[u8] = bytemuck::cast_slice(picks);
        let (rows, _) = sums.rows.as_chunks_mut::<{ 2 * KERNEL_SIDE }>();
        for (pair, rows) in rows.iter_mut().enumerate() {
            let mut found = *rows;
            for window in 0..WINDOWS_1 {
                let corner = corner(window);
                for one in 0..2 {
                    let unit = window * CONV1_CHANNELS + 2 * pair + one;
                    let pick = usize::from(picks[unit]);
                    let at = corner + (pick >> 1) * IMAGE_SIDE + (pick & 1);
                    let by = f32x4::splat(by_values[unit]);
                    let seen = &self.neighbours[at..at + REACH];
                    for down in 0..KERNEL_SIDE {
                        found[one * KERNEL_SIDE + down] += by * seen[down * IMAGE_SIDE];
                    }
                }
            }
            *rows = found;
        }
    }
}

/// Index of the first pixel that a window sees.
fn corner(window: usize) -> usize {
    (window / SIDE_1 * IMAGE_SIDE + window % SIDE_1) * POOL_SIDE
}

impl Sums {
    /// No gradients yet.
    pub fn zero() -> Self {
        Self {
            rows: vec![f32x4::ZERO; CONV1_CHANNELS * KERNEL_SIDE],
            bias: [f32x4::ZERO; VECTORS_1],
        }
    }

    /// Adds those of other images.
    pub fn add(&mut self, other: &Self) {
        add_all(&mut self.rows, &other.rows);
        add_all(&mut self.bias, &other.bias);
    }

    /// Writes them where they belong in the flat vector.
    pub fn write(&self, flat: &mut [f32]) {
        let rows = flat[CONV1_WEIGHT.range()].chunks_exact_mut(KERNEL_SIDE);
        for (row, found) in rows.zip(&self.rows) {
            row.copy_from_slice(&found.to_array()[..KERNEL_SIDE]);
        }
        flat[CONV1_BIAS.range()].copy_from_slice(bytemuck::cast_slice(&self.bias));
    }
}
