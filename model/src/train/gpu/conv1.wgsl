// The first block: [images][28][28] bytes to [images][12][12][32]. A thread makes a row of windows
// of four channels.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> pixels: array<u32>;
@group(0) @binding(2) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> maps: array<vec4<u32>>;

const QUADS = CHANNELS_1 / 4u;

// Four rows of the four pixels in a word.
fn patch_at(at: u32) -> Patch {
    return Patch(
        unpack4x8unorm(pixels[at]),
        unpack4x8unorm(pixels[at + ROW_WORDS]),
        unpack4x8unorm(pixels[at + 2u * ROW_WORDS]),
        unpack4x8unorm(pixels[at + 3u * ROW_WORDS]),
    );
}

fn tap(quad: u32, index: u32) -> vec4<f32> {
    let at = quad * 36u + index;
    return vec4(weights[at], weights[at + 9u], weights[at + 18u], weights[at + 27u]);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = id.x % QUADS;
    let y = id.x / QUADS % SIDE_1;
    let image = id.x / (QUADS * SIDE_1);
    if image >= job.images {
        return;
    }
    let kernels = Kernels(
        mat3x4(tap(quad, 0u), tap(quad, 1u), tap(quad, 2u)),
        mat3x4(tap(quad, 3u), tap(quad, 4u), tap(quad, 5u)),
        mat3x4(tap(quad, 6u), tap(quad, 7u), tap(quad, 8u)),
    );
    let b = CONV1_BIAS + 4u * quad;
    let bias = vec4(weights[b], weights[b + 1u], weights[b + 2u], weights[b + 3u]);
    let seen = job.rows[image] * IMAGE_WORDS + 2u * y * ROW_WORDS;
    let made = (image * SIDE_1 + y) * SIDE_1 * QUADS + quad;
    var left = patch_at(seen);
    for (var word = 0u; word < SIDE_1 / 2u; word++) {
        let right = patch_at(seen + word + 1u);
        let at = made + 2u * word * QUADS;
        maps[at] = pooled(convolved(kernels, left), bias);
        maps[at + QUADS] = pooled(convolved(kernels, between(left, right)), bias);
        left = right;
    }
}
