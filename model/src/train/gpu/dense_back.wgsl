// Back through the dense layer: the gradient by the features, through dropout and ReLU, and the
// layer's own in parts. A thread takes four features of some images.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> features: array<vec4<u32>>;
@group(0) @binding(2) var<storage, {{read}}> mask: array<u32>;
@group(0) @binding(3) var<storage, {{read}}> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, {{read}}> by_logits: array<f32>;
@group(0) @binding(5) var<storage, read_write> by_features: array<vec4<u32>>;
@group(0) @binding(6) var<storage, read_write> dense_parts: array<vec4<f32>>;

const QUADS = FEATURES / 4u;

fn weight(quad: u32, digit: u32) -> vec4<f32> {
    return weights[FC_WEIGHT / 4u + digit * QUADS + quad];
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = id.x % QUADS;
    let part = id.x / QUADS;
    let first = part * job.dense_images;
    if first >= job.images {
        return;
    }
    let last = min(first + job.dense_images, job.images);
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
    var bias_a = vec4(0.0);
    var bias_b = vec4(0.0);
    var bias_c = vec2(0.0);
    for (var image = first; image < last; image++) {
        let at = image * CLASSES;
        let a = vec4(by_logits[at], by_logits[at + 1u], by_logits[at + 2u], by_logits[at + 3u]);
        let b = vec4(by_logits[at + 4u], by_logits[at + 5u], by_logits[at + 6u], by_logits[at + 7u]);
        let c = vec2(by_logits[at + 8u], by_logits[at + 9u]);
        bias_a += a;
        bias_b += b;
        bias_c += c;
        let word = mask[image * MASK_WORDS + quad / 8u] >> (4u * quad % 32u);
        let is_kept = (vec4(word) & vec4(1u, 2u, 4u, 8u)) != vec4(0u);
        let bits = select(
            vec4(0u),
            features[image * QUADS + quad],
            is_kept | vec4(job.dropped == 0u),
        );
        let seen = bitcast<vec4<f32>>(bits & vec4(VALUE)) * job.factor;
        sum_0 += seen * a.x;
        sum_1 += seen * a.y;
        sum_2 += seen * a.z;
        sum_3 += seen * a.w;
        sum_4 += seen * b.x;
        sum_5 += seen * b.y;
        sum_6 += seen * b.z;
        sum_7 += seen * b.w;
        sum_8 += seen * c.x;
        sum_9 += seen * c.y;
        let by = (weight(quad, 0u) * a.x + weight(quad, 1u) * a.y + weight(quad, 2u) * a.z
            + weight(quad, 3u) * a.w + weight(quad, 4u) * b.x + weight(quad, 5u) * b.y
            + weight(quad, 6u) * b.z + weight(quad, 7u) * b.w + weight(quad, 8u) * c.x
            + weight(quad, 9u) * c.y) * job.factor;
        by_features[image * QUADS + quad] = select(
            vec4(0u),
            (bitcast<vec4<u32>>(by) & vec4(VALUE)) | (bits & vec4(PLACE)),
            bits != vec4(0u),
        );
    }
    let at = part * (DENSE_PART / 4u) + quad;
    dense_parts[at] = sum_0;
    dense_parts[at + QUADS] = sum_1;
    dense_parts[at + 2u * QUADS] = sum_2;
    dense_parts[at + 3u * QUADS] = sum_3;
    dense_parts[at + 4u * QUADS] = sum_4;
    dense_parts[at + 5u * QUADS] = sum_5;
    dense_parts[at + 6u * QUADS] = sum_6;
    dense_parts[at + 7u * QUADS] = sum_7;
    dense_parts[at + 8u * QUADS] = sum_8;
    dense_parts[at + 9u * QUADS] = sum_9;
    if quad == 0u {
        let biases = at + 10u * QUADS;
        dense_parts[biases] = bias_a;
        dense_parts[biases + 1u] = bias_b;
        dense_parts[biases + 2u] = vec4(bias_c, 0.0, 0.0);
    }
}
