// Parts of the logits, [images][10][64]: a thread sums every 64th feature of four images.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> features: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> mask: array<u32>;
@group(0) @binding(3) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;

fn kept(image: u32, feature: u32) -> f32 {
    let word = mask[image * MASK_WORDS + feature / 32u];
    let is_kept = job.dropped == 0u || ((word >> (feature % 32u)) & 1u) == 1u;
    return select(0.0, features[image * FEATURES + feature] * job.factor, is_kept);
}

fn put(images: vec4<u32>, digit: u32, lane: u32, sums: vec4<f32>) {
    let at = (images * CLASSES + digit) * LANES + lane;
    partial[at.x] = sums.x;
    partial[at.y] = sums.y;
    partial[at.z] = sums.z;
    partial[at.w] = sums.w;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let lane = id.x % LANES;
    let first = id.x / LANES * 4u;
    if first >= job.images {
        return;
    }
    // Beyond the last image it is the last one once more.
    let images = min(vec4(first) + vec4(0u, 1u, 2u, 3u), vec4(job.images - 1u));
    var sum_0 = vec4(0.0);
    var sum_1 = vec4(0.0);
    var sum_2 = vec4(0.0);
    var sum_3 = vec4(0.0);
    var sum_4 = vec4(0.0);
    var sum_5 = vec4(0.0);
    var sum_6 = vec4(0.0);
    var sum_7 = vec4(0.0);
    var sum_8 = vec4(0.0);
    var sum_9 = vec4(0.0);
    for (var feature = lane; feature < FEATURES; feature += LANES) {
        let seen = vec4(
            kept(images.x, feature),
            kept(images.y, feature),
            kept(images.z, feature),
            kept(images.w, feature),
        );
        let at = FC_WEIGHT + feature;
        sum_0 += seen * weights[at];
        sum_1 += seen * weights[at + FEATURES];
        sum_2 += seen * weights[at + 2u * FEATURES];
        sum_3 += seen * weights[at + 3u * FEATURES];
        sum_4 += seen * weights[at + 4u * FEATURES];
        sum_5 += seen * weights[at + 5u * FEATURES];
        sum_6 += seen * weights[at + 6u * FEATURES];
        sum_7 += seen * weights[at + 7u * FEATURES];
        sum_8 += seen * weights[at + 8u * FEATURES];
        sum_9 += seen * weights[at + 9u * FEATURES];
    }
    put(images, 0u, lane, sum_0);
    put(images, 1u, lane, sum_1);
    put(images, 2u, lane, sum_2);
    put(images, 3u, lane, sum_3);
    put(images, 4u, lane, sum_4);
    put(images, 5u, lane, sum_5);
    put(images, 6u, lane, sum_6);
    put(images, 7u, lane, sum_7);
    put(images, 8u, lane, sum_8);
    put(images, 9u, lane, sum_9);
}
