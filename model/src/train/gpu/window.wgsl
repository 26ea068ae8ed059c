// Convolution 3 x 3, pooling 2 x 2, bias and ReLU in one, for four channels at once.

// Of four channels, the three rows of their kernels.
struct Kernels {
    top: mat3x4<f32>,
    middle: mat3x4<f32>,
    bottom: mat3x4<f32>,
}

// The four rows and four columns that a window sees.
struct Patch {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
}

// The patch two columns on.
fn between(left: Patch, right: Patch) -> Patch {
    return Patch(
        vec4(left.a.zw, right.a.xy),
        vec4(left.b.zw, right.b.xy),
        vec4(left.c.zw, right.c.xy),
        vec4(left.d.zw, right.d.xy),
    );
}

// The sums at a window's four places, a column of channels each.
fn convolved(k: Kernels, p: Patch) -> mat4x4<f32> {
    return mat4x4(
        k.top * p.a.xyz + k.middle * p.b.xyz + k.bottom * p.c.xyz,
        k.top * p.a.yzw + k.middle * p.b.yzw + k.bottom * p.c.yzw,
        k.top * p.b.xyz + k.middle * p.c.xyz + k.bottom * p.d.xyz,
        k.top * p.b.yzw + k.middle * p.c.yzw + k.bottom * p.d.yzw,
    );
}

// The largest of the four places plus the bias, and which it was; of equal ones the first. Nothing
// where the ReLU is shut. What is no number stays so: bits are compared, since a compiler may take
// it that every float is a number.
fn pooled(places: mat4x4<f32>, bias: vec4<f32>) -> vec4<u32> {
    let is_1 = places[1] > places[0];
    let top = select(places[0], places[1], is_1);
    let is_2 = places[2] > top;
    let three = select(top, places[2], is_2);
    let is_3 = places[3] > three;
    let largest = select(three, places[3], is_3);
    let place = select(select(select(vec4(0u), vec4(1u), is_1), vec4(2u), is_2), vec4(3u), is_3);
    let bits = bitcast<vec4<u32>>(largest + bias);
    let is_positive = bits - vec4(1u) < vec4(0x7fffffffu);
    let is_no_number = bits > vec4(0xff800000u);
    return select(vec4(0u), (bits & vec4(VALUE)) | place, is_positive | is_no_number);
}
