//! Whether digits lie on their side, as EMNIST's files have them: rows and columns exchanged.

use crate::dataset::Images;
use crate::histogram::Histogram;
use crate::spec::{CLASSES, IMAGE_SIDE, PIXELS};

/// Cells in a row of the grid in which ink is counted.
const SIDE: usize = 7;
const CELLS: usize = SIDE * SIDE;
/// Pixels in a row of a cell.
const CELL: usize = IMAGE_SIDE / SIDE;

/// From this correlation on images are like digits: 1,000 of MNIST's own have 0.93 or more, and
/// enlarged as EMNIST's are 0.7.
const ALIKE: f64 = 0.5;
/// By so much more they must be like digits that were turned: MNIST's own are by 0.65.
const APART: f64 = 0.2;
/// The mean image of each digit in MNIST's training images: the ink of each cell, of 255.
const MEANS: [[u8; CELLS]; CLASSES] = [
    [
        0, 0, 0, 1, 1, 0, 0, 0, 2, 36, 122, 134, 41, 0, 0, 20, 128, 120, 108, 118, 4, 0, 70, 128,
        19, 48, 128, 8, 0, 103, 98, 33, 115, 88, 3, 0, 54, 158, 155, 95, 15, 0, 0, 1, 6, 7, 1, 0,
        0,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 63, 72, 13, 0, 0, 0, 3, 113, 79, 3, 0, 0, 0, 4, 167, 27, 0,
        0, 0, 0, 34, 155, 10, 0, 0, 0, 6, 67, 101, 16, 1, 0, 0, 0, 4, 5, 1, 0, 0,
    ],
    [
        0, 0, 4, 11, 6, 1, 0, 0, 13, 80, 136, 113, 23, 0, 0, 14, 42, 53, 117, 37, 0, 0, 8, 41, 94,
        117, 23, 2, 1, 60, 140, 167, 121, 57, 9, 1, 50, 115, 87, 69, 42, 4, 0, 0, 1, 1, 1, 0, 0,
    ],
    [
        0, 0, 1, 2, 1, 0, 0, 0, 19, 88, 136, 101, 17, 0, 1, 15, 42, 97, 127, 22, 0, 0, 4, 70, 157,
        127, 19, 0, 2, 19, 24, 35, 121, 44, 0, 3, 50, 120, 140, 105, 16, 0, 0, 4, 16, 18, 4, 0, 0,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 5, 26, 25, 43, 33, 2, 0, 20, 100, 49, 110, 43, 1, 0, 51, 155, 101,
        162, 33, 1, 0, 27, 77, 127, 114, 17, 0, 0, 1, 20, 76, 59, 8, 0, 0, 0, 5, 13, 9, 1, 0,
    ],
    [
        0, 0, 0, 0, 1, 0, 0, 0, 3, 34, 83, 90, 59, 10, 0, 11, 101, 112, 65, 38, 9, 0, 16, 121, 119,
        75, 14, 0, 0, 24, 37, 57, 97, 31, 1, 0, 32, 109, 125, 85, 15, 0, 0, 1, 13, 17, 5, 0, 0,
    ],
    [
        0, 0, 5, 20, 24, 5, 0, 0, 2, 32, 99, 65, 9, 0, 0, 7, 82, 95, 25, 12, 0, 0, 19, 133, 107,
        125, 68, 4, 0, 22, 156, 141, 138, 65, 2, 0, 4, 62, 115, 62, 7, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 7, 24, 34, 30, 8, 0, 4, 52, 132, 135, 166, 49, 0, 1, 20, 33, 38,
        146, 22, 0, 0, 3, 14, 109, 92, 6, 0, 0, 2, 42, 116, 34, 1, 0, 0, 5, 39, 51, 14, 1, 0,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 3, 39, 113, 112, 38, 2, 0, 14, 105, 97, 118, 67, 5, 0, 7, 82, 178,
        113, 17, 1, 0, 11, 107, 131, 80, 14, 0, 0, 22, 123, 138, 80, 11, 0, 0, 1, 17, 24, 6, 0, 0,
    ],
    [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 16, 67, 54, 7, 0, 0, 17, 119, 101, 133, 31, 0, 0, 35, 125, 111,
        161, 18, 0, 0, 9, 51, 105, 102, 7, 0, 0, 1, 22, 90, 58, 7, 0, 0, 1, 19, 36, 22, 4, 0,
    ],
];

/// Whether images look as MNIST's do once rows and columns are exchanged, and not as they are.
///
/// Where the mean image of each digit has more ink than that of all is compared with MNIST's own by
/// their correlation. Images of other things than digits are like neither, so nothing is said of them.
pub fn looks_transposed(images: &Images) -> bool {
    let [as_is, transposed] = likeness(images);
    transposed > ALIKE && transposed > as_is + APART
}

/// Exchanges rows and columns of each image.
pub fn transpose(pixels: &mut [u8]) {
    for image in pixels.chunks_exact_mut(PIXELS) {
        for row in 0..IMAGE_SIDE {
            for column in 0..row {
                image.swap(IMAGE_SIDE * row + column, IMAGE_SIDE * column + row);
            }
        }
    }
}

/// How like MNIST's digits images are, from −1 to 1: as they are, and with rows and columns
/// exchanged.
///
/// What tells a digit is where it has more ink or less than the digits have together; the blot that
/// they are together is much the same for any labels.
fn likeness(images: &Images) -> [f64; 2] {
    let mut inks = [[0.0; CELLS]; CLASSES];
    for (index, label) in images.labels().iter().enumerate() {
        let ink = &mut inks[usize::from(*label)];
        for (row, pixels) in images.pixels(index).chunks(IMAGE_SIDE).enumerate() {
            for (column, pixel) in pixels.iter().enumerate() {
                ink[SIDE * (row / CELL) + column / CELL] += f64::from(*pixel);
            }
        }
    }
    let counts = Histogram::new(images.labels()).counts;
    let (mut found, mut known) = (Vec::new(), Vec::new());
    for (class, ink) in inks
        .iter()
        .enumerate()
        .filter(|(class, _)| counts[*class] > 0)
    {
        found.push(ink.map(|ink| ink / counts[class] as f64));
        known.push(MEANS[class].map(f64::from));
    }
    let turned = found
        .iter()
        .map(|ink| std::array::from_fn(|cell| ink[SIDE * (cell % SIDE) + cell / SIDE]));
    let turned = apart(turned.collect());
    let (found, known) = (apart(found), apart(known));
    [correlation(&found, &known), correlation(&turned, &known)]
}

/// By how much each has more ink in a cell than all have on average, one after the other.
fn apart(mut inks: Vec<[f64; CELLS]>) -> Vec<f64> {
    let count = inks.len() as f64;
    for cell in 0..CELLS {
        let average = inks.iter().map(|ink| ink[cell]).sum::<f64>() / count;
        for ink in &mut inks {
            ink[cell] -= average;
        }
    }
    inks.into_flattened()
}

/// Of numbers whose average is 0; 0 where either are all alike.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let product = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let scale = (product(a, a) * product(b, b)).sqrt();
    if scale > 0.0 {
        product(a, b) / scale
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist;

    fn mnist() -> crate::dataset::Dataset {
        let files = mnist::FILES.each_ref().map(|file| {
            std::fs::read(format!("{}/data/{}", env!("CARGO_MANIFEST_DIR"), file.name)).unwrap()
        });
        mnist::unpack(files.each_ref().map(Vec::as_slice)).unwrap()
    }

    /// Every thousand images of MNIST, each as they are and turned.
    fn thousands(turn: bool) -> impl Iterator<Item = Images> {
        let dataset = mnist();
        let files = dataset.files().map(Images::clone);
        files.into_iter().flat_map(move |images| {
            (0..images.len() / 1_000).map(move |part| {
                let part = images.part(1_000 * part..1_000 * (part + 1));
                let (pixels, labels) = part.bytes();
                let mut pixels = pixels.to_vec();
                if turn {
                    transpose(&mut pixels);
                }
                Images::from_bytes(pixels, labels.to_vec()).unwrap()
            })
        })
    }

    /// Images of which the middle is enlarged until digits reach as far as EMNIST's do.
    fn enlarged(images: &Images) -> Images {
        let (pixels, labels) = images.bytes();
        let of = |image: &[u8]| -> Vec<u8> {
            let near = |place: usize| (2 * place + 1) * 23 / (2 * IMAGE_SIDE) + 2;
            let places = (0..PIXELS).map(|place| (place / IMAGE_SIDE, place % IMAGE_SIDE));
            places
                .map(|(row, column)| image[IMAGE_SIDE * near(row) + near(column)])
                .collect()
        };
        let pixels = pixels.chunks(PIXELS).flat_map(of).collect();
        Images::from_bytes(pixels, labels.to_vec()).unwrap()
    }

    #[test]
    fn mnist_lies_on_its_side_only_where_it_was_turned() {
        for turn in [false, true] {
            for images in thousands(turn) {
                let [one, other] = likeness(&images);
                let (right, wrong) = if turn { (other, one) } else { (one, other) };
                assert!(right > 0.9 && wrong < right - 0.6, "{right} {wrong}");
                assert_eq!(looks_transposed(&images), turn);
                assert_eq!(looks_transposed(&enlarged(&images)), turn);
                assert_eq!(looks_transposed(&images.part(0..100)), turn);
            }
        }
        let dataset = mnist();
        assert!(
            dataset
                .files()
                .iter()
                .all(|images| !looks_transposed(images))
        );
    }

    #[test]
    fn nothing_is_said_of_what_is_no_digit() {
        for mut images in thousands(true)
            .take(3)
            .map(|images| images.bytes().0.to_vec())
        {
            // Labels that say nothing, and ink where there was none.
            let labels: Vec<u8> = (0..1_000).map(|index| (index % 10) as u8).collect();
            let mixed = Images::from_bytes(images.clone(), labels.clone()).unwrap();
            let [as_is, transposed] = likeness(&mixed);
            assert!(!looks_transposed(&mixed), "{as_is} {transposed}");
            for pixel in &mut images {
                *pixel = 255 - *pixel;
            }
            assert!(!looks_transposed(
                &Images::from_bytes(images, labels).unwrap()
            ));
        }
        for value in [0, 255] {
            let same = Images::from_bytes(vec![value; 10 * PIXELS], (0..10).collect()).unwrap();
            assert!(!looks_transposed(&same));
        }
        assert!(!looks_transposed(
            &Images::from_bytes(Vec::new(), Vec::new()).unwrap()
        ));
    }

    #[test]
    fn turned_twice_is_as_before() {
        let before: Vec<u8> = (0..2 * PIXELS).map(|index| (index % 251) as u8).collect();
        let mut pixels = before.clone();
        transpose(&mut pixels);
        assert_eq!(pixels[PIXELS + 3], before[PIXELS + 3 * IMAGE_SIDE]);
        transpose(&mut pixels);
        assert_eq!(pixels, before);
    }
}
