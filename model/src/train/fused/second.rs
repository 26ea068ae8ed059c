//! The second block: 32 channels to 64, convolution 3 × 3, bias, ReLU and pooling.
//!
//! Forward by Winograd's tiles, which are pooling windows. What dropout drops is not computed: the
//! mask is known beforehand, so [`Second::forward_kept`] multiplies for the kept units alone, and
//! [`Second::forward`] for all. [`super::lists`] has the way back.

use wide::f32x4;

use super::lists::{HALF, HALVES, half_and_place};
use super::pool::{Picks, bytes, pool};
use super::winograd::{PATCH, POINTS, transform_input, transform_kernel, transform_output};
use super::{FEATURE_VECTORS, LANES, SIDE_1, SIDE_2, VECTORS_1, VECTORS_2, WINDOWS_2};
use crate::batch::Kept;
use crate::spec::{CONV1_CHANNELS, CONV2_CHANNELS, KERNEL_SIDE, POOL_SIDE};

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
/// Output channels of one tile of the product, in vectors.
const TILE_VECTORS: usize = 2;
/// Tiles of the product across the output channels.
const TILES: usize = VECTORS_2 / TILE_VECTORS;
/// Vectors of channels whose picks are packed together.
const PACKED: usize = 4;
/// The distance of rows in [`pool`]'s picks.
const ROW: i32 = SIDE_1 as i32;

/// The block's weights, and room to compute in.
#[derive(Clone, Debug)]
pub struct Second {
    /// `[6][64][3 · 32 / 2]`: halves of the kernels' rows, each with all input channels.
    kernels: Vec<[[f32x4; HALF]; CONV2_CHANNELS]>,
    /// `[16][64][32]`: transformed kernels with the input channel last.
    rows: Vec<[f32x4; VECTORS_1]>,
    /// `[16][8][32]`: the same, two vectors of output channels each; made when first asked for.
    tiles: Vec<[f32x4; TILE_VECTORS]>,
    bias: [f32x4; VECTORS_2],
    /// `[16][25][32]`: the transformed input.
    input: Vec<f32x4>,
    /// `[16][25][64]`: their products; of kept units alone, those that there are in order.
    products: Vec<f32x4>,
    /// The output channels that are kept, window after window, each window's filled up to whole
    /// groups with its last.
    kept: Vec<[u8; LANES]>,
    /// How many groups each window has.
    groups: [usize; WINDOWS_2],
    /// Of each group the values.
    kept_values: Vec<f32x4>,
    /// Of each group where they came from.
    kept_picks: Vec<Picks>,
}

impl Second {
    /// The block without weights.
    pub fn new() -> Self {
        Self {
            kernels: vec![[[f32x4::ZERO; HALF]; CONV2_CHANNELS]; HALVES],
            rows: vec![[f32x4::ZERO; VECTORS_1]; POINTS * CONV2_CHANNELS],
            tiles: Vec::new(),
            bias: [f32x4::ZERO; VECTORS_2],
            input: vec![f32x4::ZERO; POINTS * WINDOWS_2 * VECTORS_1],
            products: vec![f32x4::ZERO; POINTS * FEATURE_VECTORS],
            kept: Vec::with_capacity(FEATURE_VECTORS),
            groups: [0; WINDOWS_2],
            kept_values: vec![f32x4::ZERO; FEATURE_VECTORS],
            kept_picks: vec![Picks::ZERO; FEATURE_VECTORS],
        }
    }

    /// The kernels as [`super::lists::Lists::by_input`] reads them.
    pub fn kernels(&self) -> &[[[f32x4; HALF]; CONV2_CHANNELS]] {
        &self.kernels
    }

    /// Takes kernels `[64, 32, 3, 3]` and biases `[64]`.
    pub fn load(&mut self, weight: &[f32], bias: &[f32]) {
        for (index, taps) in weight.chunks_exact(TAPS).enumerate() {
            let (out, channel) = (index / CONV1_CHANNELS, index % CONV1_CHANNELS);
            for (tap, value) in taps.iter().enumerate() {
                let (half, at) = half_and_place(tap, channel);
                let half: &mut [f32] = bytemuck::cast_slice_mut(&mut self.kernels[half][out]);
                half[at] = *value;
            }
        }
        for out in 0..CONV2_CHANNELS {
            for part in 0..VECTORS_1 {
                let kernel = std::array::from_fn(|row| {
                    std::array::from_fn(|column| {
                        let (half, at) = half_and_place(row * KERNEL_SIDE + column, part * LANES);
                        self.kernels[half][out][at / LANES]
                    })
                });
                for (point, value) in transform_kernel(kernel).into_iter().enumerate() {
                    self.rows[point * CONV2_CHANNELS + out][part] = value;
                }
            }
        }
        self.tiles.clear();
        bytemuck::cast_slice_mut(&mut self.bias).copy_from_slice(bias);
    }

    /// Fills `[25][64]` values, and for each how far its place is from its window's first.
    pub fn forward(&mut self, maps: &[f32x4], values: &mut [f32x4], picks: &mut [u8]) {
        self.transform_input(maps);
        self.make_tiles();
        self.multiply();
        self.pool(values, picks);
    }

    /// As [`Second::forward`], but 0 where dropout does not keep the unit.
    pub fn forward_kept(
        &mut self,
        maps: &[f32x4],
        kept: &Kept,
        values: &mut [f32x4],
        picks: &mut [u8],
    ) {
        self.transform_input(maps);
        self.list_kept(kept);
        self.multiply_kept();
        self.pool_kept(bytemuck::cast_slice_mut(values), picks);
    }

    #[inline(never)]
    fn list_kept(&mut self, kept: &Kept) {
        self.kept.clear();
        for (mut left, groups) in kept.by_window().into_iter().zip(&mut self.groups) {
            let before = self.kept.len();
            while left != 0 {
                let mut channel = 0;
                self.kept.push(std::array::from_fn(|_| {
                    if left != 0 {
                        channel = left.trailing_zeros() as u8;
                        left &= left - 1;
                    }
                    channel
                }));
            }
            *groups = self.kept.len() - before;
        }
    }

    /// At each point and window the products of the input with four kept kernels at a time.
    #[inline(never)]
    fn multiply_kept(&mut self) {
        let (input, _) = self.input.as_chunks::<VECTORS_1>();
        let (input, _) = input.as_chunks::<WINDOWS_2>();
        let (rows, _) = self.rows.as_chunks::<CONV2_CHANNELS>();
        let products = self.products.chunks_exact_mut(FEATURE_VECTORS);
        for ((windows, rows), products) in input.iter().zip(rows).zip(products) {
            let mut groups = self.kept.iter().zip(products);
            for (window, count) in windows.iter().zip(self.groups) {
                let window = *window;
                for (group, product) in groups.by_ref().take(count) {
                    let [a, b, c, d] =
                        group.map(|channel| &rows[usize::from(channel) % CONV2_CHANNELS]);
                    let dots = [
                        dot(&window, a),
                        dot(&window, b),
                        dot(&window, c),
                        dot(&window, d),
                    ];
                    let [a, b, c, d] = f32x4::transpose(dots);
                    *product = (a + b) + (c + d);
                }
            }
        }
    }

    #[inline(never)]
    fn pool_kept(&mut self, values: &mut [f32], picks: &mut [u8]) {
        let bias: &[f32; CONV2_CHANNELS] = bytemuck::cast_ref(&self.bias);
        let found = self.kept_values.iter_mut().zip(&mut self.kept_picks);
        for (index, (group, (value, pick))) in self.kept.iter().zip(found).enumerate() {
            let places = transform_output(|point| self.products[point * FEATURE_VECTORS + index]);
            let bias = group.map(|channel| bias[usize::from(channel) % CONV2_CHANNELS]);
            (*value, *pick) = pool::<ROW>(places, f32x4::new(bias));
        }
        values.fill(0.0);
        picks.fill(0);
        let (values, _) = values.as_chunks_mut::<CONV2_CHANNELS>();
        let (picks, _) = picks.as_chunks_mut::<CONV2_CHANNELS>();
        let mut groups = self
            .kept
            .iter()
            .zip(self.kept_values.iter().zip(&self.kept_picks));
        for ((values, picks), count) in values.iter_mut().zip(picks).zip(self.groups) {
            for (group, (found, places)) in groups.by_ref().take(count) {
                let (found, places) = (found.to_array(), places.to_array());
                for (channel, (value, pick)) in group.iter().zip(found.into_iter().zip(places)) {
                    let channel = usize::from(*channel) % CONV2_CHANNELS;
                    (values[channel], picks[channel]) = (value, pick as u8);
                }
            }
        }
    }

    #[inline(never)]
    fn pool(&self, values: &mut [f32x4], picks: &mut [u8]) {
        let (values, _) = values.as_chunks_mut::<PACKED>();
        let (picks, _) = picks.as_chunks_mut::<{ PACKED * LANES }>();
        for (group, (values, picks)) in values.iter_mut().zip(picks).enumerate() {
            *picks = bytes(std::array::from_fn(|part| {
                let index = group * PACKED + part;
                let at = |point| self.products[point * FEATURE_VECTORS + index];
                let bias = self.bias[index % VECTORS_2];
                let (value, picks) = pool::<ROW>(transform_output(at), bias);
                values[part] = value;
                picks
            }));
        }
    }

    /// Lays the transformed kernels out for all units.
    fn make_tiles(&mut self) {
        if !self.tiles.is_empty() {
            return;
        }
        let zero = [f32x4::ZERO; TILE_VECTORS];
        self.tiles.resize(POINTS * TILES * CONV1_CHANNELS, zero);
        for (index, rows) in self.rows.chunks_exact(LANES).enumerate() {
            let (point, out) = (index / VECTORS_2, index % VECTORS_2);
            let first = (point * TILES + out / TILE_VECTORS) * CONV1_CHANNELS;
            let tiles = self.tiles[first..][..CONV1_CHANNELS].chunks_exact_mut(LANES);
            for (part, tiles) in tiles.enumerate() {
                let four = f32x4::transpose(std::array::from_fn(|row| rows[row][part]));
                for (tile, value) in tiles.iter_mut().zip(four) {
                    tile[out % TILE_VECTORS] = value;
                }
            }
        }
    }

    #[inline(never)]
    fn transform_input(&mut self, maps: &[f32x4]) {
        for window in 0..WINDOWS_2 {
            let corner = (window / SIDE_2 * SIDE_1 + window % SIDE_2) * POOL_SIDE;
            for part in 0..VECTORS_1 {
                let at = |row, column| maps[(corner + row * SIDE_1 + column) * VECTORS_1 + part];
                for (row, line) in transform_input(at).into_iter().enumerate() {
                    for (column, value) in line.into_iter().enumerate() {
                        let point = row * PATCH + column;
                        self.input[(point * WINDOWS_2 + window) * VECTORS_1 + part] = value;
                    }
                }
            }
        }
    }

    /// At each point the product of inputs and kernels: five windows by eight channels at a time,
    /// whose ten sums and two weights fit into registers.
    #[inline(never)]
    fn multiply(&mut self) {
        let input: &[f32] = bytemuck::cast_slice(&self.input);
        let (input, _) = input.as_chunks::<CONV1_CHANNELS>();
        let (windows, _) = input.as_chunks::<SIDE_2>();
        let (weights, _) = self.tiles.as_chunks::<CONV1_CHANNELS>();
        for point in 0..POINTS {
            for tile in 0..TILES {
                let weights = &weights[point * TILES + tile];
                for row in 0..SIDE_2 {
                    let windows = &windows[point * SIDE_2 + row];
                    let mut sums = [[f32x4::ZERO; TILE_VECTORS]; SIDE_2];
                    for channel in 0..CONV1_CHANNELS {
                        let [low, high] = weights[channel];
                        for (window, sums) in windows.iter().zip(&mut sums) {
                            let value = f32x4::splat(window[channel]);
                            sums[0] += value * low;
                            sums[1] += value * high;
                        }
                    }
                    let first = (point * WINDOWS_2 + row * SIDE_2) * VECTORS_2;
                    for (window, sums) in sums.into_iter().enumerate() {
                        let at = first + window * VECTORS_2 + tile * TILE_VECTORS;
                        self.products[at..at + TILE_VECTORS].copy_from_slice(&sums);
                    }
                }
            }
        }
    }
}

/// Four partial sums of the products of a window's input with a kernel's row, added in pairs: one
/// lane of each is what the four lanes of a result are the sums of.
#[inline(always)]
fn dot(window: &[f32x4; VECTORS_1], row: &[f32x4; VECTORS_1]) -> f32x4 {
    let [a, b, c, d] = std::array::from_fn(|part| {
        window[2 * part] * row[2 * part] + window[2 * part + 1] * row[2 * part + 1]
    });
    (a + b) + (c + d)
}
