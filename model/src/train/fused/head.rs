//! Dropout, the dense layer, softmax and cross-entropy.

use wide::f32x4;

use super::{FEATURE_VECTORS, LANES, WINDOWS_2, add_all};
use crate::spec::{CLASSES, CONV2_CHANNELS, FC_BIAS, FC_WEIGHT, FEATURES};

/// The dense layer's weights.
#[derive(Clone, Debug)]
pub struct Head {
    /// `[25 · 64 / 4][10]` vectors of features.
    weights: Vec<[f32x4; CLASSES]>,
    bias: [f32; CLASSES],
}

/// Gradients by the dense layer's weights.
#[derive(Clone, Debug)]
pub struct Sums {
    weights: Vec<[f32x4; CLASSES]>,
    bias: [f32; CLASSES],
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
    /// features, and gives its logits.
    #[inline(never)]
    pub fn learn(
        &self,
        features: &[f32x4],
        factors: &[f32x4],
        label: u8,
        share: f32,
        by_features: &mut [f32x4],
        sums: &mut Sums,
    ) -> [f32; CLASSES] {
        for ((kept, feature), factor) in by_features.iter_mut().zip(features).zip(factors) {
            *kept = *feature * *factor;
        }
        let logits = self.forward(by_features);
        let mut by_logits = softmax(&logits);
        if let Some(by) = by_logits.get_mut(usize::from(label)) {
            *by -= 1.0;
        }
        for (by, sum) in by_logits.iter_mut().zip(&mut sums.bias) {
            *by *= share;
            *sum += *by;
        }
        let by_logits = by_logits.map(f32x4::splat);
        for index in 0..FEATURE_VECTORS {
            let kept = by_features[index];
            let (weights, sums) = (&self.weights[index], &mut sums.weights[index]);
            let mut by = f32x4::ZERO;
            for class in 0..CLASSES {
                sums[class] += kept * by_logits[class];
                by += weights[class] * by_logits[class];
            }
            by_features[index] = (by * factors[index]) & features[index].simd_gt(f32x4::ZERO);
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

impl Sums {
    /// No gradients yet.
    pub fn zero() -> Self {
        Self {
            weights: vec![[f32x4::ZERO; CLASSES]; FEATURE_VECTORS],
            bias: [0.0; CLASSES],
        }
    }

    /// Adds those of other images.
    pub fn add(&mut self, other: &Self) {
        add_all(
            self.weights.as_flattened_mut(),
            other.weights.as_flattened(),
        );
        for (sum, other) in self.bias.iter_mut().zip(other.bias) {
            *sum += other;
        }
    }

    /// Writes them where they belong in the flat vector.
    pub fn write(&self, flat: &mut [f32]) {
        let weights = &mut flat[FC_WEIGHT.range()];
        for (part, classes) in self.weights.iter().enumerate() {
            for (class, found) in classes.iter().enumerate() {
                for (lane, value) in found.to_array().into_iter().enumerate() {
                    weights[class * FEATURES + flat_index(part * LANES + lane)] = value;
                }
            }
        }
        flat[FC_BIAS.range()].copy_from_slice(&self.bias);
    }
}
