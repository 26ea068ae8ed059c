// The gradient by the second convolution's kernels and biases, in parts. A thread takes one channel
// in, some channels out and some images; what is in double braces is written out by `unrolled.rs`.
//
// Of each window one place has a gradient; all four are multiplied, which is faster than to branch.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> maps: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> by_features: array<u32>;
@group(0) @binding(3) var<storage, read_write> conv2_parts: array<f32>;

const OUTS = {{outs}}u;
const GROUPS = CHANNELS_2 / OUTS;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x % CHANNELS_1;
    let out = id.x / CHANNELS_1 % GROUPS * OUTS;
    let part = id.x / (CHANNELS_1 * GROUPS);
    let first = part * job.conv_images;
    if first >= job.images {
        return;
    }
    let last = min(first + job.conv_images, job.images);
    {{sums}}
    for (var image = first; image < last; image++) {
        for (var y = 0u; y < SIDE_2; y++) {
            let patch_at = (image * SIDE_1 + 2u * y) * SIDE_1 * CHANNELS_1 + channel;
            let feature = image * FEATURES + out * WINDOWS_2 + y * SIDE_2;
            {{patch}}
            {{products}}
        }
    }
    let parts = part * CONV2_PART;
    let made = parts + (out * CHANNELS_1 + channel) * 9u;
    {{results}}
    if channel == 0u {
        let biases = parts + (CONV2_BIAS - CONV2_WEIGHT) + out;
        {{biases}}
    }
}
