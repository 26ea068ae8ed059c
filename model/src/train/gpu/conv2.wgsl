// The second block: [images][12][12][32] to [images][64][5][5], which are the features as the
// dense layer counts them. A thread makes some rows of windows of four channels; what is in double
// braces is written out by `unrolled.rs`.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> maps: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> turned_weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> features: array<u32>;

const QUADS = CHANNELS_2 / 4u;
const BANDS = SIDE_2 / {{window_rows}}u;

// Puts a window of one channel, of whose four places the sums are given.
fn put(at: u32, bias: f32, a: f32, b: f32, c: f32, d: f32) {
    features[at] = pooled(mat4x4(vec4(a), vec4(b), vec4(c), vec4(d)), vec4(bias)).x;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = id.x % QUADS;
    let y = id.x / QUADS % BANDS * {{window_rows}}u;
    let image = id.x / (QUADS * BANDS);
    if image >= job.images {
        return;
    }
    let seen = (image * SIDE_1 + 2u * y) * SIDE_1 * CHANNELS_1;
    {{sums}}
    for (var channel = 0u; channel < CHANNELS_1; channel++) {
        let kernels = channel * 9u * QUADS + quad;
        let patch_at = seen + channel;
        {{kernels}}
        {{patch}}
        {{products}}
    }
    let b = CONV2_BIAS + 4u * quad;
    let made = image * FEATURES + 4u * quad * WINDOWS_2 + y * SIDE_2;
    {{windows}}
}
