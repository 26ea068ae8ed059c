//! Images and feature maps as pixels of a canvas.
//!
//! A pixel's opacity is its value and its colour is black: the style sheet colours it, so that a
//! canvas need not be painted again in another theme.

use kiln_run::protocol::Maps;

/// Maps beside one another.
pub const COLUMNS: usize = 8;

/// Values of pixels, 0 to 255, as red, green, blue and opacity.
pub fn opaque(values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    values
        .into_iter()
        .flat_map(|value| [0, 0, 0, value])
        .collect()
}

/// The opacity of each pixel.
pub fn opacities(pixels: &[u8]) -> Vec<u8> {
    let (pixels, _) = pixels.as_chunks::<4>();
    pixels.iter().map(|[_, _, _, opacity]| *opacity).collect()
}

/// The maps of one layer, ready to be painted.
#[derive(Clone, Debug, PartialEq)]
pub struct Mosaic {
    /// Rows and columns of a map.
    pub side: usize,
    /// How many maps.
    pub count: usize,
    /// Maps with a value above zero.
    pub active: usize,
    /// The largest value.
    pub largest: f32,
    /// The map that it is in, counted from 0; none where nothing is above zero.
    pub largest_in: Option<usize>,
    /// Red, green, blue and opacity of a grid of maps, [`COLUMNS`] in a row, without gaps.
    pub pixels: Vec<u8>,
}

impl Mosaic {
    /// The maps in a grid, the largest value of all full; nothing where the values make no whole
    /// maps, or no whole rows of them.
    pub fn new(maps: &Maps) -> Option<Self> {
        let side = maps.side as usize;
        let area = side * side;
        let values = &maps.values.0;
        if area == 0 || values.is_empty() || !values.len().is_multiple_of(area * COLUMNS) {
            return None;
        }
        let count = values.len() / area;
        let (mut largest, mut largest_in, mut active) = (0.0, None, 0);
        for (index, map) in values.chunks_exact(area).enumerate() {
            let most = map.iter().copied().fold(0.0, f32::max);
            active += usize::from(most > 0.0);
            if most > largest {
                (largest, largest_in) = (most, Some(index));
            }
        }
        let scale = if largest > 0.0 { 255.0 / largest } else { 0.0 };
        let opacities = (0..count / COLUMNS).flat_map(|row| {
            (0..side).flat_map(move |y| {
                (0..COLUMNS).flat_map(move |column| {
                    let first = (row * COLUMNS + column) * area + y * side;
                    let line = &values[first..first + side];
                    // A value below zero, or one that is no number, becomes nothing.
                    line.iter().map(move |value| (value * scale).round() as u8)
                })
            })
        });
        Some(Self {
            side,
            count,
            active,
            largest,
            largest_in,
            pixels: opaque(opacities),
        })
    }

    /// Columns and rows of the grid, in pixels.
    pub fn size(&self) -> (usize, usize) {
        (COLUMNS * self.side, self.count / COLUMNS * self.side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_model::checkpoint::Values;

    #[test]
    fn maps_stand_eight_in_a_row() {
        // Sixteen maps of 2 × 2; map 9 is the strongest and map 3 is blank.
        let mut values: Vec<f32> = (0..16).flat_map(|_| [0.0, 1.0, -1.0, 0.5]).collect();
        values[3 * 4..4 * 4].fill(0.0);
        values[9 * 4 + 2] = 2.0;
        let maps = Maps {
            side: 2,
            values: Values(values),
        };
        let mosaic = Mosaic::new(&maps).unwrap();
        assert_eq!(mosaic.size(), (16, 4));
        assert_eq!((mosaic.count, mosaic.active), (16, 15));
        assert_eq!((mosaic.largest, mosaic.largest_in), (2.0, Some(9)));
        let shown = opacities(&mosaic.pixels);
        assert_eq!(shown.len(), 64);
        // The first row of pixels is the first row of maps 0 to 7.
        assert_eq!(shown[..8], [0, 128, 0, 128, 0, 128, 0, 0]);
        // The last one is the last row of maps 8 to 15.
        assert_eq!(shown[48..52], [0, 64, 255, 64]);
        assert!(mosaic.pixels.chunks(4).all(|pixel| pixel[..3] == [0; 3]));
    }

    #[test]
    fn maps_without_a_value_above_zero_are_blank() {
        let maps = Maps {
            side: 1,
            values: Values(vec![0.0, f32::NAN, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        };
        let mosaic = Mosaic::new(&maps).unwrap();
        assert_eq!((mosaic.active, mosaic.largest_in), (0, None));
        assert_eq!(opacities(&mosaic.pixels), [0; 8]);
    }

    #[test]
    fn parts_of_maps_are_refused() {
        for (side, count) in [(0, 8), (2, 31), (2, 4), (2, 0)] {
            let values = Values(vec![1.0; count]);
            assert_eq!(Mosaic::new(&Maps { side, values }), None);
        }
    }
}
