//! What is on the drawing pad: an image of the data set or nothing, and strokes over it.

use kiln_model::spec::PIXELS;

/// Rows and columns of the pad, in its own pixels.
pub const SIDE: u32 = 280;
/// The thinnest brush, the thickest and the one to begin with, in pixels of the pad.
pub const BRUSHES: (u32, u32, u32) = (12, 36, 22);

/// A place on the pad: pixels from its left and from its top.
pub type Place = (f64, f64);

/// One stroke of a round brush.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// Pixels across.
    pub brush: u32,
    /// Where it went, never empty.
    pub places: Vec<Place>,
}

/// An image of the test set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestImage {
    /// Its place in the test set.
    pub index: u32,
    /// Which class it is of.
    pub label: u8,
    /// What it is called, such as `a 7`.
    pub called: String,
    /// 0 to 255, row by row.
    pub pixels: [u8; PIXELS],
}

/// What is on the pad.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    image: Option<TestImage>,
    /// Whether the image is there only until the first stroke.
    is_example: bool,
    strokes: Vec<Stroke>,
}

impl Sketch {
    /// The image under the strokes.
    pub fn image(&self) -> Option<&TestImage> {
        self.image.as_ref()
    }

    /// The image, as long as nothing was drawn over it.
    pub fn untouched(&self) -> Option<&TestImage> {
        self.image.as_ref().filter(|_| self.strokes.is_empty())
    }

    /// The strokes, the first one first.
    pub fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// Whether the image goes with the first stroke.
    pub fn is_example(&self) -> bool {
        self.is_example
    }

    /// Whether there is nothing on the pad.
    pub fn is_empty(&self) -> bool {
        self.image.is_none() && self.strokes.is_empty()
    }

    /// Puts the brush down.
    pub fn begin(&mut self, brush: u32, place: Place) {
        if self.is_example {
            self.clear();
        }
        self.strokes.push(Stroke {
            brush,
            places: vec![place],
        });
    }

    /// Draws on to these places.
    pub fn extend(&mut self, places: impl IntoIterator<Item = Place>) {
        if let Some(stroke) = self.strokes.last_mut() {
            stroke.places.extend(places);
        }
    }

    /// Takes the last stroke back; where there is none, the image.
    pub fn undo(&mut self) {
        if self.strokes.pop().is_none() {
            self.clear();
        }
    }

    /// Takes everything off the pad.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Shows an image in place of everything.
    pub fn show(&mut self, image: TestImage) {
        *self = Self {
            image: Some(image),
            ..Self::default()
        };
    }

    /// Shows an image until something is drawn, unless there is something on the pad.
    pub fn show_example(&mut self, image: TestImage) {
        if self.is_empty() {
            self.show(image);
            self.is_example = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> TestImage {
        TestImage {
            index: 7,
            label: 3,
            called: "a 3".to_owned(),
            pixels: [0; PIXELS],
        }
    }

    #[test]
    fn strokes_are_taken_back_one_by_one() {
        let mut sketch = Sketch::default();
        // Without a stroke there is nothing to draw on with.
        sketch.extend([(1.0, 1.0)]);
        assert!(sketch.is_empty());
        sketch.begin(22, (1.0, 2.0));
        sketch.extend([(3.0, 4.0), (5.0, 6.0)]);
        sketch.begin(36, (7.0, 8.0));
        assert_eq!(sketch.strokes().len(), 2);
        sketch.undo();
        let first = Stroke {
            brush: 22,
            places: vec![(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)],
        };
        assert_eq!(sketch.strokes(), [first]);
        sketch.undo();
        sketch.undo();
        assert!(sketch.is_empty());
    }

    #[test]
    fn an_image_is_untouched_until_the_first_stroke() {
        let mut sketch = Sketch::default();
        sketch.begin(22, (1.0, 2.0));
        sketch.show(image());
        assert_eq!(sketch.untouched(), Some(&image()));
        sketch.begin(22, (1.0, 2.0));
        assert_eq!((sketch.untouched(), sketch.image()), (None, Some(&image())));
        sketch.undo();
        assert_eq!(sketch.untouched(), Some(&image()));
        sketch.undo();
        assert!(sketch.is_empty());
    }

    #[test]
    fn an_example_goes_with_the_first_stroke() {
        let mut sketch = Sketch::default();
        sketch.show_example(image());
        assert_eq!(sketch.untouched(), Some(&image()));
        sketch.begin(22, (1.0, 2.0));
        assert_eq!((sketch.image(), sketch.is_example()), (None, false));
        // What a person drew or asked for is never replaced.
        let drawn = sketch.clone();
        sketch.show_example(image());
        assert_eq!(sketch, drawn);
        sketch.show(image());
        sketch.begin(22, (1.0, 2.0));
        assert_eq!(sketch.image(), Some(&image()));
    }

    #[test]
    fn clear_takes_everything() {
        let mut sketch = Sketch::default();
        sketch.show(image());
        sketch.begin(22, (1.0, 2.0));
        sketch.clear();
        assert!(sketch.is_empty());
    }
}
