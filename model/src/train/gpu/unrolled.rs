//! Parts of the kernels that are written out.
//!
//! The three kernels of the second convolution keep tens of sums in registers. WGSL has no arrays
//! there and no loop that is surely unrolled, and a function that returns a vector or a structure
//! costs a software adapter a store and a load of each of its numbers. So their sums are scalars
//! with numbered names, and what a loop would do with them stands here.

use std::fmt::Display;

use crate::spec::{CONV1_CHANNELS, KERNEL_SIDE, POOL_SIDE};
use crate::train::engine::Tiles;
use crate::train::fused::{SIDE_1, SIDE_2, WINDOWS_2};

/// A part's name in the kernel's text, and the part.
pub type Part = (&'static str, String);

const TAPS: usize = KERNEL_SIDE * KERNEL_SIDE;
const PLACES: usize = POOL_SIDE * POOL_SIDE;
/// Places along a side that have a sum in the second convolution.
const SUMS_SIDE: usize = POOL_SIDE * SIDE_2;
/// Channels out that a vector of weights has.
const QUAD: usize = 4;
/// Rows of the gradient by the input that a thread makes, and of how many channels.
const INPUT_ROWS: usize = 4;
const INPUT_CHANNELS: usize = 2;
/// Rows of windows that reach these rows.
const INPUT_WINDOW_ROWS: [&str; 3] = ["above", "upper", "lower"];

/// Rows of windows, of five, that a thread of `conv2.wgsl` makes.
pub fn window_rows(tiles: Tiles) -> usize {
    match tiles {
        Tiles::Small => 1,
        Tiles::Large => SIDE_2,
    }
}

/// Channels out whose kernels' gradients a thread of `conv2_weights.wgsl` sums.
pub fn outs(tiles: Tiles) -> usize {
    match tiles {
        Tiles::Small => 8,
        Tiles::Large => 16,
    }
}

/// Some lines, one for each item.
fn lines<T, L: Display>(items: impl IntoIterator<Item = T>, line: impl Fn(T) -> L) -> String {
    items
        .into_iter()
        .map(|item| format!("{}\n", line(item)))
        .collect()
}

/// All pairs of two indices.
fn pairs(first: usize, second: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..first).flat_map(move |one| (0..second).map(move |other| (one, other)))
}

/// One expression: a variable that is stored to in between costs more than its sum.
fn sum(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" + ")
}

/// All triples of three indices.
fn triples(
    first: usize,
    second: usize,
    third: usize,
) -> impl Iterator<Item = (usize, usize, usize)> {
    pairs(first, second).flat_map(move |(one, two)| (0..third).map(move |three| (one, two, three)))
}

/// What some rows of windows see of a map, from `patch_at` on.
fn patch(window_rows: usize) -> String {
    lines(
        pairs(POOL_SIDE * window_rows + KERNEL_SIDE - 1, SIDE_1),
        |(row, column)| {
            let at = (row * SIDE_1 + column) * CONV1_CHANNELS;
            format!("let seen_{row}_{column} = maps[patch_at + {at}u];")
        },
    )
}

/// Four factors of a window's gradient, of which three are zero.
fn factors(window: &str, bits: &str) -> String {
    let places = lines(0..PLACES, |place| {
        format!(
            "let {window}_{place} = select(0.0, {window}, ({window}_bits & PLACE) == {place}u);"
        )
    });
    format!(
        "let {window}_bits = {bits};\n\
         let {window} = bitcast<f32>({window}_bits & VALUE);\n{places}"
    )
}

/// Of `conv2.wgsl`.
pub fn conv2(tiles: Tiles) -> Vec<Part> {
    let rows = window_rows(tiles);
    let all = || triples(POOL_SIDE * rows, SUMS_SIDE, QUAD);
    let products = lines(all(), |(row, column, out)| {
        let terms = (0..TAPS).map(|tap| {
            let (down, right) = (row + tap / KERNEL_SIDE, column + tap % KERNEL_SIDE);
            format!("seen_{down}_{right} * kernel_{tap}[{out}]")
        });
        format!("sum_{row}_{column}_{out} += {};", sum(terms))
    });
    let windows = lines(triples(rows, SIDE_2, QUAD), |(row, window, out)| {
        let at = out * WINDOWS_2 + row * SIDE_2 + window;
        let places = (0..PLACES).map(|place| {
            let (down, right) = (place / POOL_SIDE, place % POOL_SIDE);
            let (down, right) = (POOL_SIDE * row + down, POOL_SIDE * window + right);
            format!("sum_{down}_{right}_{out}")
        });
        let places = places.collect::<Vec<_>>().join(", ");
        format!("put(made + {at}u, weights[b + {out}u], {places});")
    });
    vec![
        ("window_rows", rows.to_string()),
        (
            "sums",
            lines(all(), |(row, column, out)| {
                format!("var sum_{row}_{column}_{out} = 0.0;")
            }),
        ),
        (
            "kernels",
            lines(0..TAPS, |tap| {
                format!("let kernel_{tap} = turned_weights[kernels + {tap}u * QUADS];")
            }),
        ),
        ("patch", patch(rows)),
        ("products", products),
        ("windows", windows),
    ]
}

/// Of `conv2_weights.wgsl`.
pub fn conv2_weights(tiles: Tiles) -> Vec<Part> {
    let outs = outs(tiles);
    let sums = lines(pairs(outs, TAPS), |(out, tap)| {
        format!("var sum_{out}_{tap} = 0.0;")
    });
    let biases = lines(0..outs, |out| format!("var bias_{out} = 0.0;"));
    let products = lines(0..outs, |out| {
        let windows = lines(0..SIDE_2, |window| {
            let at = out * WINDOWS_2 + window;
            factors(
                &format!("by_{window}"),
                &format!("by_features[feature + {at}u]"),
            )
        });
        let taps = lines(0..TAPS, |tap| {
            let terms = pairs(SIDE_2, PLACES).map(|(window, place)| {
                let (down, right) = (place / POOL_SIDE, place % POOL_SIDE);
                let row = down + tap / KERNEL_SIDE;
                let column = POOL_SIDE * window + right + tap % KERNEL_SIDE;
                format!("by_{window}_{place} * seen_{row}_{column}")
            });
            format!("sum_{out}_{tap} += {};", sum(terms))
        });
        let bias = sum((0..SIDE_2).map(|window| format!("by_{window}")));
        format!("{{\n{windows}{taps}bias_{out} += {bias};\n}}")
    });
    vec![
        ("outs", outs.to_string()),
        ("sums", sums + &biases),
        ("patch", patch(1)),
        ("products", products),
        (
            "results",
            lines(pairs(outs, TAPS), |(out, tap)| {
                let at = out * CONV1_CHANNELS * TAPS + tap;
                format!("conv2_parts[made + {at}u] = sum_{out}_{tap};")
            }),
        ),
        (
            "biases",
            lines(0..outs, |out| {
                format!("conv2_parts[biases + {out}u] = bias_{out};")
            }),
        ),
    ]
}

/// Of `conv2_input.wgsl`.
pub fn conv2_input(_: Tiles) -> Vec<Part> {
    let all = || triples(INPUT_ROWS, SIDE_1, INPUT_CHANNELS);
    let windows = INPUT_WINDOW_ROWS.iter().enumerate();
    let windows = windows.flat_map(|(row, at)| (0..SIDE_2).map(move |column| (row, at, column)));
    let places = lines(windows, |(row, at, column)| {
        let bits = format!("by_features[feature + {at} + {column}u]");
        let bits = match *at {
            "above" => format!("select({bits}, 0u, is_first)"),
            "lower" => format!("select({bits}, 0u, is_last)"),
            _ => bits,
        };
        factors(&format!("by_{row}_{column}"), &bits)
    });
    let products = lines(all(), |(row, column, channel)| {
        let terms = (0..TAPS).filter_map(|tap| {
            // The first row of windows lies two rows of places above this thread's first row.
            let down = row + POOL_SIDE - tap / KERNEL_SIDE;
            let right = column.checked_sub(tap % KERNEL_SIDE)?;
            let place = down % POOL_SIDE * POOL_SIDE + right % POOL_SIDE;
            let (window_row, window) = (down / POOL_SIDE, right / POOL_SIDE);
            (window < SIDE_2)
                .then(|| format!("by_{window_row}_{window}_{place} * kernel_{channel}_{tap}"))
        });
        format!("sum_{row}_{column}_{channel} += {};", sum(terms))
    });
    vec![
        (
            "sums",
            lines(all(), |(row, column, channel)| {
                format!("var sum_{row}_{column}_{channel} = 0.0;")
            }),
        ),
        (
            "kernels",
            lines(pairs(INPUT_CHANNELS, TAPS), |(channel, tap)| {
                let at = channel * TAPS + tap;
                format!("let kernel_{channel}_{tap} = weights[kernel + {at}u];")
            }),
        ),
        ("places", places),
        ("products", products),
        (
            "results",
            lines(all(), |(row, column, channel)| {
                let at = (row * SIDE_1 + column) * CONV1_CHANNELS + channel;
                format!("put(made + {at}u, sum_{row}_{column}_{channel});")
            }),
        ),
    ]
}
