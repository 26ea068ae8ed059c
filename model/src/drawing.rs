//! A drawing, made to look as MNIST's images do.
//!
//! Only a drawing comes here. An image of the data set that is shown on the pad goes to the network
//! as it is until the first stroke: it is centred already.

use crate::spec::{IMAGE_SIDE, PIXELS};

/// MNIST's digits fit a square of this side.
const BOX_SIDE: usize = 20;
/// The row and column, counted from 0, on which MNIST's centres of mass lie, within half a pixel:
/// measured over its 60,000 training images, which say more exactly than its description what
/// “the centre of the field” is.
const CENTRE: i64 = 14;

/// A drawing that is not square.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pixels} pixels are no square drawing")]
pub struct NotSquare {
    /// Pixels of the drawing.
    pub pixels: usize,
}

/// Makes a 28 × 28 image, 0 to 255 and row by row, of a drawing: as many rows as columns, row by
/// row, 0 (blank) to 255 (full ink). None where there is no ink, or too little to leave a trace.
///
/// As LeCun, Cortes and Burges describe it for MNIST: what is drawn is scaled to fit 20 × 20
/// pixels, its proportions kept to the nearest pixel, each pixel the mean of the area it covers;
/// then it is moved by whole pixels so that its centre of mass lies in the middle, or as near as
/// the field allows.
///
/// # Errors
/// A number of pixels that is no square.
pub fn centred(ink: &[u8]) -> Result<Option<[u8; PIXELS]>, NotSquare> {
    let side = side(ink)?;
    Ok(Scaled::new(ink, side).and_then(|scaled| scaled.place()))
}

/// Makes a 28 × 28 image of a whole drawing, blank edges and all: as data has it whose images were
/// neither scaled to their ink nor centred. None where there is no ink, or too little to leave a trace.
///
/// # Errors
/// A number of pixels that is no square.
pub fn as_drawn(ink: &[u8]) -> Result<Option<[u8; PIXELS]>, NotSquare> {
    let side = side(ink)?;
    let whole = Area {
        top: 0,
        left: 0,
        height: side,
        width: side,
    };
    let pixels = whole.means(ink, side, (IMAGE_SIDE, IMAGE_SIDE));
    let image: Option<[u8; PIXELS]> = pixels.try_into().ok();
    Ok(image.filter(|image| image.iter().any(|pixel| *pixel > 0)))
}

/// Rows of a square drawing.
fn side(ink: &[u8]) -> Result<usize, NotSquare> {
    let side = ink.len().isqrt();
    if side * side == ink.len() {
        Ok(side)
    } else {
        Err(NotSquare { pixels: ink.len() })
    }
}

/// A part of a drawing, in its pixels.
struct Area {
    top: usize,
    left: usize,
    height: usize,
    width: usize,
}

impl Area {
    /// What is there of a drawing of this side, in so many rows and columns: each the mean of what it
    /// covers.
    fn means(&self, ink: &[u8], side: usize, (rows, columns): (usize, usize)) -> Vec<u8> {
        let mut pixels = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = 0;
                for (y, high) in overlaps(row, rows, self.height) {
                    for (x, wide) in overlaps(column, columns, self.width) {
                        let value = ink[(self.top + y) * side + self.left + x];
                        sum += (high * wide) as u64 * u64::from(value);
                    }
                }
                let area = (self.height * self.width) as u64;
                pixels.push(((2 * sum + area) / (2 * area)) as u8);
            }
        }
        pixels
    }
}

/// What was drawn, without the blank around it, at most 20 × 20.
struct Scaled {
    rows: usize,
    columns: usize,
    pixels: Vec<u8>,
}

impl Scaled {
    fn new(ink: &[u8], side: usize) -> Option<Self> {
        let inked = |index: &usize| ink[*index] > 0;
        let first = (0..ink.len()).find(inked)? / side;
        let last = (0..ink.len()).rfind(inked)? / side;
        let column_has_ink =
            |column: &usize| (first..=last).any(|row| inked(&(row * side + column)));
        let left = (0..side).find(column_has_ink)?;
        let right = (0..side).rfind(column_has_ink)?;

        let (height, width) = (last - first + 1, right - left + 1);
        let longest = height.max(width);
        let fitted = |length: usize| ((2 * length * BOX_SIDE + longest) / (2 * longest)).max(1);
        let (rows, columns) = (fitted(height), fitted(width));
        let inked = Area {
            top: first,
            left,
            height,
            width,
        };
        Some(Self {
            rows,
            columns,
            pixels: inked.means(ink, side, (rows, columns)),
        })
    }

    fn place(&self) -> Option<[u8; PIXELS]> {
        let (mut mass, mut by_row, mut by_column) = (0, 0, 0);
        for (index, value) in self.pixels.iter().enumerate() {
            let value = i64::from(*value);
            mass += value;
            by_row += value * (index / self.columns) as i64;
            by_column += value * (index % self.columns) as i64;
        }
        if mass == 0 {
            return None;
        }
        let start = |moment: i64, length: usize| {
            let nearest = ((2 * CENTRE + 1) * mass - 2 * moment).div_euclid(2 * mass);
            nearest.clamp(0, (IMAGE_SIDE - length) as i64) as usize
        };
        let (top, left) = (start(by_row, self.rows), start(by_column, self.columns));
        let mut image = [0; PIXELS];
        for (row, pixels) in self.pixels.chunks_exact(self.columns).enumerate() {
            let first = (top + row) * IMAGE_SIDE + left;
            image[first..first + self.columns].copy_from_slice(pixels);
        }
        Some(image)
    }
}

/// The source pixels under one of `count` equal parts of `length` pixels, and how much of each
/// lies there, in `count`ths of a pixel.
fn overlaps(part: usize, count: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    let (start, end) = (part * length, (part + 1) * length);
    (start / count..end.div_ceil(count)).map(move |pixel| {
        let from = start.max(pixel * count);
        let to = end.min((pixel + 1) * count);
        (pixel, to - from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist::{FILES, unpack};

    const SIDE: usize = 280;

    /// A drawing with full ink in the given rows and columns.
    fn drawing(strokes: &[(std::ops::Range<usize>, std::ops::Range<usize>)]) -> Vec<u8> {
        let mut ink = vec![0; SIDE * SIDE];
        for (rows, columns) in strokes {
            for row in rows.clone() {
                ink[row * SIDE..][columns.clone()].fill(255);
            }
        }
        ink
    }

    fn image(ink: &[u8]) -> [u8; PIXELS] {
        centred(ink).unwrap().unwrap()
    }

    /// The first and last row and the first and last column with ink.
    fn bounds(image: &[u8]) -> [usize; 4] {
        let inked = Vec::from_iter((0..PIXELS).filter(|index| image[*index] > 0));
        let rows = inked.iter().map(|index| index / IMAGE_SIDE);
        let columns = inked.iter().map(|index| index % IMAGE_SIDE);
        [
            rows.clone().min().unwrap(),
            rows.max().unwrap(),
            columns.clone().min().unwrap(),
            columns.max().unwrap(),
        ]
    }

    #[test]
    fn a_dot_in_a_corner_lands_in_the_centre() {
        for corner in [0..22, SIDE - 22..SIDE] {
            let image = image(&drawing(&[(corner.clone(), corner)]));
            assert_eq!(bounds(&image), [5, 24, 5, 24]);
            assert_eq!(image[14 * IMAGE_SIDE + 14], 255);
        }
    }

    #[test]
    fn a_tall_stroke_is_twenty_pixels_tall() {
        let image = image(&drawing(&[(30..250, 100..122)]));
        assert_eq!(bounds(&image), [5, 24, 14, 15]);
        // As thin as the pad allows, it still is a pixel wide.
        let thin = self::image(&drawing(&[(0..SIDE, 7..8)]));
        assert_eq!(bounds(&thin), [5, 24, 14, 14]);
        assert_eq!(thin[14 * IMAGE_SIDE + 14], 255);
    }

    #[test]
    fn the_mass_is_centred_not_the_box() {
        // A heavy square with a thin tail to the right.
        let ink = drawing(&[(100..150, 20..70), (124..126, 70..90)]);
        let image = image(&ink);
        let [_, _, left, right] = bounds(&image);
        assert!(14 - left < right - 14, "{left} to {right}");
        let mass: f64 = image.iter().map(|value| f64::from(*value)).sum();
        let moment: f64 = image
            .iter()
            .enumerate()
            .map(|(index, value)| (index % IMAGE_SIDE) as f64 * f64::from(*value))
            .sum();
        assert!((moment / mass - 14.0).abs() <= 0.5, "{}", moment / mass);
    }

    #[test]
    fn what_is_drawn_never_leaves_the_field() {
        // Nearly all mass in a corner of a box that fills the pad.
        let ink = drawing(&[(0..40, 0..40), (SIDE - 1..SIDE, SIDE - 1..SIDE)]);
        let image = image(&ink);
        let [top, _, left, _] = bounds(&image);
        assert_eq!((top, left), (8, 8));
    }

    #[test]
    fn edges_are_averaged_by_area() {
        // 30 wide and 20 tall becomes 20 wide and 13 tall.
        let mut ink = vec![0; 30 * 30];
        ink[..20 * 30].fill(200);
        ink[..20 * 30]
            .iter_mut()
            .step_by(3)
            .for_each(|pixel| *pixel = 50);
        let image = image(&ink);
        let [top, bottom, left, right] = bounds(&image);
        assert_eq!((bottom - top, right - left), (12, 19));
        // A column covers one and a half: a 50 and half a 200, then the other half and a 200.
        let row = &image[14 * IMAGE_SIDE + left..][..4];
        assert_eq!(row, [100, 200, 100, 200]);
    }

    #[test]
    fn what_is_taken_as_drawn_stays_where_it_is() {
        // 280 × 280: each pixel of the image covers 10 × 10 of the drawing.
        let ink = drawing(&[(10..20, 250..260), (30..35, 0..10)]);
        let image = as_drawn(&ink).unwrap().unwrap();
        let inked: Vec<(usize, u8)> = (0..PIXELS)
            .map(|index| (index, image[index]))
            .filter(|(_, pixel)| *pixel > 0)
            .collect();
        assert_eq!(inked, [(IMAGE_SIDE + 25, 255), (3 * IMAGE_SIDE, 128)]);
        assert_eq!(as_drawn(&[0; 280 * 280]), Ok(None));
        // One faint pixel leaves no trace.
        let mut ink = vec![0; 280 * 280];
        ink[0] = 40;
        assert_eq!(as_drawn(&ink), Ok(None));
        assert_eq!(as_drawn(&[0; 7]), Err(NotSquare { pixels: 7 }));
    }

    #[test]
    fn nothing_drawn_is_nothing() {
        assert_eq!(centred(&[]), Ok(None));
        assert_eq!(centred(&[0; 100]), Ok(None));
        assert_eq!(centred(&[0; 99]), Err(NotSquare { pixels: 99 }));
        let mut faint = vec![0; SIDE * SIDE];
        (faint[0], faint[SIDE * SIDE - 1]) = (1, 1);
        assert_eq!(centred(&faint), Ok(None));
    }

    #[test]
    fn mnist_itself_stays_as_it_is() {
        let files = FILES.each_ref().map(|file| {
            std::fs::read(format!("{}/data/{}", env!("CARGO_MANIFEST_DIR"), file.name)).unwrap()
        });
        let dataset = unpack(files.each_ref().map(Vec::as_slice)).unwrap();
        let test = dataset.test().images();
        let kept = (0..test.len())
            .filter(|index| image(test.pixels(*index)) == test.pixels(*index))
            .count();
        // Of the other four, three are 19 pixels long and grow; one has its centre of mass half way
        // between two places.
        assert_eq!((kept, test.len()), (9_996, 10_000));
    }
}
