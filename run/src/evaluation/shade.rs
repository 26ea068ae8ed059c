//! Colours of a matrix's cells, and the ink that can be read on them.

/// A colour by red, green and blue, 0 to 255.
type Colour = [f64; 3];

/// Surface, ember and cool as `style.css` has them: light, then dark.
const SURFACE: [Colour; 2] = [[255.0, 255.0, 255.0], [27.0, 31.0, 38.0]];
const EMBER: [Colour; 2] = [[194.0, 65.0, 12.0], [251.0, 146.0, 60.0]];
const COOL: [Colour; 2] = [[31.0, 95.0, 168.0], [111.0, 177.0, 255.0]];
const INKS: [(&str, Colour); 2] = [("#000", [0.0; 3]), ("#fff", [255.0; 3])];
/// Of a drawing on white, the tint of a diagonal.
const NEUTRAL: &str = "#e8e8e8";

/// How a cell is coloured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tint {
    /// What is right, whatever it counts.
    Neutral,
    /// From the surface's colour at 0 to ember at 1.
    Warm(f64),
    /// From the surface's colour at 0 to blue at 1.
    Cool(f64),
}

impl Tint {
    /// Of what may be more or less than zero: warm above it, cool below.
    pub fn signed(share: f64) -> Self {
        if share < 0.0 {
            Self::Cool(-share)
        } else {
            Self::Warm(share)
        }
    }

    /// Colour and ink in CSS, for the light and for the dark theme.
    pub fn style(self) -> String {
        let (name, share) = match self {
            Self::Neutral => return "--tint:var(--ink) 12%".to_owned(),
            Self::Warm(share) => ("ember", share),
            Self::Cool(share) => ("cool", share),
        };
        let [light, dark] = [0, 1].map(|theme| ink(self.mixed(theme)).0);
        format!(
            "--tint:var(--{name}) {:.1}%;color:light-dark({light},{dark})",
            100.0 * share
        )
    }

    /// Colour and ink in a drawing on white.
    pub fn on_white(self) -> (String, &'static str) {
        let [red, green, blue] = self.mixed(0);
        match self {
            Self::Neutral => (NEUTRAL.to_owned(), "#000"),
            _ => (
                format!("rgb({red:.0},{green:.0},{blue:.0})"),
                ink(self.mixed(0)).0,
            ),
        }
    }

    fn mixed(self, theme: usize) -> Colour {
        let (full, share) = match self {
            Self::Neutral => (SURFACE, 0.0),
            Self::Warm(share) => (EMBER, share),
            Self::Cool(share) => (COOL, share),
        };
        let (from, to) = (SURFACE[theme], full[theme]);
        std::array::from_fn(|part| from[part] + (to[part] - from[part]) * share)
    }
}

/// The ink with the stronger contrast.
fn ink(on: Colour) -> (&'static str, Colour) {
    let [black, white] = INKS;
    if contrast(on, black.1) >= contrast(on, white.1) {
        black
    } else {
        white
    }
}

/// The contrast of two colours as WCAG 2 has it, 1 to 21.
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Colour) -> f64 {
    let linear = colour.map(|part| {
        let part = part / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_can_be_read_on_every_cell() {
        for share in 0..=100 {
            let share = f64::from(share) / 100.0;
            for tint in [Tint::Warm(share), Tint::Cool(share)] {
                for theme in [0, 1] {
                    let on = tint.mixed(theme);
                    let contrast = contrast(on, ink(on).1);
                    assert!(contrast >= 4.5, "{tint:?}, theme {theme}: {contrast}");
                }
            }
        }
    }

    #[test]
    fn the_colours_are_those_of_the_style_sheet() {
        let hex = |[red, green, blue]: Colour| {
            format!("#{:02x}{:02x}{:02x}", red as u8, green as u8, blue as u8)
        };
        for (name, [light, dark]) in [("surface", SURFACE), ("ember", EMBER), ("cool", COOL)] {
            let line = format!("--{name}: light-dark({}, {});", hex(light), hex(dark));
            assert!(
                include_str!("../../../app/style.css").contains(&line),
                "{line}"
            );
        }
    }

    #[test]
    fn zero_is_neutral_and_signs_differ() {
        assert_eq!(Tint::signed(0.0), Tint::Warm(0.0));
        assert_eq!(Tint::signed(-0.5), Tint::Cool(0.5));
        assert_eq!(Tint::Warm(0.0).on_white().0, Tint::Cool(0.0).on_white().0);
        assert_eq!(
            Tint::Warm(1.0).style(),
            "--tint:var(--ember) 100.0%;color:light-dark(#fff,#000)"
        );
    }
}
