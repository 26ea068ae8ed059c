//! What the kernels leave for each other: the maps of some images on their way, and gradients.

use super::queue::{Buffer, Queue};
use super::{
    CONV_PARTS, CONV1_PART, CONV2_PART, DENSE_PART, DENSE_PARTS, LANES, MASK_WORDS, SQUARES,
};
use crate::spec::{CLASSES, CONV1_CHANNELS, FEATURES, PARAMETER_COUNT};
use crate::train::fused::WINDOWS_1;

/// What an image is on its way to its logits.
#[derive(Debug)]
pub struct Forward {
    images: usize,
    /// `[images, 50]`: dropout's bits.
    pub mask: Buffer,
    /// `[images, 12, 12, 32]`: what the first block makes.
    pub first: Buffer,
    /// `[images, 1600]`: what the second block makes.
    pub features: Buffer,
    /// `[images, 10, 64]`: parts of the logits.
    pub partial: Buffer,
}

impl Forward {
    /// Room for so many images.
    pub fn new(queue: &Queue, images: usize) -> Self {
        Self {
            images,
            mask: queue.room(images * MASK_WORDS),
            first: queue.room(images * WINDOWS_1 * CONV1_CHANNELS),
            features: queue.room(images * FEATURES),
            partial: queue.room(images * CLASSES * LANES),
        }
    }

    /// Makes room for so many images where there is less.
    pub fn fit(&mut self, queue: &Queue, images: usize) {
        if images > self.images {
            *self = Self::new(queue, images);
        }
    }
}

/// What comes back, and the gradient it becomes.
#[derive(Debug)]
pub struct Backward {
    images: usize,
    /// `[images, 10]`.
    pub by_logits: Buffer,
    /// `[images, 1600]`.
    pub by_features: Buffer,
    /// `[images, 12, 12, 32]`.
    pub by_first: Buffer,
    /// Gradients by the first block's parameters, in parts.
    pub conv1_parts: Buffer,
    /// Gradients by the second block's parameters, in parts.
    pub conv2_parts: Buffer,
    /// Gradients by the dense layer's parameters, in parts.
    pub dense_parts: Buffer,
    /// `[34826]`.
    pub gradient: Buffer,
    /// Parts of the gradient's squared length.
    pub squares: Buffer,
}

impl Backward {
    /// Room for so many images.
    pub fn new(queue: &Queue, images: usize) -> Self {
        Self {
            images,
            by_logits: queue.room(images * CLASSES),
            by_features: queue.room(images * FEATURES),
            by_first: queue.room(images * WINDOWS_1 * CONV1_CHANNELS),
            conv1_parts: queue.room(2 * CONV_PARTS * CONV1_PART),
            conv2_parts: queue.room(CONV_PARTS * CONV2_PART),
            dense_parts: queue.room(DENSE_PARTS * DENSE_PART),
            gradient: queue.room(PARAMETER_COUNT),
            squares: queue.room(SQUARES),
        }
    }

    /// Makes room for so many images where there is less.
    pub fn fit(&mut self, queue: &Queue, images: usize) {
        if images > self.images {
            *self = Self::new(queue, images);
        }
    }
}
