// Parts of the gradient's squared length: a thread adds every 256th square.

@group(0) @binding(0) var<storage, {{read}}> gradient: array<f32>;
@group(0) @binding(1) var<storage, read_write> squares: array<f32>;

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= SQUARES {
        return;
    }
    var sum = 0.0;
    for (var parameter = id.x; parameter < PARAMETERS; parameter += SQUARES) {
        sum += gradient[parameter] * gradient[parameter];
    }
    squares[id.x] = sum;
}
