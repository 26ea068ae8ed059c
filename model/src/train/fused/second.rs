//! The second block: 32 channels to 64, convolution 3 × 3, bias, ReLU and pooling.
//!
//! Forward by Winograd's tiles, which are pooling windows. What dropout drops is not computed: the
//! mask is known beforehand, so [`Second::forward_kept`] multiplies for the kept units alone, and
//! [`Second::forward`] for all. Backward by lists: of each window one
//! place has a gradient, so the gradient by a kernel is a sum over the places where its channel
//! has one, and the gradient by the input a sum over the channels that have one at a place.

use wide::f32x4;

use super::pool::pool;
use super::winograd::{PATCH, POINTS, transform_input, transform_kernel, transform_output};
use super::{
    FEATURE_VECTORS, LANES, SIDE_1, SIDE_2, VECTORS_1, VECTORS_2, WINDOWS_1, WINDOWS_2, add_all,
};
use crate::spec::{
    CONV1_CHANNELS, CONV2_BIAS, CONV2_CHANNELS, CONV2_WEIGHT, KERNEL_SIDE, POOL_SIDE,
};

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
/// Output channels of one tile of the product, in vectors.
const TILE_VECTORS: usize = 2;
/// Tiles of the product across the output channels.
const TILES: usize = VECTORS_2 / TILE_VECTORS;
/// Places along a side where the block has outputs that are pooled.
const PLACES: usize = POOL_SIDE * SIDE_2;
/// Vectors of one row of a kernel, all input channels.
const ROW: usize = KERNEL_SIDE * VECTORS_1;
/// Half of them: sums that fit into registers.
const HALF: usize = ROW / 2;

/// A gradient and where it belongs.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Index of a vector.
    at: u32,
    by: f32,
}

/// The block's weights, and room to compute in.
#[derive(Clone, Debug)]
pub struct Second {
    /// `[16][64][32]`: transformed kernels with the input channel last.
    rows: Vec<[f32x4; VECTORS_1]>,
    /// `[16][8][32]`: the same, two vectors of output channels each; made when first asked for.
    tiles: Vec<[f32x4; TILE_VECTORS]>,
    /// `[64][3][3 · 32]`: kernels with the input channel last.
    kernels: Vec<f32x4>,
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
    /// For each output channel, the places of the input it has gradients at.
    by_channel: Vec<Vec<Entry>>,
    /// For each place, the kernels that have gradients there.
    by_place: Vec<Vec<Entry>>,
}

/// Gradients by the block's weights.
#[derive(Clone, Debug)]
pub struct Sums {
    /// `[64][3][3 · 32]`.
    kernels: Vec<f32x4>,
    bias: [f32x4; VECTORS_2],
}

impl Second {
    /// The block without weights.
    pub fn new() -> Self {
        Self {
            rows: vec![[f32x4::ZERO; VECTORS_1]; POINTS * CONV2_CHANNELS],
            tiles: Vec::new(),
            kernels: vec![f32x4::ZERO; CONV2_CHANNELS * KERNEL_SIDE * ROW],
            bias: [f32x4::ZERO; VECTORS_2],
            input: vec![f32x4::ZERO; POINTS * WINDOWS_2 * VECTORS_1],
            products: vec![f32x4::ZERO; POINTS * FEATURE_VECTORS],
            kept: Vec::with_capacity(FEATURE_VECTORS),
            groups: [0; WINDOWS_2],
            by_channel: vec![Vec::new(); CONV2_CHANNELS],
            by_place: vec![Vec::new(); PLACES * PLACES],
        }
    }

    /// Takes kernels `[64, 32, 3, 3]` and biases `[64]`.
    pub fn load(&mut self, weight: &[f32], bias: &[f32]) {
        let kernels: &mut [f32] = bytemuck::cast_slice_mut(&mut self.kernels);
        for (index, taps) in weight.chunks_exact(TAPS).enumerate() {
            let (out, channel) = (index / CONV1_CHANNELS, index % CONV1_CHANNELS);
            for (tap, value) in taps.iter().enumerate() {
                kernels[(out * TAPS + tap) * CONV1_CHANNELS + channel] = *value;
            }
        }
        for (out, taps) in self.kernels.chunks_exact(TAPS * VECTORS_1).enumerate() {
            for part in 0..VECTORS_1 {
                let kernel = std::array::from_fn(|row| {
                    std::array::from_fn(|column| {
                        taps[(row * KERNEL_SIDE + column) * VECTORS_1 + part]
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

    /// Fills `[25][64]` values and where they came from.
    pub fn forward(&mut self, maps: &[f32x4], values: &mut [f32x4], picks: &mut [u32]) {
        self.transform_input(maps);
        self.make_tiles();
        self.multiply();
        for index in 0..FEATURE_VECTORS {
            let places = transform_output(|point| self.products[point * FEATURE_VECTORS + index]);
            (values[index], picks[index]) = pool(places, self.bias[index % VECTORS_2]);
        }
    }

    /// As [`Second::forward`], but 0 where the factor of dropout, `[25][64]`, is 0.
    pub fn forward_kept(
        &mut self,
        maps: &[f32x4],
        factors: &[f32x4],
        values: &mut [f32x4],
        picks: &mut [u32],
    ) {
        self.transform_input(maps);
        self.list_kept(factors);
        self.multiply_kept();
        self.pool_kept(
            bytemuck::cast_slice_mut(values),
            bytemuck::cast_slice_mut(picks),
        );
    }

    fn list_kept(&mut self, factors: &[f32x4]) {
        self.kept.clear();
        for (factors, groups) in factors.chunks_exact(VECTORS_2).zip(&mut self.groups) {
            let before = self.kept.len();
            let mut group = [0; LANES];
            let mut count = 0;
            let masks = factors
                .iter()
                .map(|four| four.simd_ne(f32x4::ZERO).to_bitmask());
            for (part, mut mask) in masks.enumerate() {
                while mask != 0 {
                    let channel = (part * LANES) as u8 + mask.trailing_zeros() as u8;
                    mask &= mask - 1;
                    group[count % LANES..].fill(channel);
                    count += 1;
                    if count % LANES == 0 {
                        self.kept.push(group);
                    }
                }
            }
            if count % LANES != 0 {
                self.kept.push(group);
            }
            *groups = self.kept.len() - before;
        }
    }

    /// At each point and window the products of the input with four kept kernels at a time.
    #[inline(never)]
    fn multiply_kept(&mut self) {
        let (input, _) = self.input.as_chunks::<VECTORS_1>();
        let (input, _) = input.as_chunks::<WINDOWS_2>();
        // A loop whose length the compiler knows is unrolled, and its sums no longer stay in
        // registers in a browser.
        let parts = std::hint::black_box(VECTORS_1);
        let (rows, _) = self.rows.as_chunks::<CONV2_CHANNELS>();
        let products = self.products.chunks_exact_mut(FEATURE_VECTORS);
        for ((windows, rows), products) in input.iter().zip(rows).zip(products) {
            let mut groups = self.kept.iter().zip(products);
            for (window, count) in windows.iter().zip(self.groups) {
                let window = &window[..parts];
                for (group, product) in groups.by_ref().take(count) {
                    let [first, second, third, fourth] =
                        group.map(|channel| &rows[usize::from(channel) % CONV2_CHANNELS][..parts]);
                    let mut dots = [f32x4::ZERO; LANES];
                    let rows = first.iter().zip(second).zip(third.iter().zip(fourth));
                    for (value, ((first, second), (third, fourth))) in window.iter().zip(rows) {
                        dots[0] += *value * *first;
                        dots[1] += *value * *second;
                        dots[2] += *value * *third;
                        dots[3] += *value * *fourth;
                    }
                    let [a, b, c, d] = f32x4::transpose(dots);
                    *product = (a + b) + (c + d);
                }
            }
        }
    }

    #[inline(never)]
    fn pool_kept(&self, values: &mut [f32], picks: &mut [u8]) {
        values.fill(0.0);
        picks.fill(0);
        let bias: &[f32] = bytemuck::cast_slice(&self.bias);
        let windows = self
            .groups
            .iter()
            .enumerate()
            .flat_map(|(window, count)| std::iter::repeat_n(window, *count));
        for (index, (window, group)) in windows.zip(&self.kept).enumerate() {
            let places = transform_output(|point| self.products[point * FEATURE_VECTORS + index]);
            let bias = f32x4::new(group.map(|channel| bias[usize::from(channel)]));
            let (found, places) = pool(places, bias);
            let found = found.to_array().into_iter().zip(places.to_le_bytes());
            for (channel, (value, pick)) in group.iter().zip(found) {
                let at = window * CONV2_CHANNELS + usize::from(*channel);
                (values[at], picks[at]) = (value, pick);
            }
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

    /// Adds the gradients by kernels and biases of one image, and fills the gradients by its input.
    pub fn backward(
        &mut self,
        maps: &[f32x4],
        picks: &[u32],
        by_values: &[f32x4],
        by_maps: &mut [f32x4],
        sums: &mut Sums,
    ) {
        for by in by_values.chunks_exact(VECTORS_2) {
            add_all(&mut sums.bias, by);
        }
        self.list(picks, by_values);
        self.by_kernels(maps, sums);
        self.by_input(by_maps);
    }

    #[inline(never)]
    fn list(&mut self, picks: &[u32], by_values: &[f32x4]) {
        self.by_channel.iter_mut().for_each(Vec::clear);
        self.by_place.iter_mut().for_each(Vec::clear);
        let by_values: &[f32] = bytemuck::cast_slice(by_values);
        let picks: &[u8] = bytemuck::cast_slice(picks);
        for (unit, (by, pick)) in by_values.iter().zip(picks).enumerate() {
            if *by == 0.0 {
                continue;
            }
            let (window, channel) = (unit / CONV2_CHANNELS, unit % CONV2_CHANNELS);
            let pick = usize::from(*pick);
            let row = window / SIDE_2 * POOL_SIDE + (pick >> 1);
            let column = window % SIDE_2 * POOL_SIDE + (pick & 1);
            self.by_channel[channel].push(Entry {
                at: ((row * SIDE_1 + column) * VECTORS_1) as u32,
                by: *by,
            });
            self.by_place[row * PLACES + column].push(Entry {
                at: (channel * KERNEL_SIDE * ROW) as u32,
                by: *by,
            });
        }
    }

    #[inline(never)]
    fn by_kernels(&self, maps: &[f32x4], sums: &mut Sums) {
        let (parts, _) = sums.kernels.as_chunks_mut::<HALF>();
        for (index, sums) in parts.iter_mut().enumerate() {
            let (channel, part) = (index / (2 * KERNEL_SIDE), index % (2 * KERNEL_SIDE));
            let shift = part / 2 * SIDE_1 * VECTORS_1 + part % 2 * HALF;
            accumulate(sums, &self.by_channel[channel], &maps[shift..]);
        }
    }

    #[inline(never)]
    fn by_input(&self, by_maps: &mut [f32x4]) {
        by_maps.fill(f32x4::ZERO);
        for part in 0..2 * KERNEL_SIDE {
            let kernels = &self.kernels[part * HALF..];
            for (place, entries) in self.by_place.iter().enumerate() {
                let (row, column) = (place / PLACES + part / 2, place % PLACES);
                let at = (row * SIDE_1 + column) * VECTORS_1 + part % 2 * HALF;
                if let Some(sums) = by_maps[at..].first_chunk_mut::<HALF>() {
                    accumulate(sums, entries, kernels);
                }
            }
        }
    }
}

/// Adds to the sums, for each entry, its gradient times what stands at its place.
#[inline(always)]
fn accumulate(sums: &mut [f32x4; HALF], entries: &[Entry], values: &[f32x4]) {
    let mut found = *sums;
    for entry in entries {
        let by = f32x4::splat(entry.by);
        let values = &values[entry.at as usize..][..HALF];
        for (sum, value) in found.iter_mut().zip(values) {
            *sum += by * *value;
        }
    }
    *sums = found;
}

impl Sums {
    /// No gradients yet.
    pub fn zero() -> Self {
        Self {
            kernels: vec![f32x4::ZERO; CONV2_CHANNELS * KERNEL_SIDE * ROW],
            bias: [f32x4::ZERO; VECTORS_2],
        }
    }

    /// Adds those of other images.
    pub fn add(&mut self, other: &Self) {
        add_all(&mut self.kernels, &other.kernels);
        add_all(&mut self.bias, &other.bias);
    }

    /// Writes them where they belong in the flat vector.
    pub fn write(&self, flat: &mut [f32]) {
        let kernels: &[f32] = bytemuck::cast_slice(&self.kernels);
        let channels = flat[CONV2_WEIGHT.range()].chunks_exact_mut(TAPS);
        for (index, taps) in channels.enumerate() {
            let (out, channel) = (index / CONV1_CHANNELS, index % CONV1_CHANNELS);
            for (tap, value) in taps.iter_mut().enumerate() {
                *value = kernels[(out * TAPS + tap) * CONV1_CHANNELS + channel];
            }
        }
        flat[CONV2_BIAS.range()].copy_from_slice(bytemuck::cast_slice(&self.bias));
    }
}

const _: () = assert!(WINDOWS_1 == (PLACES + KERNEL_SIDE - 1) * (PLACES + KERNEL_SIDE - 1));
