//! A confusion matrix as a table, as a file of figures and as a drawing.

use kiln_model::evaluation::Confusion;
use kiln_model::spec::CLASSES;

use super::shade::Tint;
use crate::classes::Classes;
use crate::format;

/// What stands in the cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Images.
    #[default]
    Counts,
    /// Shares of all images of a class.
    Rows,
    /// Shares of all images taken for a class.
    Columns,
}

impl Scale {
    /// Every scale.
    pub const ALL: [Self; 3] = [Self::Counts, Self::Rows, Self::Columns];

    /// The name a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Counts => "Counts",
            Self::Rows => "Row %",
            Self::Columns => "Column %",
        }
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What stands in it.
    pub text: String,
    /// How it is coloured.
    pub tint: Tint,
    /// What it says to who does not see the table around it.
    pub label: String,
}

/// All cells: a row for each class, a column for each that it was taken for.
pub type Cells = [[Cell; CLASSES]; CLASSES];

/// The cells of one run. Mistakes are coloured by how often they occur, small numbers stronger
/// than in proportion, so that they are seen beside large ones.
pub fn cells(confusion: &Confusion, scale: Scale, classes: &Classes) -> Cells {
    let shares = shares(confusion, scale);
    let most = mistakes(&shares).fold(0.0, f64::max);
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let count = confusion.counts[row][column];
            let share = shares[row][column];
            let text = match scale {
                Scale::Counts => format::count(count.into()),
                _ => share.map_or(format::NOTHING.to_owned(), |share| {
                    format!("{:.1}", 100.0 * share)
                }),
            };
            let tint = if row == column {
                Tint::Neutral
            } else if most > 0.0 {
                Tint::Warm((share.unwrap_or(0.0) / most).sqrt())
            } else {
                Tint::Warm(0.0)
            };
            Cell {
                text,
                tint,
                label: format!(
                    "{} taken for {}: {}",
                    classes.name(row),
                    classes.name(column),
                    images(count as usize)
                ),
            }
        })
    })
}

/// The cells of a difference between two runs.
pub fn difference(difference: &[[i64; CLASSES]; CLASSES], classes: &Classes) -> Cells {
    let most = difference.as_flattened().iter().map(|count| count.abs());
    let most = most.max().unwrap_or(0).max(1) as f64;
    std::array::from_fn(|row| {
        std::array::from_fn(|column| {
            let count = difference[row][column];
            let size = format::count(count.unsigned_abs());
            let sign = match count {
                0 => "",
                1.. => "+",
                _ => "−",
            };
            let share = count as f64 / most;
            Cell {
                text: format!("{sign}{size}"),
                tint: Tint::signed(share.signum() * share.abs().sqrt()),
                label: format!(
                    "{} taken for {}: {sign}{size}",
                    classes.name(row),
                    classes.name(column)
                ),
            }
        })
    })
}

/// So many images, in words.
pub fn images(count: usize) -> String {
    let noun = if count == 1 { "image" } else { "images" };
    format!("{} {noun}", format::count(count as u64))
}

/// How good a run is in one line, such as `98.12 %, 188 wrong of 10 000`.
pub fn headline(confusion: &Confusion) -> String {
    let (all, correct) = (confusion.images(), confusion.correct());
    format!(
        "{}, {} wrong of {}",
        confusion
            .accuracy()
            .map_or(format::NOTHING.to_owned(), format::percent),
        format::count((all - correct).into()),
        format::count(all.into())
    )
}

fn shares(confusion: &Confusion, scale: Scale) -> [[Option<f64>; CLASSES]; CLASSES] {
    match scale {
        Scale::Counts => confusion
            .counts
            .map(|row| row.map(|count| Some(f64::from(count)))),
        Scale::Rows => confusion.row_shares(),
        Scale::Columns => confusion.column_shares(),
    }
}

fn mistakes(shares: &[[Option<f64>; CLASSES]; CLASSES]) -> impl Iterator<Item = f64> {
    let rows = shares.iter().enumerate();
    rows.flat_map(|(row, shares)| {
        let columns = shares.iter().enumerate();
        columns
            .filter(move |(column, _)| row != *column)
            .filter_map(|(_, share)| *share)
    })
}

/// The matrix as a file: a line for each class, a column for each that it was taken for. Shares
/// are written from 0 to 1, and where there are none the cell is empty.
pub fn csv(confusion: &Confusion, scale: Scale, classes: &Classes) -> String {
    let names = classes.names().each_ref().map(|name| quoted(name));
    let mut file = format!("true,{}\n", names.join(","));
    for (class, shares) in shares(confusion, scale).iter().enumerate() {
        let cells: Vec<String> = shares
            .iter()
            .map(|share| share.map_or(String::new(), |share| share.to_string()))
            .collect();
        file += &format!("{},{}\n", names[class], cells.join(","));
    }
    file
}

/// A name as RFC 4180 has it: between quotes, unless it is a number.
fn quoted(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Pixels of a cell's side.
const SIDE: f64 = 44.0;
/// Pixels right of the cells and below them.
const EDGE: f64 = 20.0;
/// Pixels above the heads: title and subtitle.
const TITLE: f64 = 60.0;
/// Pixels that the longest name takes; a digit takes the shorter.
const NAME: (f64, f64) = (24.0, 168.0);
/// Pixels between a head and the cells.
const GAP: f64 = 10.0;

/// Left and top of the cells.
fn corner(classes: &Classes) -> (f64, f64) {
    let name = if classes.are_digits() { NAME.0 } else { NAME.1 };
    (EDGE + name + GAP, TITLE + name)
}

/// Width and height of [`svg`], in pixels.
pub fn size(classes: &Classes) -> (f64, f64) {
    let (left, top) = corner(classes);
    let side = SIDE * CLASSES as f64 + EDGE;
    (left + side, top + side)
}

/// The matrix as a drawing on white, under a title.
pub fn svg(confusion: &Confusion, scale: Scale, title: &str, classes: &Classes) -> String {
    let (width, height) = size(classes);
    let (left, top) = corner(classes);
    let mut body = String::new();
    for (row, cells) in cells(confusion, scale, classes).iter().enumerate() {
        let y = top + SIDE * row as f64;
        let middle = y + SIDE / 2.0 + 4.0;
        let name = format::escape(classes.name(row));
        body += &format!(
            "<text x=\"{}\" y=\"{middle}\" class=\"h\" text-anchor=\"end\">{name}</text>",
            left - GAP
        );
        let (x, y) = (left + SIDE * row as f64 + SIDE / 2.0, top - GAP);
        body += &if classes.are_digits() {
            format!("<text x=\"{x}\" y=\"{y}\" class=\"h\">{name}</text>")
        } else {
            // Read from below, so that each has its column.
            let x = x + 4.0;
            format!(
                "<text x=\"{x}\" y=\"{y}\" class=\"h\" text-anchor=\"start\" \
                 transform=\"rotate(-90 {x} {y})\">{name}</text>"
            )
        };
        let y = top + SIDE * row as f64;
        for (column, cell) in cells.iter().enumerate() {
            let x = left + SIDE * column as f64;
            let (fill, ink) = cell.tint.on_white();
            body += &format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"{fill}\" stroke=\"#e4e1da\"/>\
                 <text x=\"{}\" y=\"{middle}\" fill=\"{ink}\">{}</text>",
                x + SIDE / 2.0,
                cell.text
            );
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"ui-sans-serif, system-ui, sans-serif\" font-size=\"12\" \
         text-anchor=\"middle\"><style>.h{{fill:#68645c}}</style>\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\
         <text x=\"{EDGE}\" y=\"26\" font-size=\"15\" text-anchor=\"start\" fill=\"#1c1b19\">{}</text>\
         <text x=\"{EDGE}\" y=\"48\" text-anchor=\"start\" class=\"h\">{} · {} · rows true, columns predicted</text>\
         {body}</svg>\n",
        format::escape(title),
        headline(confusion),
        scale.label(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits() -> Classes {
        Classes::default()
    }

    fn confusion() -> Confusion {
        let mut confusion = Confusion::default();
        for class in 0..9 {
            confusion.counts[class][class] = 90;
        }
        confusion.counts[7][2] = 9;
        confusion.counts[3][5] = 1;
        confusion
    }

    #[test]
    fn mistakes_are_coloured_and_what_is_right_is_not() {
        let cells = cells(&confusion(), Scale::Counts, &digits());
        assert_eq!(cells[7][2].tint, Tint::Warm(1.0));
        assert_eq!(cells[3][5].tint, Tint::Warm(1.0 / 3.0));
        assert_eq!(cells[3][3].tint, Tint::Neutral);
        assert_eq!(cells[0][1].tint, Tint::Warm(0.0));
        assert_eq!(cells[7][2].label, "7 taken for 2: 9 images");
        assert_eq!(cells[3][5].label, "3 taken for 5: 1 image");
    }

    #[test]
    fn shares_of_nothing_are_no_numbers() {
        let rows = cells(&confusion(), Scale::Rows, &digits());
        assert_eq!(rows[9][0].text, format::NOTHING);
        assert_eq!(rows[7][2].text, "9.1");
        let columns = cells(&confusion(), Scale::Columns, &digits());
        assert_eq!(columns[0][9].text, format::NOTHING);
        assert_eq!(columns[0][0].text, "100.0");
        for scale in Scale::ALL {
            let empty = cells(&Confusion::default(), scale, &digits());
            assert_eq!(empty[1][2].tint, Tint::Warm(0.0));
        }
    }

    #[test]
    fn the_headline_says_how_many_are_wrong() {
        assert_eq!(headline(&confusion()), "98.78\u{2009}%, 10 wrong of 820");
        assert_eq!(headline(&Confusion::default()), "–, 0 wrong of 0");
    }

    #[test]
    fn a_difference_has_signs() {
        let mut counts = [[0; CLASSES]; CLASSES];
        counts[1][1] = -4;
        counts[1][7] = 4;
        counts[2][0] = 1;
        let cells = difference(&counts, &digits());
        assert_eq!(cells[1][1].text, "−4");
        assert_eq!(cells[1][1].tint, Tint::Cool(1.0));
        assert_eq!(cells[1][7].tint, Tint::Warm(1.0));
        assert_eq!(cells[2][0].tint, Tint::Warm(0.5));
        assert_eq!(cells[0][0].text, "0");
        assert_eq!(cells[0][0].tint, Tint::Warm(0.0));
    }

    #[test]
    fn files_hold_every_cell() {
        let file = csv(&confusion(), Scale::Counts, &digits());
        assert_eq!(file.lines().count(), 11);
        assert_eq!(file.lines().nth(8), Some("7,0,0,9,0,0,0,0,90,0,0"));
        let shares = csv(&confusion(), Scale::Rows, &digits());
        assert_eq!(shares.lines().nth(10), Some("9,,,,,,,,,,"));
        let drawing = svg(&confusion(), Scale::Counts, "a <b>", &digits());
        assert_eq!(drawing.matches("<rect").count(), 101);
        assert!(drawing.contains("a &lt;b&gt;") && !drawing.contains("NaN"));
    }

    #[test]
    fn names_stand_in_cells_files_and_drawings() {
        let mut names = Classes::default().names().clone();
        names[7] = "a \"b\", <c>".to_owned();
        let classes = Classes::typed(&names).unwrap();
        let cells = cells(&confusion(), Scale::Counts, &classes);
        assert_eq!(cells[7][2].label, "a \"b\", <c> taken for 2: 9 images");
        let file = csv(&confusion(), Scale::Counts, &classes);
        assert_eq!(
            file.lines().nth(8),
            Some("\"a \"\"b\"\", <c>\",0,0,9,0,0,0,0,90,0,0")
        );
        let drawing = svg(&confusion(), Scale::Counts, "title", &classes);
        assert_eq!(drawing.matches(", &lt;c&gt;</text>").count(), 2);
        assert_eq!(drawing.matches("rotate(").count(), CLASSES);
    }
}
