// Copies weights, and turns the second convolution's kernels.

@group(0) @binding(0) var<storage, {{read}}> source: array<f32>;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> turned_weights: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let parameter = id.x;
    if parameter >= PARAMETERS {
        return;
    }
    let weight = source[parameter];
    weights[parameter] = weight;
    if is_turned(parameter) {
        turned_weights[turned(parameter)] = weight;
    }
}
