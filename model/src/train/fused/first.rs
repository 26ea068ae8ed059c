//! The first block: one channel to 32, convolution 3 × 3, bias, ReLU and pooling.
//!
//! Forward by Winograd's tiles, which are pooling windows. Backward over all windows: of each, one
//! place has a gradient. About half the windows of a digit see nothing but blank paper: what they
//! make is known beforehand, and the kernels have no gradient there.

use wide::f32x4;

use super::pool::{Picks, bytes, pool};
use super::winograd::{PATCH, POINTS, transform_kernel, transform_output, transform_patch};
use super::{LANES, SIDE_1, VECTORS_1, WINDOWS_1};
use crate::spec::{
    CONV1_BIAS, CONV1_CHANNELS, CONV1_WEIGHT, IMAGE_SIDE, KERNEL_SIDE, PIXELS, POOL_SIDE,
};

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
/// From the first pixel that a kernel sees to beyond the fourth of its last row.
const REACH: usize = (KERNEL_SIDE - 1) * IMAGE_SIDE + LANES;
/// Channels whose picks are packed together.
const PACKED: usize = 16;

/// The last place of the last window sees pixels of the image alone.
const _: () = {
    let last = POOL_SIDE * SIDE_1 - 1;
    assert!(last * IMAGE_SIDE + last + REACH <= PIXELS);
};

/// What one window makes: the values of all channels, and where they came from.
type Made = ([f32x4; VECTORS_1], [u8; CONV1_CHANNELS]);

/// A window that sees something.
#[derive(Clone, Copy, Debug)]
struct Seeing {
    window: u16,
    /// Index of the first pixel that it sees.
    corner: u16,
}

/// The block's weights, and which windows of the image under way see anything.
#[derive(Clone, Debug)]
pub struct First {
    /// `[8][16]` vectors of channels, transformed.
    kernels: [[f32x4; POINTS]; VECTORS_1],
    bias: [f32x4; VECTORS_1],
    /// What a window makes that sees nothing.
    blank: Made,
    seeing: Vec<Seeing>,
}

/// Gradients by the block's weights.
#[derive(Debug)]
pub struct Sums<'a> {
    /// `[32][3]`: a row of a kernel in three lanes; the fourth means nothing.
    pub rows: &'a mut [f32x4],
    /// Four channels to a vector.
    pub bias: &'a mut [f32x4],
}

impl First {
    /// The block without weights.
    pub fn new() -> Self {
        Self {
            kernels: [[f32x4::ZERO; POINTS]; VECTORS_1],
            bias: [f32x4::ZERO; VECTORS_1],
            blank: ([f32x4::ZERO; VECTORS_1], [0; CONV1_CHANNELS]),
            seeing: Vec::with_capacity(WINDOWS_1),
        }
    }

    /// Takes kernels `[32, 1, 3, 3]` and biases `[32]`.
    pub fn load(&mut self, weight: &[f32], bias: &[f32]) {
        for (part, kernels) in self.kernels.iter_mut().enumerate() {
            *kernels = transform_kernel(std::array::from_fn(|row| {
                std::array::from_fn(|column| {
                    f32x4::new(std::array::from_fn(|lane| {
                        weight[(part * LANES + lane) * TAPS + row * KERNEL_SIDE + column]
                    }))
                })
            }));
        }
        bytemuck::cast_slice_mut(&mut self.bias).copy_from_slice(bias);
        self.blank = self.make([f32x4::ZERO; PATCH]);
    }

    /// Fills `[144][32]` values, and for each how far in the image its place is from its window's
    /// first.
    #[inline(never)]
    pub fn forward(&mut self, image: &[f32; PIXELS], values: &mut [f32x4], picks: &mut [u8]) {
        self.seeing.clear();
        let (values, _) = values.as_chunks_mut::<VECTORS_1>();
        let (picks, _) = picks.as_chunks_mut::<CONV1_CHANNELS>();
        for (window, (values, picks)) in values.iter_mut().zip(picks).enumerate() {
            let corner = corner(window);
            let patch = [0, 1, 2, 3].map(|row| four(image, corner + row * IMAGE_SIDE));
            let [a, b, c, d] = patch;
            let is_blank = (a | b | c | d).simd_eq(f32x4::ZERO).all();
            (*values, *picks) = if is_blank {
                self.blank
            } else {
                self.seeing.push(Seeing {
                    window: window as u16,
                    corner: corner as u16,
                });
                self.make(patch)
            };
        }
    }

    /// What a window makes of the patch that it sees.
    #[inline(always)]
    fn make(&self, patch: [f32x4; PATCH]) -> Made {
        let rows = transform_patch(patch);
        let mut seen = [f32x4::ZERO; POINTS];
        for (seen, value) in seen.iter_mut().zip(bytemuck::cast_slice(&rows)) {
            *seen = f32x4::splat(*value);
        }
        let mut values = [f32x4::ZERO; VECTORS_1];
        let mut places = [Picks::ZERO; VECTORS_1];
        for part in 0..VECTORS_1 {
            let kernels = &self.kernels[part];
            let found = transform_output(|point| seen[point] * kernels[point]);
            (values[part], places[part]) = pool::<{ IMAGE_SIDE as i32 }>(found, self.bias[part]);
        }
        let mut picks = [0; CONV1_CHANNELS];
        let (packed, _) = picks.as_chunks_mut::<PACKED>();
        for (packed, places) in packed.iter_mut().zip(places.as_chunks::<LANES>().0) {
            *packed = bytes(*places);
        }
        (values, picks)
    }

    /// Adds the gradients by kernels and biases of the image that went [`First::forward`] last.
    /// `by_values` loses what the ReLU shut off.
    #[inline(never)]
    pub fn backward(
        &self,
        image: &[f32; PIXELS],
        values: &[f32x4],
        picks: &[u8],
        by_values: &mut [f32x4],
        sums: &mut Sums<'_>,
    ) {
        let mut bias: [f32x4; VECTORS_1] = std::array::from_fn(|part| sums.bias[part]);
        let (by_vectors, _) = by_values.as_chunks_mut::<VECTORS_1>();
        let (values, _) = values.as_chunks::<VECTORS_1>();
        for (by, values) in by_vectors.iter_mut().zip(values) {
            for part in 0..VECTORS_1 {
                by[part] &= values[part].simd_gt(f32x4::ZERO);
                bias[part] += by[part];
            }
        }
        sums.bias.copy_from_slice(&bias);
        let by_values: &[f32] = bytemuck::cast_slice(by_values);
        let (by_values, _) = by_values.as_chunks::<CONV1_CHANNELS>();
        let (picks, _) = picks.as_chunks::<CONV1_CHANNELS>();
        let (rows, _) = sums.rows.as_chunks_mut::<{ 2 * KERNEL_SIDE }>();
        for (pair, rows) in rows.iter_mut().enumerate().take(CONV1_CHANNELS / 2) {
            let mut found = *rows;
            for Seeing { window, corner } in &self.seeing {
                let window = usize::from(*window);
                let (by_values, picks) = (&by_values[window], &picks[window]);
                for one in 0..2 {
                    let channel = 2 * pair + one;
                    let at = usize::from(*corner) + usize::from(picks[channel]);
                    // Always there, as asserted above; this way no other bound is checked.
                    let Some(seen) = image[at..].first_chunk::<REACH>() else {
                        continue;
                    };
                    let by = f32x4::splat(by_values[channel]);
                    for down in 0..KERNEL_SIDE {
                        let first = down * IMAGE_SIDE;
                        let row = std::array::from_fn(|lane| seen[first + lane]);
                        found[one * KERNEL_SIDE + down] += by * f32x4::new(row);
                    }
                }
            }
            *rows = found;
        }
    }
}

/// Four pixels from this one on; at the end of the last row, which no window reaches, none.
#[inline(always)]
fn four(image: &[f32; PIXELS], first: usize) -> f32x4 {
    let pixels = image.get(first..).and_then(|rest| rest.first_chunk());
    pixels.map_or(f32x4::ZERO, |pixels| f32x4::new(*pixels))
}

/// Index of the first pixel that a window sees.
fn corner(window: usize) -> usize {
    (window / SIDE_1 * IMAGE_SIDE + window % SIDE_1) * POOL_SIDE
}

impl Sums<'_> {
    /// Writes them where they belong in the flat vector.
    pub fn write(&self, flat: &mut [f32]) {
        let rows = flat[CONV1_WEIGHT.range()].chunks_exact_mut(KERNEL_SIDE);
        for (row, found) in rows.zip(&*self.rows) {
            row.copy_from_slice(&found.to_array()[..KERNEL_SIDE]);
        }
        flat[CONV1_BIAS.range()].copy_from_slice(bytemuck::cast_slice(self.bias));
    }
}
