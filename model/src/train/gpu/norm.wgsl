// The gradient's length, behind the logits.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> squares: array<f32>;
@group(0) @binding(2) var<storage, read_write> results: array<f32>;

@compute @workgroup_size(1)
fn main() {
    var sum = 0.0;
    for (var part = 0u; part < SQUARES; part++) {
        sum += squares[part];
    }
    results[job.images * CLASSES] = sqrt(sum);
}
