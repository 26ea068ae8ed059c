// The gradient by what the first block made, through its ReLU. A thread makes four rows of one
// channel.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, {{read}}> maps: array<u32>;
@group(0) @binding(2) var<storage, {{read}}> by_features: array<u32>;
@group(0) @binding(3) var<storage, {{read}}> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_maps: array<u32>;

const BANDS = SIDE_1 / 4u;

// Twelve columns of a map.
struct Row {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
}

// The upper and the lower places of a row of windows, ten columns and two of nothing.
struct Places {
    upper: Row,
    lower: Row,
}

// Two places of four windows, side by side.
fn beside(left: vec4<f32>, right: vec4<f32>) -> array<vec4<f32>, 2> {
    return array(
        vec4(left.x, right.x, left.y, right.y),
        vec4(left.z, right.z, left.w, right.w),
    );
}

// The gradients at the places of a row of windows; nothing above the first and below the last.
fn places(feature: u32, y: i32) -> Places {
    let at = feature + u32(clamp(y, 0, i32(SIDE_2) - 1)) * SIDE_2;
    let is_there = y >= 0 && y < i32(SIDE_2);
    let four = select(
        vec4(0u),
        vec4(by_features[at], by_features[at + 1u], by_features[at + 2u], by_features[at + 3u]),
        is_there,
    );
    let fifth = select(0u, by_features[at + 4u], is_there);
    let by = bitcast<vec4<f32>>(four & vec4(VALUE));
    let place = four & vec4(PLACE);
    let upper = beside(
        select(vec4(0.0), by, place == vec4(0u)),
        select(vec4(0.0), by, place == vec4(1u)),
    );
    let lower = beside(
        select(vec4(0.0), by, place == vec4(2u)),
        select(vec4(0.0), by, place == vec4(3u)),
    );
    let last = select(
        vec4(0.0),
        vec4(bitcast<f32>(fifth & VALUE)),
        vec4(fifth & PLACE) == vec4(0u, 1u, 2u, 3u),
    );
    return Places(
        Row(upper[0], upper[1], vec4(last.xy, 0.0, 0.0)),
        Row(lower[0], lower[1], vec4(last.zw, 0.0, 0.0)),
    );
}

// The sums with those of one row of the kernel, whose taps reach to the right.
fn added(sums: Row, row: Row, taps: vec3<f32>) -> Row {
    return Row(
        sums.a + row.a * taps.x + vec4(0.0, row.a.xyz) * taps.y
            + vec4(0.0, 0.0, row.a.xy) * taps.z,
        sums.b + row.b * taps.x + vec4(row.a.w, row.b.xyz) * taps.y
            + vec4(row.a.zw, row.b.xy) * taps.z,
        sums.c + row.c * taps.x + vec4(row.b.w, row.c.xyz) * taps.y
            + vec4(row.b.zw, row.c.xy) * taps.z,
    );
}

fn put_one(at: u32, by: f32) {
    let bits = maps[at];
    by_maps[at] = select(0u, (bitcast<u32>(by) & VALUE) | (bits & PLACE), bits != 0u);
}

fn put(at: u32, by: vec4<f32>) {
    put_one(at, by.x);
    put_one(at + CHANNELS_1, by.y);
    put_one(at + 2u * CHANNELS_1, by.z);
    put_one(at + 3u * CHANNELS_1, by.w);
}

fn put_row(at: u32, row: Row) {
    put(at, row.a);
    put(at + 4u * CHANNELS_1, row.b);
    put(at + 8u * CHANNELS_1, row.c);
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x % CHANNELS_1;
    let band = id.x / CHANNELS_1 % BANDS;
    let image = id.x / (CHANNELS_1 * BANDS);
    if image >= job.images {
        return;
    }
    let y = 2 * i32(band);
    var row_0 = Row();
    var row_1 = Row();
    var row_2 = Row();
    var row_3 = Row();
    for (var out = 0u; out < CHANNELS_2; out++) {
        let feature = image * FEATURES + out * WINDOWS_2;
        let above = places(feature, y - 1);
        let here = places(feature, y);
        let below = places(feature, y + 1);
        let w = CONV2_WEIGHT + (out * CHANNELS_1 + channel) * 9u;
        let top = vec3(weights[w], weights[w + 1u], weights[w + 2u]);
        let middle = vec3(weights[w + 3u], weights[w + 4u], weights[w + 5u]);
        let bottom = vec3(weights[w + 6u], weights[w + 7u], weights[w + 8u]);
        row_0 = added(added(added(row_0, here.upper, top), above.lower, middle), above.upper, bottom);
        row_1 = added(added(added(row_1, here.lower, top), here.upper, middle), above.lower, bottom);
        row_2 = added(added(added(row_2, below.upper, top), here.lower, middle), here.upper, bottom);
        row_3 = added(added(added(row_3, below.lower, top), below.upper, middle), here.lower, bottom);
    }
    const ROW = SIDE_1 * CHANNELS_1;
    let made = (image * SIDE_1 + 4u * band) * ROW + channel;
    put_row(made, row_0);
    put_row(made + ROW, row_1);
    put_row(made + 2u * ROW, row_2);
    put_row(made + 3u * ROW, row_3);
}
