//! The network of [`crate::spec`] on burn.
//!
//! All weights are one flat tensor. So an optimiser is a handful of operations however many
//! layers there are, a checkpoint is one read, and the gradients of several workers can be added
//! up as they are.

use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::module::max_pool2d;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Device, Tensor, TensorData, s};

use crate::batch::Batch;
use crate::spec::{
    CLASSES, CONV1_BIAS, CONV1_WEIGHT, CONV2_BIAS, CONV2_WEIGHT, FC_BIAS, FC_WEIGHT, FEATURES,
    IMAGE_SIDE, KERNEL_SIDE, POOL_SIDE, Parameter,
};

/// The gradients of one batch, and the answers they came from.
#[derive(Debug)]
pub struct Gradients {
    /// Gradient of the loss by every parameter, flat, `[34826]`.
    pub gradient: Tensor<1>,
    /// `[images, 10]`.
    pub logits: Tensor<2>,
}

/// The parameters as tensors of their own, in the order of [`crate::spec::PARAMETERS`].
struct Layers {
    conv1_weight: Tensor<4>,
    conv1_bias: Tensor<1>,
    conv2_weight: Tensor<4>,
    conv2_bias: Tensor<1>,
    fc_weight: Tensor<2>,
    fc_bias: Tensor<1>,
}

impl Layers {
    fn new(weights: &Tensor<1>) -> Self {
        Self {
            conv1_weight: cut(weights, &CONV1_WEIGHT),
            conv1_bias: cut(weights, &CONV1_BIAS),
            conv2_weight: cut(weights, &CONV2_WEIGHT),
            conv2_bias: cut(weights, &CONV2_BIAS),
            fc_weight: cut(weights, &FC_WEIGHT),
            fc_bias: cut(weights, &FC_BIAS),
        }
    }

    /// The same, tracked, so that a loss can be differentiated by each.
    fn tracked(self) -> Self {
        Self {
            conv1_weight: self.conv1_weight.autodiff().require_grad(),
            conv1_bias: self.conv1_bias.autodiff().require_grad(),
            conv2_weight: self.conv2_weight.autodiff().require_grad(),
            conv2_bias: self.conv2_bias.autodiff().require_grad(),
            fc_weight: self.fc_weight.autodiff().require_grad(),
            fc_bias: self.fc_bias.autodiff().require_grad(),
        }
    }

    /// `images` is `[1, n, 28, 28]`, `dropout` `[n, 1600]`; the logits are `[n, 10]`.
    fn forward(&self, images: Tensor<4>, dropout: Option<Tensor<2>>) -> Tensor<2> {
        let maps = convolve(images, &self.conv1_weight, &self.conv1_bias);
        let maps = convolve(maps, &self.conv2_weight, &self.conv2_bias);
        let features: Tensor<2> = maps.swap_dims(0, 1).flatten(1, 3);
        let features = match dropout {
            Some(factors) => features * factors,
            None => features,
        };
        features.matmul(self.fc_weight.clone().transpose()) + self.fc_bias.clone().unsqueeze()
    }
}

/// Convolution, pooling and ReLU of `[channels, n, rows, columns]`.
///
/// The pooling comes before the ReLU: both only ever pick or raise the largest value, so the
/// result is the same, and the ReLU has a quarter of the values to look at.
fn convolve(images: Tensor<4>, weight: &Tensor<4>, bias: &Tensor<1>) -> Tensor<4> {
    relu(pool(convolution(images, weight, bias)))
}

/// The convolution alone, without padding.
///
/// It is one product of matrices: the kernels `[out, 9 · channels]` by what each of
/// their taps sees, `[9 · channels, n · places]`. Forward and backward then are large products,
/// which every backend does best; burn's own convolution makes a small one for each image, and
/// its gradient by the kernels one of nine columns. That took a third more time on the CPU.
fn convolution(images: Tensor<4>, weight: &Tensor<4>, bias: &Tensor<1>) -> Tensor<4> {
    let [channels, count, rows, columns] = images.dims();
    let (rows, columns) = (rows - KERNEL_SIDE + 1, columns - KERNEL_SIDE + 1);
    let taps = KERNEL_SIDE * KERNEL_SIDE;
    let seen = (0..taps)
        .map(|tap| {
            let (down, right) = (tap / KERNEL_SIDE, tap % KERNEL_SIDE);
            let part = s![.., .., down..down + rows, right..right + columns];
            images.clone().slice(part)
        })
        .collect();
    let seen = Tensor::cat(seen, 0).reshape([taps * channels, count * rows * columns]);
    let [out, ..] = weight.dims();
    let kernels = weight
        .clone()
        .reshape([out, channels, taps])
        .swap_dims(1, 2);
    let maps =
        kernels.reshape([out, taps * channels]).matmul(seen) + bias.clone().reshape([out, 1]);
    maps.reshape([out, count, rows, columns])
}

fn pool(maps: Tensor<4>) -> Tensor<4> {
    let pooling = MaxPoolOptions {
        kernel_size: [POOL_SIDE, POOL_SIDE],
        stride: [POOL_SIDE, POOL_SIDE],
        padding: [(0, 0), (0, 0)],
        dilation: [1, 1],
        ceil_mode: false,
    };
    max_pool2d(maps, pooling)
}

fn cut<const D: usize>(weights: &Tensor<1>, parameter: &Parameter) -> Tensor<D> {
    let mut shape = [0; D];
    shape.copy_from_slice(parameter.shape);
    weights.clone().slice([parameter.range()]).reshape(shape)
}

/// The logits `[n, 10]` of images `[n, 28, 28]` with values 0 to 1, dropout off.
pub fn logits(weights: &Tensor<1>, pixels: Vec<f32>) -> Tensor<2> {
    let device = weights.device();
    Layers::new(weights).forward(upload_images(pixels, &device), None)
}

/// What each layer makes of one image of 784 values from 0 to 1, after its ReLU:
/// `[32, 1, 26, 26]`, `[32, 1, 13, 13]`, `[64, 1, 11, 11]` and `[64, 1, 5, 5]`.
pub fn maps(weights: &Tensor<1>, pixels: Vec<f32>) -> [Tensor<4>; 4] {
    let device = weights.device();
    let layers = Layers::new(weights);
    let image = upload_images(pixels, &device);
    let first = relu(convolution(image, &layers.conv1_weight, &layers.conv1_bias));
    let first_pooled = pool(first.clone());
    let second = convolution(
        first_pooled.clone(),
        &layers.conv2_weight,
        &layers.conv2_bias,
    );
    let second = relu(second);
    let second_pooled = pool(second.clone());
    [first, first_pooled, second, second_pooled]
}

/// Images that are computed at once. A larger batch goes in parts, which bounds the memory and
/// keeps it near the processor; what the taps see of one image takes 139 kB.
const MOST_AT_ONCE: usize = 128;

/// The gradients of one batch, or of a part of one.
///
/// The loss is the sum of the images' softmax cross-entropies over `whole_batch`, the number of
/// images of the whole batch; so gradients of the parts of a batch add up to the batch's own.
pub fn gradients(weights: &Tensor<1>, batch: &Batch, whole_batch: usize) -> Option<Gradients> {
    batch
        .parts(MOST_AT_ONCE)
        .map(|part| gradients_of_part(weights, part, whole_batch))
        .reduce(|before, part| {
            let (before, part) = (before?, part?);
            Some(Gradients {
                gradient: before.gradient + part.gradient,
                logits: Tensor::cat(vec![before.logits, part.logits], 0),
            })
        })
        .flatten()
}

fn gradients_of_part(weights: &Tensor<1>, part: Batch, whole_batch: usize) -> Option<Gradients> {
    let device = weights.device();
    let count = part.labels.len();
    let mut one_hot = vec![0.0_f32; count * CLASSES];
    for (row, label) in part.labels.iter().enumerate() {
        one_hot[row * CLASSES + usize::from(*label)] = 1.0;
    }
    let one_hot = Tensor::<2>::from_data(TensorData::new(one_hot, [count, CLASSES]), &device);
    let images = upload_images(part.pixels, &device);
    let dropout = part.dropout.map(|dropout| {
        let factors = TensorData::new(dropout.factors(), [count, FEATURES]);
        Tensor::<2>::from_data(factors, &device).autodiff()
    });

    let layers = Layers::new(weights).tracked();
    let logits = layers.forward(images.autodiff(), dropout);
    let log_likelihood = log_softmax(logits.clone(), 1) * one_hot.autodiff();
    let loss = log_likelihood.sum().mul_scalar(-1.0 / whole_batch as f32);
    let mut by = loss.backward();
    let gradient = Tensor::cat(
        vec![
            layers.conv1_weight.grad_remove(&mut by)?.flatten(0, 3),
            layers.conv1_bias.grad_remove(&mut by)?,
            layers.conv2_weight.grad_remove(&mut by)?.flatten(0, 3),
            layers.conv2_bias.grad_remove(&mut by)?,
            layers.fc_weight.grad_remove(&mut by)?.flatten(0, 1),
            layers.fc_bias.grad_remove(&mut by)?,
        ],
        0,
    );
    Some(Gradients {
        gradient,
        logits: logits.inner(),
    })
}

/// Images with values 0 to 1 as `[1, n, 28, 28]`: the one channel first, as in all feature maps.
fn upload_images(pixels: Vec<f32>, device: &Device) -> Tensor<4> {
    let count = pixels.len() / (IMAGE_SIDE * IMAGE_SIDE);
    Tensor::from_data(
        TensorData::new(pixels, [1, count, IMAGE_SIDE, IMAGE_SIDE]),
        device,
    )
}
