// The whole gradient, flat: a thread adds the parts of one parameter, in order.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> conv1_parts: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> conv2_parts: array<f32>;
@group(0) @binding(3) var<storage, {{read}}> dense_parts: array<f32>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

fn parts(each: u32) -> u32 {
    return (job.images + each - 1u) / each;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let parameter = id.x;
    if parameter >= PARAMETERS {
        return;
    }
    var sum = 0.0;
    if parameter < CONV2_WEIGHT {
        for (var part = 0u; part < 2u * parts(job.conv_images); part++) {
            sum += conv1_parts[part * CONV1_PART + parameter];
        }
    } else if parameter < FC_WEIGHT {
        for (var part = 0u; part < parts(job.conv_images); part++) {
            sum += conv2_parts[part * CONV2_PART + parameter - CONV2_WEIGHT];
        }
    } else {
        for (var part = 0u; part < parts(job.dense_images); part++) {
            sum += dense_parts[part * DENSE_PART + parameter - FC_WEIGHT];
        }
    }
    gradient[parameter] = sum;
}
