//! What a report is made of.

use kiln_model::dataset::Part;
use kiln_model::evaluation::{Confusion, Predictions};

use crate::classes::Classes;
use crate::evaluation::ranked::Ranked;
use crate::export::format::Source;
use crate::record::Record;

/// All texts are as a person wrote them: nothing is escaped yet.
pub struct Report {
    pub title: String,
    pub lead: String,
    pub sections: Vec<Section>,
}

pub struct Section {
    pub title: String,
    pub blocks: Vec<Block>,
}

pub enum Block {
    /// A paragraph.
    Text(String),
    /// What a person wrote, in lines.
    Notes(String),
    /// Words, and what they mean.
    Terms(Vec<(&'static str, String)>),
    /// A table.
    Table(Table),
    /// A drawing.
    Figure(Figure),
}

/// The first cell of each row says what the others are about.
pub struct Table {
    pub caption: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Whether all but the first column holds numbers.
    pub is_numeric: bool,
}

pub struct Figure {
    pub caption: String,
    /// What it says to who does not see it.
    pub alternative: String,
    pub svg: String,
}

impl Report {
    /// All drawings.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| match block {
            Block::Figure(figure) => Some(figure),
            _ => None,
        })
    }
}

impl Figure {
    /// The drawing as an address that holds it: RFC 2397, with every mark encoded that ends an
    /// attribute in HTML or an address in Markdown. Some readers of Markdown show no drawing whose
    /// type has no parameter.
    pub fn address(&self) -> String {
        let mut address = "data:image/svg+xml;charset=utf-8,".to_owned();
        for byte in self.svg.trim_end().bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/:;,=+".contains(&byte) {
                address.push(byte.into());
            } else {
                address.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(digit.into(), 16).unwrap_or_default();
                    address.push(digit.to_ascii_uppercase());
                }
            }
        }
        address
    }
}

/// A text on one line, without what XML cannot hold.
pub fn plain(text: &str) -> String {
    let is_odd = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    let letter = |letter| match letter {
        '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        _ if is_odd(letter) => ' ',
        _ => letter,
    };
    text.chars().map(letter).collect()
}

/// A run and what is worked out of it.
pub struct Told<'a> {
    pub source: &'a Source<'a>,
    pub name: String,
    /// In CSS.
    pub colour: &'static str,
    pub record: Record,
    pub answers: Option<Answers>,
}

impl Told<'_> {
    /// What its classes are called.
    pub fn classes(&self) -> &Classes {
        &self.record.identity.classes
    }

    /// A sentence of this run: with its name in front, where there are several.
    pub fn says(&self, sentence: &str, is_alone: bool) -> Block {
        Block::Text(if is_alone {
            sentence.to_owned()
        } else {
            format!("{}: {sentence}", self.name)
        })
    }
}

/// What a run answered last to the images of one part.
pub struct Answers {
    pub part: Part,
    pub step: u32,
    pub predictions: Predictions,
    pub confusion: Confusion,
    pub ranked: Ranked,
}

pub fn section(title: &str, blocks: Vec<Block>) -> Section {
    Section {
        title: title.to_owned(),
        blocks,
    }
}
