// The gradient of softmax and cross-entropy by the logits, [images][10]: a thread for each image.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> labels: array<u32>;
@group(0) @binding(2) var<storage, {{read}}> results: array<f32>;
@group(0) @binding(3) var<storage, read_write> by_logits: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= job.images {
        return;
    }
    let label = labels[job.rows[id.x]];
    let first = id.x * CLASSES;
    var largest = results[first];
    for (var digit = 1u; digit < CLASSES; digit++) {
        largest = max(largest, results[first + digit]);
    }
    var total = 0.0;
    for (var digit = 0u; digit < CLASSES; digit++) {
        total += exp(results[first + digit] - largest);
    }
    for (var digit = 0u; digit < CLASSES; digit++) {
        let share = exp(results[first + digit] - largest) / total;
        by_logits[first + digit] = (share - select(0.0, 1.0, digit == label)) * job.share;
    }
}
