//! The second block backward, by lists.
//!
//! Of each window one place has a gradient, and only where the ReLU is open and dropout kept the
//! unit. So the gradient by a kernel is a sum over the places where its channel has one, and the
//! gradient by the input a sum over the channels that have one at a place.

use wide::f32x4;

use super::{SIDE_1, SIDE_2, VECTORS_1, VECTORS_2, WINDOWS_1, WINDOWS_2};
use crate::spec::{
    CONV1_CHANNELS, CONV2_BIAS, CONV2_CHANNELS, CONV2_WEIGHT, KERNEL_SIDE, POOL_SIDE,
};

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
/// Half of a kernel's row with all its input channels, in vectors: sums that fit into registers.
pub const HALF: usize = KERNEL_SIDE * VECTORS_1 / 2;
/// Halves of rows of a kernel.
pub const HALVES: usize = 2 * KERNEL_SIDE;
/// Places of the input that a gradient can be at: the corner of what a kernel sees.
const PLACES: usize = (POOL_SIDE * SIDE_2 - 1) * SIDE_1 + POOL_SIDE * SIDE_2;
/// Room for the gradients of a channel, of which each window has one at most.
const CHANNEL_ROOM: usize = 32;
/// Room for the gradients at a place, one a channel. Lists that are a power of two apart would be
/// in each other's way in a cache.
const PLACE_ROOM: usize = CONV2_CHANNELS + 8;

const _: () = assert!(WINDOWS_2 <= CHANNEL_ROOM);
/// What a kernel sees from the last place on is there, and so is each half of its rows.
const _: () = assert!(PLACES - 1 + (KERNEL_SIDE - 1) * (SIDE_1 + 1) < WINDOWS_1);

/// A gradient and where it belongs.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Index of a place or of a channel.
    at: u32,
    by: f32,
}

/// Gradients by the block's weights.
#[derive(Debug)]
pub struct Sums<'a> {
    /// `[6][64][3 · 32 / 2]`: for each half of a row, of each kernel.
    pub kernels: &'a mut [f32x4],
    /// Four channels to a vector.
    pub bias: &'a mut [f32x4],
}

/// Where an image has gradients.
#[derive(Clone, Debug)]
pub struct Lists {
    /// For each output channel, the places of the input it has gradients at.
    by_channel: Vec<[Entry; CHANNEL_ROOM]>,
    channel_lens: [usize; CONV2_CHANNELS],
    /// For each place, the channels that have gradients there.
    by_place: Vec<[Entry; PLACE_ROOM]>,
    place_lens: [usize; PLACES],
}

impl Lists {
    /// Empty lists.
    pub fn new() -> Self {
        Self {
            by_channel: vec![[Entry::default(); CHANNEL_ROOM]; CONV2_CHANNELS],
            channel_lens: [0; CONV2_CHANNELS],
            by_place: vec![[Entry::default(); PLACE_ROOM]; PLACES],
            place_lens: [0; PLACES],
        }
    }

    /// Takes the gradients by the units `[25][64]` of an image, and where each unit came from.
    #[inline(never)]
    pub fn fill(&mut self, picks: &[u8], by_values: &[f32x4]) {
        self.channel_lens.fill(0);
        self.place_lens.fill(0);
        let (by_values, _) = by_values.as_chunks::<VECTORS_2>();
        let (picks, _) = picks.as_chunks::<CONV2_CHANNELS>();
        for (window, (by_values, picks)) in by_values.iter().zip(picks).enumerate() {
            let corner = corner(window);
            let mut left = 0_u64;
            for (part, by) in by_values.iter().enumerate() {
                left |= u64::from(by.simd_ne(f32x4::ZERO).to_bitmask()) << (4 * part);
            }
            let by_values: &[f32; CONV2_CHANNELS] = bytemuck::cast_ref(by_values);
            while left != 0 {
                let channel = left.trailing_zeros() as usize % CONV2_CHANNELS;
                left &= left - 1;
                let by = by_values[channel];
                let place = corner + usize::from(picks[channel]);
                let entry = |at| Entry { at: at as u32, by };
                append(
                    &mut self.by_channel[channel],
                    &mut self.channel_lens[channel],
                    entry(place),
                );
                append(
                    &mut self.by_place[place],
                    &mut self.place_lens[place],
                    entry(channel),
                );
            }
        }
    }

    /// Adds the gradients by kernels and biases.
    #[inline(never)]
    pub fn by_weights(&self, maps: &[f32x4], by_values: &[f32x4], sums: &mut Sums<'_>) {
        let (by_values, _) = by_values.as_chunks::<VECTORS_2>();
        for (part, sum) in sums.bias.iter_mut().enumerate().take(VECTORS_2) {
            for by in by_values {
                *sum += by[part];
            }
        }
        let (kernels, _) = sums.kernels.as_chunks_mut::<HALF>();
        let (kernels, _) = kernels.as_chunks_mut::<CONV2_CHANNELS>();
        // A list is gone through six times in a row, so that a processor foresees where it ends.
        for channel in 0..CONV2_CHANNELS {
            let list = &self.by_channel[channel][..self.channel_lens[channel]];
            for (half, kernels) in kernels.iter_mut().enumerate() {
                let shift = half / 2 * SIDE_1 * VECTORS_1 + half % 2 * HALF;
                let maps = &maps[shift..];
                let sums = &mut kernels[channel];
                let mut found = *sums;
                for entry in list {
                    let first = entry.at as usize * VECTORS_1;
                    // Always there, as asserted above; this way no other bound is checked.
                    let Some(values) = maps[first..].first_chunk::<HALF>() else {
                        continue;
                    };
                    let by = f32x4::splat(entry.by);
                    for (sum, value) in found.iter_mut().zip(values) {
                        *sum += by * *value;
                    }
                }
                *sums = found;
            }
        }
    }

    /// Fills the gradients by the input, of kernels `[6][64][3 · 32 / 2]`.
    #[inline(never)]
    pub fn by_input(&self, kernels: &[[[f32x4; HALF]; CONV2_CHANNELS]], by_maps: &mut [f32x4]) {
        by_maps.fill(f32x4::ZERO);
        let (kernels, _) = kernels.as_chunks::<2>();
        for (row, kernels) in kernels.iter().enumerate() {
            let lists = self.by_place.iter().zip(self.place_lens);
            for (place, (list, len)) in lists.enumerate() {
                let list = &list[..len];
                for (half, kernels) in kernels.iter().enumerate() {
                    let half = 2 * row + half;
                    let shift = half / 2 * SIDE_1 * VECTORS_1 + half % 2 * HALF;
                    let first = shift + place * VECTORS_1;
                    // Always there, as asserted above.
                    let Some(sums) = by_maps[first..].first_chunk_mut::<HALF>() else {
                        continue;
                    };
                    let mut found = *sums;
                    for entry in list {
                        let by = f32x4::splat(entry.by);
                        let kernel = &kernels[entry.at as usize % CONV2_CHANNELS];
                        for (sum, value) in found.iter_mut().zip(kernel) {
                            *sum += by * *value;
                        }
                    }
                    *sums = found;
                }
            }
        }
    }
}

/// Index of the first place that a window covers.
fn corner(window: usize) -> usize {
    (window / SIDE_2 * SIDE_1 + window % SIDE_2) * POOL_SIDE
}

#[inline(always)]
fn append<const ROOM: usize>(list: &mut [Entry; ROOM], len: &mut usize, entry: Entry) {
    if let Some(free) = list.get_mut(*len) {
        *free = entry;
        *len += 1;
    }
}

/// Where the half of a kernel's row that a tap of an input channel is in stands, and where in it.
pub fn half_and_place(tap: usize, channel: usize) -> (usize, usize) {
    let at = tap % KERNEL_SIDE * CONV1_CHANNELS + channel;
    let half = HALF * super::LANES;
    (tap / KERNEL_SIDE * 2 + at / half, at % half)
}

impl Sums<'_> {
    /// Writes them where they belong in the flat vector.
    pub fn write(&self, flat: &mut [f32]) {
        let kernels: &[f32] = bytemuck::cast_slice(self.kernels);
        let channels = flat[CONV2_WEIGHT.range()].chunks_exact_mut(TAPS);
        for (index, taps) in channels.enumerate() {
            let (out, channel) = (index / CONV1_CHANNELS, index % CONV1_CHANNELS);
            for (tap, value) in taps.iter_mut().enumerate() {
                let (half, at) = half_and_place(tap, channel);
                *value = kernels[(half * CONV2_CHANNELS + out) * HALF * super::LANES + at];
            }
        }
        flat[CONV2_BIAS.range()].copy_from_slice(bytemuck::cast_slice(self.bias));
    }
}
