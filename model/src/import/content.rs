//! A file, unpacked, and that it holds what its header says: images or labels.

use std::borrow::Cow;

use super::header::{Header, HeaderError, Number};
use super::kind::Kind;
use super::unpack::Unpacking;
use super::{File, ImportError, MOST_BYTES, MOST_IMAGES};
use crate::dataset::DatasetError;
use crate::mnist::sha256;
use crate::spec::{CLASSES, IMAGE_SIDE, PIXELS};

const SIDE: u32 = IMAGE_SIDE as u32;
/// Numbers that QMNIST has about each image; the first is its label.
const QMNIST_COLUMNS: u32 = 8;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Images, 28 × 28 bytes each.
    Images,
    /// So many whole numbers about each image, of which the first is its label.
    Labels {
        /// How many.
        columns: u32,
    },
}

/// The beginning of a file, which says what the whole is.
pub struct Start<'a> {
    name: &'a str,
    unpacking: Unpacking<'a>,
    header: Header,
    /// What the file holds.
    pub holds: Holds,
}

/// A whole file.
#[derive(Clone)]
pub struct Content<'a> {
    /// Its name.
    pub name: &'a str,
    bytes: Cow<'a, [u8]>,
    header: Header,
    /// What it holds.
    pub holds: Holds,
}

impl<'a> Start<'a> {
    /// Reads the header.
    pub fn read(file: File<'a>) -> Result<Self, ImportError> {
        let name = || file.name.to_owned();
        let unpacking = Unpacking::begin(file)?;
        let head = unpacking.head.as_slice();
        let kind = Kind::of(head);
        let alien = |kind| ImportError::Alien { file: name(), kind };
        if kind != Kind::Idx {
            return Err(alien(kind));
        }
        if head.len() < 8 {
            return Err(ImportError::Short {
                file: name(),
                bytes: head.len(),
            });
        }
        let header = Header::read(head).map_err(|error| match error {
            HeaderError::Short { expected } => ImportError::File {
                file: name(),
                error: DatasetError::Length {
                    found: head.len(),
                    expected,
                },
            },
            HeaderError::Number => alien(Kind::Unknown),
            HeaderError::Axes { axes, number } => ImportError::Axes {
                file: name(),
                number,
                axes,
            },
        })?;
        let holds = holds(&header).map_err(|size| match size {
            Some([rows, columns]) => ImportError::File {
                file: name(),
                error: DatasetError::ImageSize { rows, columns },
            },
            None => ImportError::Shape {
                file: name(),
                header: header.to_string(),
            },
        });
        let count = header.count() as usize;
        match holds {
            Ok(Holds::Labels { .. }) if count > MOST_IMAGES => {
                Err(ImportError::TooManyLabels { labels: count })
            }
            Err(ImportError::File { .. }) | Ok(Holds::Images) if count > MOST_IMAGES => {
                Err(ImportError::TooManyImages { images: count })
            }
            holds => Ok(Self {
                name: file.name,
                holds: holds?,
                unpacking,
                header,
            }),
        }
    }

    /// How many images or labels it claims to hold.
    pub fn count(&self) -> usize {
        self.header.count() as usize
    }

    /// Reads the rest; no more of it than the header promises.
    pub fn finish(self) -> Result<Content<'a>, ImportError> {
        let Self {
            name,
            unpacking,
            header,
            holds,
        } = self;
        let expected = header.file_len();
        let is_packed = unpacking.is_packed;
        let bytes = unpacking.finish(expected.min(MOST_BYTES))?;
        if bytes.len() > expected && is_packed {
            // How many more is not known, and may be any number.
            return Err(ImportError::Longer {
                file: name.to_owned(),
                bytes: expected,
            });
        }
        if bytes.len() != expected {
            return Err(ImportError::File {
                file: name.to_owned(),
                error: DatasetError::Length {
                    found: bytes.len(),
                    expected,
                },
            });
        }
        Ok(Content {
            name,
            bytes,
            header,
            holds,
        })
    }
}

/// What a file with this header holds; else the size of its images, where it has any.
fn holds(header: &Header) -> Result<Holds, Option<[u32; 2]>> {
    match (header.number, header.axes.as_slice()) {
        (Number::Byte, [_, SIDE, SIDE] | [_, 1, SIDE, SIDE] | [_, SIDE, SIDE, 1]) => {
            Ok(Holds::Images)
        }
        (Number::Byte, [_, rows, columns]) => Err(Some([*rows, *columns])),
        (number, [_] | [_, 1]) if number.is_whole() => Ok(Holds::Labels { columns: 1 }),
        (Number::Int, [_, QMNIST_COLUMNS]) => Ok(Holds::Labels {
            columns: QMNIST_COLUMNS,
        }),
        _ => Err(None),
    }
}

impl Content<'_> {
    /// How many images or labels.
    pub fn count(&self) -> usize {
        self.header.count() as usize
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }

    /// The pixels of all images.
    pub fn into_pixels(self) -> Vec<u8> {
        let mut bytes = self.bytes.into_owned();
        bytes.drain(..self.header.len());
        debug_assert_eq!(bytes.len() % PIXELS, 0);
        bytes
    }

    /// All labels, each from 0 to 9.
    pub fn labels(&self) -> Result<Vec<u8>, ImportError> {
        let columns = match self.holds {
            Holds::Labels { columns } => columns as usize,
            Holds::Images => PIXELS,
        };
        let number = self.header.number;
        let rows = self.bytes[self.header.len()..].chunks(columns * number.bytes());
        rows.enumerate()
            .map(|(index, row)| {
                let label = row.get(..number.bytes()).and_then(|at| number.whole(at));
                let label = label.unwrap_or(-1);
                u8::try_from(label)
                    .ok()
                    .filter(|label| usize::from(*label) < CLASSES)
                    .ok_or_else(|| ImportError::Label {
                        file: self.name.to_owned(),
                        label,
                        index,
                    })
            })
            .collect()
    }
}
