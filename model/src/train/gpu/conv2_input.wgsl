// The gradient by what the first block made, through its ReLU. A thread makes four rows of two
// channels; what is in double braces is written out by `unrolled.rs`.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> maps: array<u32>;
@group(0) @binding(2) var<storage, {{read}}> by_features: array<u32>;
@group(0) @binding(3) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_maps: array<u32>;

const BANDS = SIDE_1 / 4u;
const PAIRS = CHANNELS_1 / 2u;

fn put(at: u32, by: f32) {
    let bits = maps[at];
    by_maps[at] = select(0u, (bitcast<u32>(by) & VALUE) | (bits & PLACE), bits != 0u);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x % PAIRS * 2u;
    let band = id.x / PAIRS % BANDS;
    let image = id.x / (PAIRS * BANDS);
    if image >= job.images {
        return;
    }
    // The rows of windows that reach here, of which there is none above the first and below the
    // last.
    let is_first = band == 0u;
    let is_last = band == BANDS - 1u;
    let above = select(2u * band - 1u, 0u, is_first) * SIDE_2;
    let upper = min(2u * band, SIDE_2 - 1u) * SIDE_2;
    let lower = min(2u * band + 1u, SIDE_2 - 1u) * SIDE_2;
    {{sums}}
    for (var out = 0u; out < CHANNELS_2; out++) {
        let feature = image * FEATURES + out * WINDOWS_2;
        let kernel = CONV2_WEIGHT + (out * CHANNELS_1 + channel) * 9u;
        {{kernels}}
        {{places}}
        {{products}}
    }
    let made = (image * SIDE_1 + 4u * band) * SIDE_1 * CHANNELS_1 + channel;
    {{results}}
}
