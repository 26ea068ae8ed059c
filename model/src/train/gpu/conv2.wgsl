// The second block: [images][12][12][32] to [images][64][5][5], which are the features as the
// dense layer counts them. A thread makes a row of windows of four channels.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> maps: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> turned_weights: array<vec4<f32>>;
@group(0) @binding(3) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> features: array<u32>;

const QUADS = CHANNELS_2 / 4u;

fn four(at: u32) -> vec4<f32> {
    return vec4(
        maps[at],
        maps[at + CHANNELS_1],
        maps[at + 2u * CHANNELS_1],
        maps[at + 3u * CHANNELS_1],
    );
}

fn patch_at(at: u32) -> Patch {
    const ROW = SIDE_1 * CHANNELS_1;
    return Patch(four(at), four(at + ROW), four(at + 2u * ROW), four(at + 3u * ROW));
}

fn kernel_row(at: u32) -> mat3x4<f32> {
    return mat3x4(
        turned_weights[at],
        turned_weights[at + QUADS],
        turned_weights[at + 2u * QUADS],
    );
}

fn put(at: u32, bits: vec4<u32>) {
    features[at] = bits.x;
    features[at + WINDOWS_2] = bits.y;
    features[at + 2u * WINDOWS_2] = bits.z;
    features[at + 3u * WINDOWS_2] = bits.w;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = id.x % QUADS;
    let y = id.x / QUADS % SIDE_2;
    let image = id.x / (QUADS * SIDE_2);
    if image >= job.images {
        return;
    }
    let seen = (image * SIDE_1 + 2u * y) * SIDE_1 * CHANNELS_1;
    var window_0 = mat4x4<f32>();
    var window_1 = mat4x4<f32>();
    var window_2 = mat4x4<f32>();
    var window_3 = mat4x4<f32>();
    var window_4 = mat4x4<f32>();
    for (var channel = 0u; channel < CHANNELS_1; channel++) {
        let k = channel * 9u * QUADS + quad;
        let kernels = Kernels(
            kernel_row(k),
            kernel_row(k + 3u * QUADS),
            kernel_row(k + 6u * QUADS),
        );
        let left = patch_at(seen + channel);
        let middle = patch_at(seen + channel + 4u * CHANNELS_1);
        let right = patch_at(seen + channel + 8u * CHANNELS_1);
        window_0 += convolved(kernels, left);
        window_1 += convolved(kernels, between(left, middle));
        window_2 += convolved(kernels, middle);
        window_3 += convolved(kernels, between(middle, right));
        window_4 += convolved(kernels, right);
    }
    let b = CONV2_BIAS + 4u * quad;
    let bias = vec4(weights[b], weights[b + 1u], weights[b + 2u], weights[b + 3u]);
    let made = image * FEATURES + 4u * quad * WINDOWS_2 + y * SIDE_2;
    put(made, pooled(window_0, bias));
    put(made + 1u, pooled(window_1, bias));
    put(made + 2u, pooled(window_2, bias));
    put(made + 3u, pooled(window_3, bias));
    put(made + 4u, pooled(window_4, bias));
}
