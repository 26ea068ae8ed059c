//! The network, said once: layers, shapes and named parameters.
//!
//! The burn network, the files that leave Kiln and the shape table on the page all read this.
//! Parameters stand one after the other in one flat vector, each in PyTorch's layout.

/// Rows and columns of an image, in pixels.
pub const IMAGE_SIDE: usize = 28;
/// Pixels of an image.
pub const PIXELS: usize = IMAGE_SIDE * IMAGE_SIDE;
/// Digits to tell apart.
pub const CLASSES: usize = 10;
/// Rows and columns of a convolution kernel.
pub const KERNEL_SIDE: usize = 3;
/// Rows and columns of a pooling window, which is also its stride.
pub const POOL_SIDE: usize = 2;
/// Channels that the first convolution makes.
pub const CONV1_CHANNELS: usize = 32;
/// Channels that the second convolution makes.
pub const CONV2_CHANNELS: usize = 64;
/// Values an image becomes before dropout and the dense layer: 64 channels of 5 × 5.
pub const FEATURES: usize =
    CONV2_CHANNELS * pooled(pooled(IMAGE_SIDE)) * pooled(pooled(IMAGE_SIDE));

/// The side after one valid convolution and one pooling.
const fn pooled(side: usize) -> usize {
    (side - KERNEL_SIDE + 1) / POOL_SIDE
}

/// One named parameter and where it stands in the flat vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in exported files, such as `conv1.weight`.
    pub name: &'static str,
    /// The shape in PyTorch's layout: `[out, in, rows, columns]`, `[out, in]` or `[out]`.
    pub shape: &'static [usize],
    /// Index of the first value in the flat vector.
    pub offset: usize,
    /// Inputs that meet in one output (Glorot's fan-in); 0 for a bias.
    pub fan_in: usize,
    /// Outputs that one input reaches (Glorot's fan-out); 0 for a bias.
    pub fan_out: usize,
}

impl Parameter {
    /// How many values the parameter holds.
    pub const fn len(&self) -> usize {
        let mut len = 1;
        let mut axis = 0;
        while axis < self.shape.len() {
            len *= self.shape[axis];
            axis += 1;
        }
        len
    }

    /// Whether the parameter holds nothing; never true for this network.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its place in the flat vector.
    pub const fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.len()
    }

    const fn weight(
        name: &'static str,
        shape: &'static [usize],
        offset: usize,
        taps: usize,
    ) -> Self {
        Self {
            name,
            shape,
            offset,
            fan_in: shape[1] * taps,
            fan_out: shape[0] * taps,
        }
    }

    const fn bias(name: &'static str, shape: &'static [usize], offset: usize) -> Self {
        Self {
            name,
            shape,
            offset,
            fan_in: 0,
            fan_out: 0,
        }
    }

    const fn end(&self) -> usize {
        self.offset + self.len()
    }
}

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;

/// Kernels of the first convolution, `[32, 1, 3, 3]`.
pub const CONV1_WEIGHT: Parameter = Parameter::weight(
    "conv1.weight",
    &[CONV1_CHANNELS, 1, KERNEL_SIDE, KERNEL_SIDE],
    0,
    TAPS,
);
/// Biases of the first convolution, `[32]`.
pub const CONV1_BIAS: Parameter =
    Parameter::bias("conv1.bias", &[CONV1_CHANNELS], CONV1_WEIGHT.end());
/// Kernels of the second convolution, `[64, 32, 3, 3]`.
pub const CONV2_WEIGHT: Parameter = Parameter::weight(
    "conv2.weight",
    &[CONV2_CHANNELS, CONV1_CHANNELS, KERNEL_SIDE, KERNEL_SIDE],
    CONV1_BIAS.end(),
    TAPS,
);
/// Biases of the second convolution, `[64]`.
pub const CONV2_BIAS: Parameter =
    Parameter::bias("conv2.bias", &[CONV2_CHANNELS], CONV2_WEIGHT.end());
/// Weights of the dense layer, `[10, 1600]`.
pub const FC_WEIGHT: Parameter =
    Parameter::weight("fc.weight", &[CLASSES, FEATURES], CONV2_BIAS.end(), 1);
/// Biases of the dense layer, `[10]`.
pub const FC_BIAS: Parameter = Parameter::bias("fc.bias", &[CLASSES], FC_WEIGHT.end());

/// All parameters in the order of the flat vector.
pub const PARAMETERS: [Parameter; 6] = [
    CONV1_WEIGHT,
    CONV1_BIAS,
    CONV2_WEIGHT,
    CONV2_BIAS,
    FC_WEIGHT,
    FC_BIAS,
];

/// Values in the flat vector.
pub const PARAMETER_COUNT: usize = FC_BIAS.end();

const _: () = assert!(
    PARAMETER_COUNT == 34_826,
    "the course's network has 34,826 parameters"
);

/// One layer, as a table of the network shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What it does.
    pub name: &'static str,
    /// The shape of what it makes of an image: channels, rows and columns, or values.
    pub output: &'static [usize],
    /// Its parameters.
    pub parameters: &'static [Parameter],
}

impl Layer {
    /// How many values its parameters hold.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }
}

/// The sides after each convolution and pooling.
const SIDES: [usize; 4] = [
    IMAGE_SIDE - KERNEL_SIDE + 1,
    pooled(IMAGE_SIDE),
    pooled(IMAGE_SIDE) - KERNEL_SIDE + 1,
    pooled(pooled(IMAGE_SIDE)),
];

/// All layers, the first first.
pub const LAYERS: [Layer; 7] = [
    Layer {
        name: "Image",
        output: &[1, IMAGE_SIDE, IMAGE_SIDE],
        parameters: &[],
    },
    Layer {
        name: "Convolution 3 × 3, ReLU",
        output: &[CONV1_CHANNELS, SIDES[0], SIDES[0]],
        parameters: &[CONV1_WEIGHT, CONV1_BIAS],
    },
    Layer {
        name: "Largest of 2 × 2",
        output: &[CONV1_CHANNELS, SIDES[1], SIDES[1]],
        parameters: &[],
    },
    Layer {
        name: "Convolution 3 × 3, ReLU",
        output: &[CONV2_CHANNELS, SIDES[2], SIDES[2]],
        parameters: &[CONV2_WEIGHT, CONV2_BIAS],
    },
    Layer {
        name: "Largest of 2 × 2",
        output: &[CONV2_CHANNELS, SIDES[3], SIDES[3]],
        parameters: &[],
    },
    Layer {
        name: "Dropout",
        output: &[FEATURES],
        parameters: &[],
    },
    Layer {
        name: "Dense, softmax",
        output: &[CLASSES],
        parameters: &[FC_WEIGHT, FC_BIAS],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_stand_one_after_the_other() {
        let mut next = 0;
        for parameter in PARAMETERS {
            assert_eq!(parameter.offset, next, "{}", parameter.name);
            next += parameter.len();
        }
        assert_eq!(next, PARAMETER_COUNT);
    }

    #[test]
    fn the_layers_have_all_parameters_and_fit_each_other() {
        let count: usize = LAYERS.iter().map(Layer::parameter_count).sum();
        assert_eq!(count, PARAMETER_COUNT);
        let before_dropout: usize = LAYERS[4].output.iter().product();
        assert_eq!([before_dropout], LAYERS[5].output);
    }

    #[test]
    fn layers_have_the_published_counts() {
        let count = |parameters: &[Parameter]| parameters.iter().map(Parameter::len).sum::<usize>();
        assert_eq!(count(&PARAMETERS[0..2]), 320);
        assert_eq!(count(&PARAMETERS[2..4]), 18_496);
        assert_eq!(count(&PARAMETERS[4..6]), 16_010);
        assert_eq!(FEATURES, 1_600);
    }
}
