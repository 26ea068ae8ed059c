// Adam, and AdamW where a decay takes something from the weights, as `fused/update.rs` has them.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> turned_weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> means: array<f32>;
@group(0) @binding(5) var<storage, read_write> mean_squares: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let parameter = id.x;
    if parameter >= PARAMETERS {
        return;
    }
    let by = gradient[parameter];
    let before = means[parameter];
    let square_before = mean_squares[parameter];
    let mean = flushed(before + (by - before) * job.mean_share);
    let square = flushed(square_before + (by * by - square_before) * job.square_share);
    means[parameter] = mean;
    mean_squares[parameter] = square;
    let decayed = weights[parameter] - weights[parameter] * job.decay;
    let weight = decayed - mean * job.rate / (sqrt(square) + job.epsilon);
    weights[parameter] = weight;
    if is_turned(parameter) {
        turned_weights[turned(parameter)] = weight;
    }
}
