// The logits, [images][10]: a thread adds the parts of one to its bias.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> partial: array<vec4<f32>>;
@group(0) @binding(2) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> results: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.images * CLASSES {
        return;
    }
    var sums = vec4(0.0);
    for (var lane = 0u; lane < LANES / 4u; lane++) {
        sums += partial[id.x * (LANES / 4u) + lane];
    }
    results[id.x] = sums.x + sums.y + sums.z + sums.w + weights[FC_BIAS + id.x % CLASSES];
}
