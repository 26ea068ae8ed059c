// The gradient by the second convolution's kernels and biases, in parts. A thread takes one channel
// in, eight channels out and some images.
//
// Of each window one place has a gradient; all four are multiplied, which is faster than to branch.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> maps: array<f32>;
@group(0) @binding(2) var<storage, {{read}}> by_features: array<u32>;
@group(0) @binding(3) var<storage, read_write> conv2_parts: array<f32>;

const GROUPS = CHANNELS_2 / 8u;

// Twelve columns of a map.
struct Row {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
}

// Of four channels out, a row of windows: the gradients at each place, a column of channels.
struct Windows {
    w_0: mat4x4<f32>,
    w_1: mat4x4<f32>,
    w_2: mat4x4<f32>,
    w_3: mat4x4<f32>,
    w_4: mat4x4<f32>,
}

// Of four channels out, the sums for each tap and the bias.
struct Sums {
    t_0: vec4<f32>,
    t_1: vec4<f32>,
    t_2: vec4<f32>,
    t_3: vec4<f32>,
    t_4: vec4<f32>,
    t_5: vec4<f32>,
    t_6: vec4<f32>,
    t_7: vec4<f32>,
    t_8: vec4<f32>,
    bias: vec4<f32>,
}

fn four(at: u32) -> vec4<f32> {
    return vec4(
        maps[at],
        maps[at + CHANNELS_1],
        maps[at + 2u * CHANNELS_1],
        maps[at + 3u * CHANNELS_1],
    );
}

fn row(at: u32) -> Row {
    return Row(four(at), four(at + 4u * CHANNELS_1), four(at + 8u * CHANNELS_1));
}

// The row from its second column on, and from its third; what comes in at the end is never seen.
fn on_by_1(row: Row) -> Row {
    return Row(vec4(row.a.yzw, row.b.x), vec4(row.b.yzw, row.c.x), row.c.yzww);
}

fn on_by_2(row: Row) -> Row {
    return Row(vec4(row.a.zw, row.b.xy), vec4(row.b.zw, row.c.xy), row.c.zwww);
}

fn window(at: u32) -> mat4x4<f32> {
    let bits = vec4(
        by_features[at],
        by_features[at + WINDOWS_2],
        by_features[at + 2u * WINDOWS_2],
        by_features[at + 3u * WINDOWS_2],
    );
    let by = bitcast<vec4<f32>>(bits & vec4(VALUE));
    let place = bits & vec4(PLACE);
    return mat4x4(
        select(vec4(0.0), by, place == vec4(0u)),
        select(vec4(0.0), by, place == vec4(1u)),
        select(vec4(0.0), by, place == vec4(2u)),
        select(vec4(0.0), by, place == vec4(3u)),
    );
}

fn windows(at: u32) -> Windows {
    return Windows(window(at), window(at + 1u), window(at + 2u), window(at + 3u), window(at + 4u));
}

// What one tap has seen at all places of the windows: columns from an upper row and a lower one.
fn tap(by: Windows, upper: Row, lower: Row) -> vec4<f32> {
    return by.w_0 * vec4(upper.a.xy, lower.a.xy) + by.w_1 * vec4(upper.a.zw, lower.a.zw)
        + by.w_2 * vec4(upper.b.xy, lower.b.xy) + by.w_3 * vec4(upper.b.zw, lower.b.zw)
        + by.w_4 * vec4(upper.c.xy, lower.c.xy);
}

fn added(sums: Sums, by: Windows, a: Row, b: Row, c: Row, d: Row) -> Sums {
    return Sums(
        sums.t_0 + tap(by, a, b),
        sums.t_1 + tap(by, on_by_1(a), on_by_1(b)),
        sums.t_2 + tap(by, on_by_2(a), on_by_2(b)),
        sums.t_3 + tap(by, b, c),
        sums.t_4 + tap(by, on_by_1(b), on_by_1(c)),
        sums.t_5 + tap(by, on_by_2(b), on_by_2(c)),
        sums.t_6 + tap(by, c, d),
        sums.t_7 + tap(by, on_by_1(c), on_by_1(d)),
        sums.t_8 + tap(by, on_by_2(c), on_by_2(d)),
        sums.bias + (by.w_0 + by.w_1 + by.w_2 + by.w_3 + by.w_4) * vec4(1.0),
    );
}

fn put(at: u32, sums: vec4<f32>) {
    const KERNELS = 9u * CHANNELS_1;
    conv2_parts[at] = sums.x;
    conv2_parts[at + KERNELS] = sums.y;
    conv2_parts[at + 2u * KERNELS] = sums.z;
    conv2_parts[at + 3u * KERNELS] = sums.w;
}

fn put_all(part: u32, out: u32, channel: u32, sums: Sums) {
    let at = part * CONV2_PART + (out * CHANNELS_1 + channel) * 9u;
    put(at, sums.t_0);
    put(at + 1u, sums.t_1);
    put(at + 2u, sums.t_2);
    put(at + 3u, sums.t_3);
    put(at + 4u, sums.t_4);
    put(at + 5u, sums.t_5);
    put(at + 6u, sums.t_6);
    put(at + 7u, sums.t_7);
    put(at + 8u, sums.t_8);
    if channel == 0u {
        let biases = part * CONV2_PART + (CONV2_BIAS - CONV2_WEIGHT) + out;
        conv2_parts[biases] = sums.bias.x;
        conv2_parts[biases + 1u] = sums.bias.y;
        conv2_parts[biases + 2u] = sums.bias.z;
        conv2_parts[biases + 3u] = sums.bias.w;
    }
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x % CHANNELS_1;
    let out = id.x / CHANNELS_1 % GROUPS * 8u;
    let part = id.x / (CHANNELS_1 * GROUPS);
    let first = part * job.conv_images;
    if first >= job.images {
        return;
    }
    let last = min(first + job.conv_images, job.images);
    var left = Sums();
    var right = Sums();
    for (var image = first; image < last; image++) {
        for (var y = 0u; y < SIDE_2; y++) {
            const ROW = SIDE_1 * CHANNELS_1;
            let seen = (image * SIDE_1 + 2u * y) * ROW + channel;
            let a = row(seen);
            let b = row(seen + ROW);
            let c = row(seen + 2u * ROW);
            let d = row(seen + 3u * ROW);
            let at = image * FEATURES + out * WINDOWS_2 + y * SIDE_2;
            left = added(left, windows(at), a, b, c, d);
            right = added(right, windows(at + 4u * WINDOWS_2), a, b, c, d);
        }
    }
    put_all(part, out, channel, left);
    put_all(part, out + 4u, channel, right);
}
