// `RMSprop`, as `fused/update.rs` has it.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> gradient: array<f32>;
@group(0) @binding(2) var<storage, read_write> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> turned_weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> mean_squares: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let parameter = id.x;
    if parameter >= PARAMETERS {
        return;
    }
    let by = gradient[parameter];
    let before = mean_squares[parameter];
    let square = flushed(before + (by * by - before) * job.square_share);
    mean_squares[parameter] = square;
    let weight = weights[parameter] - by * job.rate / sqrt(square + job.epsilon);
    weights[parameter] = weight;
    if is_turned(parameter) {
        turned_weights[turned(parameter)] = weight;
    }
}
