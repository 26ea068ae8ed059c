// What all kernels share. Before it stand the constants of `kernel.rs`.

// What is to be done: a step's numbers, then where in the data its images stand.
struct Job {
    images: u32,
    seed: u32,
    steps_done: u32,
    // Of the 2^24 random numbers, how many drop a feature; 0 without dropout.
    dropped: u32,
    // What dropout multiplies a feature by that it keeps.
    factor: f32,
    // The share of the loss that an image has.
    share: f32,
    rate: f32,
    // How far the running means go to a new value.
    mean_share: f32,
    square_share: f32,
    // What a weight loses, or the velocity keeps.
    decay: f32,
    epsilon: f32,
    // How many images' gradients a thread adds up before they meet those of others.
    conv_images: u32,
    dense_images: u32,
    rows: array<u32>,
}

// Maps are kept as the bits of their numbers. The lowest two say which place of its pooling window
// a number came from: its column, plus twice its row. Where there is nothing all bits are 0.
const VALUE = 0xfffffffcu;
const PLACE = 3u;

// Where a parameter stands in the second copy of the second convolution's kernels, which is
// [32 channels in][9 taps][64 channels out].
fn turned(parameter: u32) -> u32 {
    let index = parameter - CONV2_WEIGHT;
    let tap = index % 9u;
    let channel = index / 9u % CHANNELS_1;
    let out = index / (9u * CHANNELS_1);
    return (channel * 9u + tap) * CHANNELS_2 + out;
}

fn is_turned(parameter: u32) -> bool {
    return parameter >= CONV2_WEIGHT && parameter < CONV2_BIAS;
}

// Running means nearer to zero than that are zero, as they are on the CPU.
fn flushed(value: f32) -> f32 {
    return select(value, 0.0, abs(value) < 1e-30);
}
