// Which features dropout keeps: a bit each, 32 to a word, the draws of `batch.rs` bit by bit.
//
// The key is the seed and what the numbers are for, the stream is the step, the position is the
// feature of all the batch's. A thread draws two blocks of ChaCha with eight rounds.

@group(0) @binding(0) var<storage, {{read}}> job: Job;
@group(0) @binding(1) var<storage, read_write> mask: array<u32>;

struct Block {
    a: vec4<u32>,
    b: vec4<u32>,
    c: vec4<u32>,
    d: vec4<u32>,
}

fn rotated(words: vec4<u32>, by: u32) -> vec4<u32> {
    return (words << vec4(by)) | (words >> vec4(32u - by));
}

// A quarter round on each of the four columns.
fn stirred(block: Block) -> Block {
    let a_1 = block.a + block.b;
    let d_1 = rotated(block.d ^ a_1, 16u);
    let c_1 = block.c + d_1;
    let b_1 = rotated(block.b ^ c_1, 12u);
    let a_2 = a_1 + b_1;
    let d_2 = rotated(d_1 ^ a_2, 8u);
    let c_2 = c_1 + d_2;
    return Block(a_2, rotated(b_1 ^ c_2, 7u), c_2, d_2);
}

fn drawn(number: u32) -> Block {
    let start = Block(
        vec4(0x61707865u, 0x3320646eu, 0x79622d32u, 0x6b206574u),
        vec4(job.seed, DROPOUT, 0u, 0u),
        vec4(0u),
        vec4(number, 0u, job.steps_done, 0u),
    );
    var block = start;
    for (var round = 0u; round < 8u; round += 2u) {
        block = stirred(block);
        block = stirred(Block(block.a, block.b.yzwx, block.c.zwxy, block.d.wxyz));
        block = Block(block.a, block.b.wxyz, block.c.zwxy, block.d.yzwx);
    }
    return Block(block.a + start.a, block.b + start.b, block.c + start.c, block.d + start.d);
}

// Four bits from bit `first` on.
fn kept(numbers: vec4<u32>, first: u32) -> u32 {
    let is_kept = (numbers >> vec4(8u)) >= vec4(job.dropped);
    let bits = select(vec4(0u), vec4(1u, 2u, 4u, 8u), is_kept);
    return (bits.x | bits.y | bits.z | bits.w) << first;
}

@compute @workgroup_size(GROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let word = id.x;
    if word >= job.images * MASK_WORDS {
        return;
    }
    let low = drawn(2u * word);
    let high = drawn(2u * word + 1u);
    mask[word] = kept(low.a, 0u) | kept(low.b, 4u) | kept(low.c, 8u) | kept(low.d, 12u)
        | kept(high.a, 16u) | kept(high.b, 20u) | kept(high.c, 24u) | kept(high.d, 28u);
}
