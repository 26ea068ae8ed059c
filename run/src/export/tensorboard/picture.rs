//! A confusion matrix as an image: a row for each class, a column for each that it was taken for,
//! and in each cell how many images that were.

use kiln_model::evaluation::Confusion;
use kiln_model::spec::CLASSES;
use png::{BitDepth, ColorType, Encoder, EncodingError};

use super::messages::{Image, Value};
use crate::classes::Classes;
use crate::evaluation::matrix::{Scale, cells};
use crate::evaluation::shade::Tint;
use crate::export::format::ExportError;

/// Red, green and blue.
type Colour = [u8; 3];

const WHITE: Colour = [255; 3];
const BLACK: Colour = [0; 3];
/// What the page's drawing of a matrix takes for what is right, and for the most frequent mistake.
const NEUTRAL: Colour = [232; 3];
const EMBER: Colour = [194, 65, 12];
/// Share of ember from which white is read better on it than black.
const DARK: f64 = 0.922_5;

/// Pixels of a side of a cell, with the line between two.
const CELL: usize = 44;
/// Pixels left of and above all cells, for the classes.
const MARGIN: usize = 32;
/// Pixels of a side of the image.
const SIDE: usize = MARGIN + CLASSES * CELL;
/// Pixels of a side of a point of a digit.
const POINT: usize = 2;
/// Points of a digit's width, height, and of its width with the gap to the next.
const DIGIT: (usize, usize, usize) = (3, 5, 4);
/// The points of each digit, row by row from above.
const DIGITS: [u16; 10] = [
    0b111_101_101_101_111,
    0b010_110_010_010_111,
    0b111_001_111_100_111,
    0b111_001_111_001_111,
    0b101_101_111_001_001,
    0b111_100_111_001_111,
    0b111_100_111_101_111,
    0b111_001_001_010_010,
    0b111_101_111_101_111,
    0b111_101_111_001_111,
];

/// The matrix.
pub fn value(confusion: &Confusion) -> Result<Value, ExportError> {
    Ok(Value {
        tag: "confusion_matrix".to_owned(),
        image: Some(Image {
            height: SIDE as i32,
            width: SIDE as i32,
            colorspace: 3,
            encoded_image_string: file(&drawn(confusion)).map_err(ExportError::of)?,
        }),
        ..Value::default()
    })
}

/// Its pixels, row by row, in red, green and blue.
fn drawn(confusion: &Confusion) -> Canvas {
    let mut canvas = Canvas(vec![WHITE; SIDE * SIDE]);
    let start = |place: usize| MARGIN + CELL * place;
    let rows = cells(confusion, Scale::Counts, &Classes::default())
        .into_iter()
        .zip(confusion.counts);
    for (row, (tints, counts)) in rows.enumerate() {
        let y = start(row);
        canvas.number(row as u32, MARGIN / 2, y + CELL / 2, BLACK);
        canvas.number(row as u32, y + CELL / 2, MARGIN / 2, BLACK);
        for (column, (cell, count)) in tints.iter().zip(counts).enumerate() {
            let x = start(column);
            let (colour, ink) = match cell.tint {
                Tint::Neutral => (NEUTRAL, BLACK),
                Tint::Warm(share) | Tint::Cool(share) => {
                    let ink = if share > DARK { WHITE } else { BLACK };
                    (mixed(share), ink)
                }
            };
            canvas.fill(x, y, CELL - 1, CELL - 1, colour);
            canvas.number(count, x + CELL / 2, y + CELL / 2, ink);
        }
    }
    canvas
}

/// From white at 0 to ember at 1.
fn mixed(share: f64) -> Colour {
    EMBER.map(|full| (255.0 + (f64::from(full) - 255.0) * share).round_ties_even() as u8)
}

struct Canvas(Vec<Colour>);

impl Canvas {
    fn fill(&mut self, x: usize, y: usize, width: usize, height: usize, colour: Colour) {
        for row in self.0.chunks_mut(SIDE).skip(y).take(height) {
            row.iter_mut()
                .skip(x)
                .take(width)
                .for_each(|pixel| *pixel = colour);
        }
    }

    /// A number around a point.
    fn number(&mut self, number: u32, x: usize, y: usize, ink: Colour) {
        let (width, height, step) = DIGIT;
        let text = number.to_string();
        let length = POINT * (text.len() * step - 1);
        let (left, top) = (
            x.saturating_sub(length / 2),
            y.saturating_sub(POINT * height / 2),
        );
        for (place, digit) in text.bytes().enumerate() {
            let points = DIGITS.get(usize::from(digit - b'0')).copied().unwrap_or(0);
            let left = left + POINT * step * place;
            for point in 0..width * height {
                if points >> (width * height - 1 - point) & 1 == 1 {
                    let (x, y) = (
                        left + POINT * (point % width),
                        top + POINT * (point / width),
                    );
                    self.fill(x, y, POINT, POINT, ink);
                }
            }
        }
    }
}

/// The image as a PNG file.
fn file(canvas: &Canvas) -> Result<Vec<u8>, EncodingError> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, SIDE as u32, SIDE as u32);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(canvas.0.as_flattened())?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn confusion() -> Confusion {
        let mut confusion = Confusion::default();
        confusion.counts[0][0] = 1_000_000_000;
        confusion.counts[3][5] = 4;
        confusion.counts[9][9] = u32::MAX;
        confusion.counts[7][2] = 1;
        confusion
    }

    fn corner(pixels: &[Colour], row: usize, column: usize) -> Colour {
        pixels[(MARGIN + CELL * row) * SIDE + MARGIN + CELL * column]
    }

    #[test]
    fn the_file_holds_the_cells() {
        let image = value(&confusion()).unwrap().image.unwrap();
        let decoder = png::Decoder::new(Cursor::new(image.encoded_image_string));
        let mut reader = decoder.read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut bytes).unwrap();
        assert_eq!((info.width, info.height), (472, 472));
        assert_eq!((image.width, image.height), (472, 472));
        let pixels = bytes.as_chunks::<3>().0;
        assert_eq!(corner(pixels, 3, 5), EMBER);
        assert_eq!(corner(pixels, 7, 2), mixed(0.5));
        assert_eq!(corner(pixels, 1, 1), NEUTRAL);
        assert_eq!(corner(pixels, 1, 2), WHITE);
        // The four, white on ember.
        let four = (0..5).map(|row| {
            let y = MARGIN + CELL * 3 + CELL / 2 - 5 + 2 * row;
            (0..3)
                .map(|column| {
                    pixels[y * SIDE + MARGIN + CELL * 5 + CELL / 2 - 3 + 2 * column] == WHITE
                })
                .collect::<Vec<_>>()
        });
        let points: Vec<bool> = four.flatten().collect();
        let drawn = points
            .iter()
            .fold(0, |bits, point| bits << 1 | u16::from(*point));
        assert_eq!(drawn, DIGITS[4]);
    }

    #[test]
    fn the_colours_are_those_of_the_page() {
        let css = |[red, green, blue]: Colour| format!("rgb({red},{green},{blue})");
        assert_eq!(Tint::Neutral.on_white().0, "#e8e8e8");
        for share in (0..=100).map(|share| f64::from(share) / 100.0) {
            let (colour, ink) = Tint::Warm(share).on_white();
            assert_eq!(colour, css(mixed(share)));
            assert_eq!(ink == "#fff", share > DARK, "{share}");
        }
    }
}
