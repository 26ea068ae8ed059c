//! The sums of gradients as the kernels make them, one after the other.

use std::ops::Range;

use wide::f32x4;

use super::lists::{HALF, HALVES};
use super::{FEATURE_VECTORS, LANES, VECTORS_1, VECTORS_2, first, head, lists};
use crate::spec::{CLASSES, CONV1_CHANNELS, CONV2_CHANNELS, KERNEL_SIDE, PARAMETER_COUNT};

/// Where each part begins, in vectors.
const FIRST_BIAS: usize = CONV1_CHANNELS * KERNEL_SIDE;
const KERNELS: usize = FIRST_BIAS + VECTORS_1;
const SECOND_BIAS: usize = KERNELS + HALVES * CONV2_CHANNELS * HALF;
const DENSE: usize = SECOND_BIAS + VECTORS_2;
const DENSE_BIAS: usize = DENSE + FEATURE_VECTORS * CLASSES;
const LEN: usize = DENSE_BIAS + CLASSES.div_ceil(LANES);

/// Sums of gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums(Vec<f32x4>);

/// The sums of each layer.
pub struct Parts<'a> {
    /// The first block's.
    pub first: first::Sums<'a>,
    /// The second block's.
    pub second: lists::Sums<'a>,
    /// The dense layer's.
    pub head: head::Sums<'a>,
}

impl Default for Sums {
    fn default() -> Self {
        Self(vec![f32x4::ZERO; LEN])
    }
}

impl Sums {
    /// Back to nothing.
    pub fn clear(&mut self) {
        self.0.fill(f32x4::ZERO);
    }

    /// Adds those of other images.
    pub fn add(&mut self, others: &Self) {
        for (sum, other) in self.0.iter_mut().zip(&others.0) {
            *sum += *other;
        }
    }

    /// The numbers of which [`Sums::of_numbers`] makes the same sums.
    pub fn numbers(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }

    /// Sums of so many numbers, which `fill` writes; `None` where those are too few or too many.
    pub fn of_numbers(len: usize, fill: impl FnOnce(&mut [f32])) -> Option<Self> {
        (len == LEN * LANES).then(|| {
            let mut sums = Self::default();
            fill(bytemuck::cast_slice_mut(&mut sums.0));
            sums
        })
    }

    /// The sums of each layer.
    pub fn parts(&mut self) -> Parts<'_> {
        let mut rest = self.0.as_mut_slice();
        let mut next = |range: Range<usize>| rest.split_off_mut(..range.len()).unwrap_or_default();
        Parts {
            first: first::Sums {
                rows: next(0..FIRST_BIAS),
                bias: next(FIRST_BIAS..KERNELS),
            },
            second: lists::Sums {
                kernels: next(KERNELS..SECOND_BIAS),
                bias: next(SECOND_BIAS..DENSE),
            },
            head: head::Sums {
                weights: next(DENSE..DENSE_BIAS),
                bias: next(DENSE_BIAS..LEN),
            },
        }
    }

    /// One value a parameter, in the order of [`crate::spec::PARAMETERS`].
    pub fn flat(mut self) -> Vec<f32> {
        let mut flat = vec![0.0; PARAMETER_COUNT];
        let parts = self.parts();
        parts.first.write(&mut flat);
        parts.second.write(&mut flat);
        parts.head.write(&mut flat);
        flat
    }
}
