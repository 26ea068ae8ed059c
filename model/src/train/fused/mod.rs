//! The whole network on the CPU, forward and backward, an image at a time.
//!
//! Automatic differentiation computes everything; most of it is not needed. Of each pooling window
//! one place alone has a gradient, where the ReLU is shut or dropout dropped the unit there is
//! none at all, and the last row and column of each odd map are never seen. [`first`] and
//! [`second`] are convolution, bias, ReLU and pooling in one, [`head`] is dense layer, softmax and
//! cross-entropy; [`update`] has the optimisers. Maps are channels last: `[window][channel]`, four
//! channels to a vector.
//!
//! Everything is written over four lanes with products and sums apart and no library's sums, so
//! that WebAssembly, SSE and NEON come to the same bits. The images of a batch are cut into shards
//! of [`SHARD`], each with sums of its own that are added in order: so the bits do not depend on
//! who computes which shard.

mod first;
mod head;
mod lists;
mod pool;
mod second;
mod sums;
pub mod update;
mod winograd;

use wide::f32x4;

use self::first::First;
use self::head::Head;
use self::lists::Lists;
use self::second::Second;
pub use self::sums::Sums;
use crate::batch::{Dropout, Kept};
use crate::spec::{
    CLASSES, CONV1_BIAS, CONV1_CHANNELS, CONV1_WEIGHT, CONV2_BIAS, CONV2_CHANNELS, CONV2_WEIGHT,
    FC_BIAS, FC_WEIGHT, FEATURES, IMAGE_SIDE, PARAMETER_COUNT, PIXELS,
};

/// Images whose gradients are summed before they meet those of others.
pub const SHARD: usize = 16;

/// Lanes of a vector.
const LANES: usize = 4;
/// Windows along a side of what the second block makes.
pub(super) const SIDE_2: usize = 5;
/// Places along a side of what the first block makes, as far as the second sees it.
pub(super) const SIDE_1: usize = 2 * SIDE_2 + 2;
/// Windows of the first block.
pub(super) const WINDOWS_1: usize = SIDE_1 * SIDE_1;
/// Windows of the second block.
pub(super) const WINDOWS_2: usize = SIDE_2 * SIDE_2;
/// Vectors of the first block's channels.
const VECTORS_1: usize = CONV1_CHANNELS / LANES;
/// Vectors of the second block's channels.
const VECTORS_2: usize = CONV2_CHANNELS / LANES;
/// Vectors of an image's features.
const FEATURE_VECTORS: usize = FEATURES / LANES;

const _: () = assert!(WINDOWS_2 * CONV2_CHANNELS == FEATURES);
const _: () = assert!(2 * SIDE_1 + 2 <= IMAGE_SIDE);

/// The images of one step, or a part of them.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// `[images, 28, 28]`, 0 to 1.
    pub pixels: &'a [f32],
    /// The digits, 0 to 9.
    pub labels: &'a [u8],
    /// What dropout keeps of each image.
    pub dropout: Option<&'a Dropout>,
}

/// What a batch brought, or a part of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Gradients of the loss by the parameters.
    pub sums: Sums,
    /// `[images, 10]`.
    pub logits: Vec<f32>,
}

impl Outcome {
    /// Adds that of the images that come next.
    pub fn add(&mut self, next: Self) {
        self.sums.add(&next.sums);
        self.logits.extend(next.logits);
    }
}

/// The network with its weights laid out for the kernels, and room to compute in.
#[derive(Clone, Debug)]
pub struct Network {
    first: First,
    second: Second,
    head: Head,
    lists: Lists,
    maps: Maps,
}

/// What one image is on its way.
#[derive(Clone, Debug)]
struct Maps {
    /// `[144][32]`: what the first block makes.
    first: Vec<f32x4>,
    /// `[144][32]`: how far in the image the place that each came from is from its window's first.
    first_picks: Vec<u8>,
    /// `[144][32]`: the gradient by what the first block makes.
    by_first: Vec<f32x4>,
    /// `[25][64]`: what the second block makes.
    second: Vec<f32x4>,
    /// `[25][64]`: how far in the maps the place that each came from is from its window's first.
    second_picks: Vec<u8>,
    /// `[25][64]`: the gradient by what the second block makes.
    by_second: Vec<f32x4>,
}

impl Network {
    /// The network of these weights, flat as in [`crate::spec`]; missing ones are 0.
    pub fn new(weights: &[f32]) -> Self {
        let zeros = |len| vec![f32x4::ZERO; len];
        let mut network = Self {
            first: First::new(),
            second: Second::new(),
            head: Head::new(),
            lists: Lists::new(),
            maps: Maps {
                first: zeros(WINDOWS_1 * VECTORS_1),
                first_picks: vec![0; WINDOWS_1 * CONV1_CHANNELS],
                by_first: zeros(WINDOWS_1 * VECTORS_1),
                second: zeros(FEATURE_VECTORS),
                second_picks: vec![0; FEATURES],
                by_second: zeros(FEATURE_VECTORS),
            },
        };
        network.load(weights);
        network
    }

    /// Takes other weights.
    pub fn load(&mut self, weights: &[f32]) {
        let mut all = [0.0; PARAMETER_COUNT];
        for (own, weight) in all.iter_mut().zip(weights) {
            *own = *weight;
        }
        self.first
            .load(&all[CONV1_WEIGHT.range()], &all[CONV1_BIAS.range()]);
        self.second
            .load(&all[CONV2_WEIGHT.range()], &all[CONV2_BIAS.range()]);
        self.head
            .load(&all[FC_WEIGHT.range()], &all[FC_BIAS.range()]);
    }

    /// The logits `[n, 10]` of images `[n, 28, 28]` with values 0 to 1, dropout off.
    pub fn logits(&mut self, pixels: &[f32]) -> Vec<f32> {
        let (images, _) = pixels.as_chunks::<PIXELS>();
        let mut logits = Vec::with_capacity(images.len() * CLASSES);
        for image in images {
            let maps = &mut self.maps;
            self.first
                .forward(image, &mut maps.first, &mut maps.first_picks);
            self.second
                .forward(&maps.first, &mut maps.second, &mut maps.second_picks);
            logits.extend(self.head.forward(&self.maps.second));
        }
        logits
    }

    /// The gradients of a batch, or of a part of one.
    ///
    /// The loss is the sum of the images' softmax cross-entropies over `whole_batch`, the number
    /// of images of the whole batch.
    pub fn gradients(&mut self, examples: Examples<'_>, whole_batch: usize) -> Outcome {
        let (images, _) = examples.pixels.as_chunks::<PIXELS>();
        let mut logits = Vec::with_capacity(images.len() * CLASSES);
        let (mut total, mut next) = (Sums::default(), Sums::default());
        let shards = images.chunks(SHARD).zip(examples.labels.chunks(SHARD));
        for (shard, (images, labels)) in shards.enumerate() {
            let sums = if shard == 0 { &mut total } else { &mut next };
            for (row, (image, label)) in images.iter().zip(labels).enumerate() {
                let kept = examples.dropout.and_then(|dropout| {
                    let kept = dropout.kept.get(shard * SHARD + row)?;
                    Some((kept, dropout.factor))
                });
                logits.extend(self.learn(image, *label, kept, whole_batch, sums));
            }
            if shard > 0 {
                total.add(&next);
                next.clear();
            }
        }
        Outcome {
            sums: total,
            logits,
        }
    }

    /// Adds the gradients of one image to the sums and gives its logits.
    fn learn(
        &mut self,
        image: &[f32; PIXELS],
        label: u8,
        dropout: Option<(&Kept, f32)>,
        whole_batch: usize,
        sums: &mut Sums,
    ) -> [f32; CLASSES] {
        let maps = &mut self.maps;
        let (values, picks) = (&mut maps.second, &mut maps.second_picks);
        self.first
            .forward(image, &mut maps.first, &mut maps.first_picks);
        let factor = match dropout {
            Some((kept, factor)) => {
                self.second.forward_kept(&maps.first, kept, values, picks);
                factor
            }
            None => {
                self.second.forward(&maps.first, values, picks);
                1.0
            }
        };
        let mut sums = sums.parts();
        let logits = self.head.learn(
            &maps.second,
            factor,
            label,
            1.0 / whole_batch as f32,
            &mut maps.by_second,
            &mut sums.head,
        );
        self.lists.fill(&maps.second_picks, &maps.by_second);
        self.lists
            .by_weights(&maps.first, &maps.by_second, &mut sums.second);
        self.lists
            .by_input(self.second.kernels(), &mut maps.by_first);
        self.first.backward(
            image,
            &maps.first,
            &maps.first_picks,
            &mut maps.by_first,
            &mut sums.first,
        );
        logits
    }
}
