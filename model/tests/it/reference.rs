//! The network written down plainly, in 64 bits: what every other way to compute it is held
//! against.

use kiln_model::batch::Batch;
use kiln_model::spec::{
    CLASSES, CONV1_BIAS, CONV1_WEIGHT, CONV2_BIAS, CONV2_WEIGHT, FC_BIAS, FC_WEIGHT, FEATURES,
    IMAGE_SIDE, KERNEL_SIDE, PIXELS, POOL_SIDE, Parameter,
};

/// Maps `[channels, side, side]`.
struct Maps {
    values: Vec<f64>,
    side: usize,
    /// How far the nearest of the units that made them is from where its gradient jumps: where its
    /// ReLU opens, or another place of its window becomes the largest.
    nearest_kink: f64,
}

/// The mean softmax cross-entropy of a batch, with dropout.
pub fn loss(weights: &[f64], batch: &Batch) -> f64 {
    let factors = batch.dropout.as_ref().map(|dropout| dropout.factors());
    let images = images(batch).zip(&batch.labels);
    let losses = images.enumerate().map(|(image, (pixels, label))| {
        let mut features = blocks(weights, pixels)[1].values.clone();
        if let Some(factors) = &factors {
            let factors = &factors[image * FEATURES..][..FEATURES];
            for (feature, factor) in features.iter_mut().zip(factors) {
                *feature *= f64::from(*factor);
            }
        }
        let logits = logits(weights, &features);
        let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
        total.ln() - logits[usize::from(*label)]
    });
    losses.sum::<f64>() / batch.labels.len() as f64
}

/// How far the nearest unit is from where its gradient jumps.
pub fn nearest_kink(weights: &[f64], batch: &Batch) -> f64 {
    let all = images(batch).flat_map(|pixels| blocks(weights, pixels));
    all.map(|maps| maps.nearest_kink).fold(f64::MAX, f64::min)
}

fn images(batch: &Batch) -> impl Iterator<Item = Maps> {
    batch.pixels.chunks(PIXELS).map(|pixels| Maps {
        values: pixels.iter().map(|pixel| f64::from(*pixel)).collect(),
        side: IMAGE_SIDE,
        nearest_kink: f64::MAX,
    })
}

/// What both blocks make.
fn blocks(weights: &[f64], pixels: Maps) -> [Maps; 2] {
    let first = block(weights, &pixels, &CONV1_WEIGHT, &CONV1_BIAS);
    let second = block(weights, &first, &CONV2_WEIGHT, &CONV2_BIAS);
    [first, second]
}

/// Valid convolution, bias, ReLU and max-pooling.
fn block(weights: &[f64], maps: &Maps, weight: &Parameter, bias: &Parameter) -> Maps {
    let (kernels, biases) = (&weights[weight.range()], &weights[bias.range()]);
    let channels = weight.shape[1];
    let taps = KERNEL_SIDE * KERNEL_SIDE;
    let side = (maps.side - KERNEL_SIDE + 1) / POOL_SIDE;
    let mut result = Maps {
        values: Vec::new(),
        side,
        nearest_kink: f64::MAX,
    };
    for (kernel, bias) in kernels.chunks(channels * taps).zip(biases) {
        let value = |row: usize, column: usize| {
            let mut sum = *bias;
            for channel in 0..channels {
                for tap in 0..taps {
                    let (down, right) = (row + tap / KERNEL_SIDE, column + tap % KERNEL_SIDE);
                    let at = (channel * maps.side + down) * maps.side + right;
                    sum += kernel[channel * taps + tap] * maps.values[at];
                }
            }
            sum
        };
        for window in 0..side * side {
            let (row, column) = (window / side * POOL_SIDE, window % side * POOL_SIDE);
            let places: Vec<f64> = (0..POOL_SIDE * POOL_SIDE)
                .map(|place| value(row + place / POOL_SIDE, column + place % POOL_SIDE))
                .collect();
            let largest = places.iter().copied().fold(f64::MIN, f64::max);
            // Places that are equal to the last bit see the same and have the same gradient.
            let others = places
                .iter()
                .filter(|place| **place < largest && largest > 0.0);
            let distances = others.map(|place| largest - place);
            result.nearest_kink = distances.fold(result.nearest_kink.min(largest.abs()), f64::min);
            result.values.push(largest.max(0.0));
        }
    }
    result
}

fn logits(weights: &[f64], features: &[f64]) -> [f64; CLASSES] {
    std::array::from_fn(|class| {
        let weights_of = &weights[FC_WEIGHT.range()][class * FEATURES..][..FEATURES];
        let products = weights_of
            .iter()
            .zip(features)
            .map(|(weight, value)| weight * value);
        products.sum::<f64>() + weights[FC_BIAS.range()][class]
    })
}
