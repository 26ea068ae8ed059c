//! Dropout, the dense layer, softmax and cross-entropy.

use wide::f32x4;

use super::{FEATURE_VECTORS, LANES, WINDOWS_2};
use crate::spec::{CLASSES, CONV2_CHANNELS, FC_BIAS, FC_WEIGHT, FEATURES};

/// The dense layer's weights.
#[derive(Clone, Debug)]
pub struct Head {
    /// `[25 · 64 / 4][10]` vectors of features.
    weights: Vec<[f32x4; CLASSES]>,
    bias: [f32; CLASSES],
}

/// Gradients by the dense layer's weights.
#[derive(Debug)]
pub struct Sums<'a> {
    /// `[25 · 64 / 4][10]` vectors of features.
    pub weights: &'a mut [f32x4],
    /// `[10]`, and nothing behind them.
    pub bias: &'a mut [f32x4],
}

/// Where a feature of `[25][64]` stands in the flat `[64][25]`.
fn flat_index(feature: usize) -> usize {
    feature % CONV2_CHANNELS * WINDOWS_2 + feature / CONV2_CHANNELS
}

impl Head {
    /// The layer without weights.
    pub fn new() -> Self {
        Self {
            weights: vec![[f32x4::ZERO; CLASSES]; FEATURE_VECTORS],
            bias: [0.0; CLASSES],
        }
    }

    /// Takes weights `[10, 1600]` and biases `[10]`.
    pub fn load(&mut self, weight: &[f32], bias: &[f32]) {
        for (part, classes) in self.weights.iter_mut().enumerate() {
            for (class, vector) in classes.iter_mut().enumerate() {
                *vector = f32x4::new(std::array::from_fn(|lane| {
                    weight[class * FEATURES + flat_index(part * LANES + lane)]
                }));
            }
        }
        self.bias.copy_from_slice(bias);
    }

    /// The logits of an image's features.
    #[inline(never)]
    pub fn forward(&self, features: &[f32x4]) -> [f32; CLASSES] {
        let mut sums = [f32x4::ZERO; CLASSES];
        for (feature, weights) in features.iter().zip(&self.weights) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += *feature * *weight;
            }
        }
        std::array::from_fn(|class| {
            let [a, b, c, d] = sums[class].to_array();
            (a + b) + (c + d) + self.bias[class]
        })
    }

    /// Adds the gradients of one image, whose loss counts `share`, fills the gradients by its
    /// features, and gives its logits. `factor` is what dropout multiplies those features by that
    /// it keeps; the others are 0.
    #[inline(never)]
    pub fn learn(
        &self,
        features: &[f32x4],
        factor: f32,
        label: u8,
        share: f32,
        by_features: &mut [f32x4],
        sums: &mut Sums<'_>,
    ) -> [f32; CLASSES] {
        let factor = f32x4::splat(factor);
        for (kept, feature) in by_features.iter_mut().zip(features) {
            *kept = *feature * factor;
        }
        let logits = self.forward(by_features);
        let mut by_logits = softmax(&logits);
        if let Some(by) = by_logits.get_mut(usize::from(label)) {
            *by -= 1.0;
        }
        let bias: &mut [f32] = bytemuck::cast_slice_mut(sums.bias);
        for (by, sum) in by_logits.iter_mut().zip(bias) {
            *by *= share;
            *sum += *by;
        }
        let by_logits = by_logits.map(f32x4::splat);
        let (sums, _) = sums.weights.as_chunks_mut::<CLASSES>();
        let layer = self.weights.iter().zip(sums);
        for ((by_feature, feature), (weights, sums)) in
            by_features.iter_mut().zip(features).zip(layer)
        {
            let mut by = f32x4::ZERO;
            for class in 0..CLASSES {
                sums[class] += *by_feature * by_logits[class];
                by += weights[class] * by_logits[class];
            }
            *by_feature = (by * factor) & feature.simd_gt(f32x4::ZERO);
        }
        logits
    }
}

/// Shares of e to the power of each logit, by the exponential of the crate `libm`, which has the
/// same bits on every platform.
fn softmax(logits: &[f32; CLASSES]) -> [f32; CLASSES] {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers = logits.map(|logit| libm::expf(logit - largest));
    let total: f32 = powers.iter().sum();
    powers.map(|power| power / total)
}

impl Sums<'_> {
    /// Writes them where they belong in the flat vector.
    pub fn write(&self, flat: &mut [f32]) {
        let weights = &mut flat[FC_WEIGHT.range()];
        let (parts, _) = self.weights.as_chunks::<CLASSES>();
        for (part, classes) in parts.iter().enumerate() {
            for (class, found) in classes.iter().enumerate() {
                for (lane, value) in found.to_array().into_iter().enumerate() {
                    weights[class * FEATURES + flat_index(part * LANES + lane)] = value;
                }
            }
        }
        let bias: &[f32] = bytemuck::cast_slice(self.bias);
        flat[FC_BIAS.range()].copy_from_slice(&bias[..CLASSES]);
    }
}
