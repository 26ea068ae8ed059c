//! The kernels' text.
//!
//! They are WGSL rather than CubeCL because they live on tiles of registers: tens of sums, matrices,
//! swizzles and sums written as one expression, which CubeCL's vectors do not have. WebGPU and wgpu
//! run them; CubeCL's other compilers refuse them with an error.

use burn_cubecl::cubecl::prelude::KernelId;
use burn_cubecl::template::{KernelSource, SourceTemplate};

use super::unrolled::{self, Part};
use super::{CONV1_PART, CONV2_PART, DENSE_PART, LANES, MASK_WORDS, SQUARES};
use crate::random::Purpose;
use crate::spec::{
    CLASSES, CONV1_BIAS, CONV1_CHANNELS, CONV2_BIAS, CONV2_CHANNELS, CONV2_WEIGHT, FC_BIAS,
    FC_WEIGHT, FEATURES, IMAGE_SIDE, PARAMETER_COUNT, PIXELS,
};
use crate::train::engine::Tiles;
use crate::train::fused::{SIDE_1, SIDE_2, WINDOWS_2};

/// Threads of a workgroup.
pub const GROUP: usize = 64;

/// One kernel.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    name: &'static str,
    /// In this order, after the constants.
    text: &'static [&'static str],
    /// What stands in the text by name alone.
    parts: fn(Tiles) -> Vec<Part>,
    tiles: Tiles,
}

macro_rules! kernel {
    ($name:literal $(, $helper:literal)*) => {
        kernel!($name $(, $helper)*; |_| Vec::new())
    };
    ($name:literal $(, $helper:literal)*; $parts:expr) => {
        Kernel {
            name: $name,
            parts: $parts,
            tiles: Tiles::Small,
            text: &[
                include_str!("common.wgsl"),
                $(include_str!(concat!($helper, ".wgsl")),)*
                include_str!(concat!($name, ".wgsl")),
            ],
        }
    };
}

pub const MASK: Kernel = kernel!("mask");
pub const CONV1: Kernel = kernel!("conv1", "window");
pub const CONV2: Kernel = kernel!("conv2", "window"; unrolled::conv2);
pub const PARTIAL: Kernel = kernel!("partial");
pub const LOGITS: Kernel = kernel!("logits");
pub const LOSS: Kernel = kernel!("loss");
pub const DENSE_BACK: Kernel = kernel!("dense_back");
pub const CONV2_WEIGHTS: Kernel = kernel!("conv2_weights"; unrolled::conv2_weights);
pub const CONV2_INPUT: Kernel = kernel!("conv2_input"; unrolled::conv2_input);
pub const CONV1_WEIGHTS: Kernel = kernel!("conv1_weights");
pub const GRADIENT: Kernel = kernel!("gradient");
pub const SQUARED: Kernel = kernel!("squares");
pub const NORM: Kernel = kernel!("norm");
pub const ADAM: Kernel = kernel!("adam");
pub const SGD: Kernel = kernel!("sgd");
pub const RMS_PROP: Kernel = kernel!("rms_prop");
pub const TAKE: Kernel = kernel!("take");

impl Kernel {
    /// The kernel, cut in this way.
    pub fn cut(self, tiles: Tiles) -> Self {
        Self { tiles, ..self }
    }
}

impl KernelSource for Kernel {
    fn source(&self) -> SourceTemplate {
        // Natively one buffer of wgpu's holds several of ours, and wgpu asks that all of it be
        // bound one way; in a tab each has its own.
        let read = if cfg!(target_family = "wasm") {
            "read"
        } else {
            "read_write"
        };
        let text = SourceTemplate::new(constants() + &self.text.concat()).register("read", read);
        let parts = (self.parts)(self.tiles).into_iter();
        parts.fold(text, |text, (name, part)| text.register(name, part))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.name, self.tiles))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// What the kernels know of the network, so that [`crate::spec`] alone says it.
fn constants() -> String {
    let constants = [
        ("GROUP", GROUP),
        ("DROPOUT", Purpose::Dropout as usize),
        ("PARAMETERS", PARAMETER_COUNT),
        ("CONV1_BIAS", CONV1_BIAS.offset),
        ("CONV2_WEIGHT", CONV2_WEIGHT.offset),
        ("CONV2_BIAS", CONV2_BIAS.offset),
        ("FC_WEIGHT", FC_WEIGHT.offset),
        ("FC_BIAS", FC_BIAS.offset),
        ("ROW_WORDS", IMAGE_SIDE / 4),
        ("IMAGE_WORDS", PIXELS / 4),
        ("CHANNELS_1", CONV1_CHANNELS),
        ("SIDE_1", SIDE_1),
        ("CHANNELS_2", CONV2_CHANNELS),
        ("SIDE_2", SIDE_2),
        ("WINDOWS_2", WINDOWS_2),
        ("FEATURES", FEATURES),
        ("CLASSES", CLASSES),
        ("MASK_WORDS", MASK_WORDS),
        ("LANES", LANES),
        ("CONV1_PART", CONV1_PART),
        ("CONV2_PART", CONV2_PART),
        ("DENSE_PART", DENSE_PART),
        ("SQUARES", SQUARES),
    ];
    constants
        .iter()
        .map(|(name, value)| format!("const {name} = {value}u;\n"))
        .collect()
}
