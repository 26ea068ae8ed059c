// The gradient by the first convolution's kernels and biases, in parts. A thread takes every second
// row of windows of one channel and some images.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> pixels: array<u32>;
@group(0) @binding(2) var<storage, {{read}}> by_maps: array<u32>;
@group(0) @binding(3) var<storage, read_write> conv1_parts: array<f32>;

// The gradient at the four places of a window; one of them has any.
fn places(at: u32) -> vec4<f32> {
    let bits = by_maps[at];
    let is_place = vec4(bits & PLACE) == vec4(0u, 1u, 2u, 3u);
    return select(vec4(0.0), vec4(bitcast<f32>(bits & VALUE)), is_place);
}

fn pixels_at(word: u32) -> vec4<f32> {
    return unpack4x8unorm(pixels[word]);
}

// What a row of the kernel has seen at a window's places: columns from an upper row and a lower one.
fn taps(by: vec4<f32>, upper: vec4<f32>, lower: vec4<f32>) -> vec3<f32> {
    return vec3(
        dot(by, vec4(upper.xy, lower.xy)),
        dot(by, vec4(upper.yz, lower.yz)),
        dot(by, vec4(upper.zw, lower.zw)),
    );
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x % CHANNELS_1;
    let half = id.x / CHANNELS_1 % 2u;
    let part = id.x / (2u * CHANNELS_1);
    let first = part * job.conv_images;
    if first >= job.images {
        return;
    }
    let last = min(first + job.conv_images, job.images);
    var top = vec3(0.0);
    var middle = vec3(0.0);
    var bottom = vec3(0.0);
    var bias = 0.0;
    for (var image = first; image < last; image++) {
        for (var y = half; y < SIDE_1; y += 2u) {
            let row = job.rows[image] * IMAGE_WORDS + 2u * y * ROW_WORDS;
            let made = (image * SIDE_1 + y) * SIDE_1 * CHANNELS_1 + channel;
            for (var word = 0u; word < SIDE_1 / 2u; word++) {
                let at = row + word;
                let a = pixels_at(at);
                let b = pixels_at(at + ROW_WORDS);
                let c = pixels_at(at + 2u * ROW_WORDS);
                let d = pixels_at(at + 3u * ROW_WORDS);
                let e = vec4(a.zw, pixels_at(at + 1u).xy);
                let f = vec4(b.zw, pixels_at(at + ROW_WORDS + 1u).xy);
                let g = vec4(c.zw, pixels_at(at + 2u * ROW_WORDS + 1u).xy);
                let h = vec4(d.zw, pixels_at(at + 3u * ROW_WORDS + 1u).xy);
                let left = places(made + 2u * word * CHANNELS_1);
                let right = places(made + (2u * word + 1u) * CHANNELS_1);
                top += taps(left, a, b) + taps(right, e, f);
                middle += taps(left, b, c) + taps(right, f, g);
                bottom += taps(left, c, d) + taps(right, g, h);
                bias += dot(left + right, vec4(1.0));
            }
        }
    }
    let parts = (2u * part + half) * CONV1_PART;
    let at = parts + 9u * channel;
    conv1_parts[at] = top.x;
    conv1_parts[at + 1u] = top.y;
    conv1_parts[at + 2u] = top.z;
    conv1_parts[at + 3u] = middle.x;
    conv1_parts[at + 4u] = middle.y;
    conv1_parts[at + 5u] = middle.z;
    conv1_parts[at + 6u] = bottom.x;
    conv1_parts[at + 7u] = bottom.y;
    conv1_parts[at + 8u] = bottom.z;
    conv1_parts[parts + CONV1_BIAS + channel] = bias;
}
