//! The second block: 32 channels to 64, convolution 3 × 3, bias, ReLU and pooling.
//!
//! Forward by Winograd's F(2 × 2, 3 × 3) (Lavin and Gray 2016, section 4.1), whose output tile is
//! exactly one pooling window: 16 products instead of 36. Backward by lists: of each window one
//! place has a gradient, so the gradient by a kernel is a sum over the places where its channel
//! has one, and the gradient by the input a sum over the channels that have one at a place.

use wide::f32x4;

use super::pool::pool;
use super::{LANES, SIDE_1, SIDE_2, VECTORS_1, VECTORS_2, WINDOWS_1, WINDOWS_2, add_all};
use crate::spec::{
    CONV1_CHANNELS, CONV2_BIAS, CONV2_CHANNELS, CONV2_WEIGHT, KERNEL_SIDE, POOL_SIDE,
};

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
/// Places along a side of what one window sees, and of a transformed kernel.
const PATCH: usize = KERNEL_SIDE + POOL_SIDE - 1;
/// Points of the transform.
const POINTS: usize = PATCH * PATCH;
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
    /// `[16][8][32]`: transformed kernels, two vectors of output channels each.
    transformed: Vec<[f32x4; TILE_VECTORS]>,
    /// `[64][3][3 · 32]`: kernels with the input channel last.
    kernels: Vec<f32x4>,
    bias: [f32x4; VECTORS_2],
    /// `[16][25][32]`: the transformed input.
    input: Vec<f32x4>,
    /// `[16][25][64]`: their products.
    products: Vec<f32x4>,
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
    /// The block of kernels `[64, 32, 3, 3]` and biases `[64]`.
    pub fn new(weight: &[f32], bias: &[f32]) -> Self {
        let tap = |out: usize, channel: usize, tap: usize| {
            weight[(out * CONV1_CHANNELS + channel) * TAPS + tap]
        };
        let zero = [f32x4::ZERO; TILE_VECTORS];
        let mut transformed = vec![zero; POINTS * TILES * CONV1_CHANNELS];
        for part in 0..VECTORS_2 {
            for channel in 0..CONV1_CHANNELS {
                let kernel = std::array::from_fn(|row| {
                    std::array::from_fn(|column| {
                        f32x4::new(std::array::from_fn(|lane| {
                            tap(part * LANES + lane, channel, row * KERNEL_SIDE + column)
                        }))
                    })
                });
                let tile = part / TILE_VECTORS;
                for (point, value) in transform_kernel(kernel).into_iter().enumerate() {
                    let row = (point * TILES + tile) * CONV1_CHANNELS + channel;
                    transformed[row][part % TILE_VECTORS] = value;
                }
            }
        }
        let kernels = (0..CONV2_CHANNELS * TAPS * VECTORS_1).map(|index| {
            let (out, rest) = (index / (TAPS * VECTORS_1), index % (TAPS * VECTORS_1));
            let (place, part) = (rest / VECTORS_1, rest % VECTORS_1);
            f32x4::new(std::array::from_fn(|lane| {
                tap(out, part * LANES + lane, place)
            }))
        });
        Self {
            transformed,
            kernels: kernels.collect(),
            bias: std::array::from_fn(|part| {
                f32x4::new(std::array::from_fn(|lane| bias[part * LANES + lane]))
            }),
            input: vec![f32x4::ZERO; POINTS * WINDOWS_2 * VECTORS_1],
            products: vec![f32x4::ZERO; POINTS * WINDOWS_2 * VECTORS_2],
            by_channel: vec![Vec::new(); CONV2_CHANNELS],
            by_place: vec![Vec::new(); PLACES * PLACES],
        }
    }

    /// Fills `[25][64]` values and where they came from.
    pub fn forward(&mut self, maps: &[f32x4], values: &mut [f32x4], picks: &mut [u32]) {
        self.transform_input(maps);
        self.multiply();
        for index in 0..WINDOWS_2 * VECTORS_2 {
            let places =
                transform_output(|point| self.products[point * WINDOWS_2 * VECTORS_2 + index]);
            (values[index], picks[index]) = pool(places, self.bias[index % VECTORS_2]);
        }
    }

    #[inline(never)]
    fn transform_input(&mut self, maps: &[f32x4]) {
        for window in 0..WINDOWS_2 {
            let corner = (window / SIDE_2 * SIDE_1 + window % SIDE_2) * POOL_SIDE;
            for part in 0..VECTORS_1 {
                let at = |row, column| maps[(corner + row * SIDE_1 + column) * VECTORS_1 + part];
                let columns: [[f32x4; PATCH]; PATCH] = std::array::from_fn(|column| {
                    transform_line(std::array::from_fn(|row| at(row, column)))
                });
                for row in 0..PATCH {
                    let line = transform_line(columns.map(|column| column[row]));
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
        let (weights, _) = self.transformed.as_chunks::<CONV1_CHANNELS>();
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

/// Bᵀ d, of one column or row of the input.
#[inline(always)]
fn transform_line([a, b, c, d]: [f32x4; PATCH]) -> [f32x4; PATCH] {
    [a - c, b + c, c - b, b - d]
}

/// G g Gᵀ.
fn transform_kernel(kernel: [[f32x4; KERNEL_SIDE]; KERNEL_SIDE]) -> [f32x4; POINTS] {
    let half = f32x4::splat(0.5);
    let line = |[a, b, c]: [f32x4; KERNEL_SIDE]| {
        let (outer, inner) = ((a + c) * half, b * half);
        [a, outer + inner, outer - inner, c]
    };
    let mut columns = [[f32x4::ZERO; KERNEL_SIDE]; PATCH];
    for column in 0..KERNEL_SIDE {
        let down = line(std::array::from_fn(|row| kernel[row][column]));
        for (row, value) in down.into_iter().enumerate() {
            columns[row][column] = value;
        }
    }
    let mut points = [f32x4::ZERO; POINTS];
    for (points, row) in points.chunks_exact_mut(PATCH).zip(columns) {
        points.copy_from_slice(&line(row));
    }
    points
}

/// Aᵀ m A: the four places of a window.
#[inline(always)]
fn transform_output(product: impl Fn(usize) -> f32x4) -> [f32x4; POOL_SIDE * POOL_SIDE] {
    let row = |row: usize| {
        let [a, b, c, d] = std::array::from_fn(|column| product(row * PATCH + column));
        [a + (b + c), (b - c) - d]
    };
    let [first, second, third, fourth] = [row(0), row(1), row(2), row(3)];
    let top = |side: usize| first[side] + second[side] + third[side];
    let bottom = |side: usize| second[side] - third[side] - fourth[side];
    [top(0), top(1), bottom(0), bottom(1)]
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
