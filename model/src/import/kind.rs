//! What a file is by its first bytes, where it is no idx file.

use std::fmt;

/// Bytes from the start of a file that tell what it is: a tar says so only at the end of these.
pub const HEAD: usize = 512;
/// Where a tar names itself.
const TAR_NAME: std::ops::Range<usize> = 257..262;
/// What a web page begins with, in lower case.
const WEB_PAGE: [&[u8]; 4] = [b"<!doctype html", b"<html", b"<head", b"<body"];
/// What files of each kind begin with.
const BEGINNINGS: [(&[u8], Kind); 22] = [
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"\x89HDF\r\n\x1a\n", Kind::Hdf5),
    (b"\x93NUMPY", Kind::Numpy),
    (b"\x89PNG\r\n\x1a\n", Kind::Png),
    (b"\xff\xd8\xff", Kind::Jpeg),
    (b"GIF8", Kind::Gif),
    (b"%PDF-", Kind::Pdf),
    (b"MATLAB ", Kind::Matlab),
    (b"PAR1", Kind::Parquet),
    (b"\x1f\x8b", Kind::Gzip),
    (b"BZh", Kind::Packed("a bzip2 file")),
    (b"\xfd7zXZ\0", Kind::Packed("an xz file")),
    (b"7z\xbc\xaf\x27\x1c", Kind::Packed("a 7z archive")),
    (b"Rar!\x1a", Kind::Packed("a RAR archive")),
    (b"\x28\xb5\x2f\xfd", Kind::Packed("a Zstandard file")),
    (b"version https://git-lfs", Kind::LfsPointer),
    (b"\x80\x02", Kind::Pickle),
    (b"\x80\x03", Kind::Pickle),
    (b"\x80\x04", Kind::Pickle),
    (b"\x80\x05", Kind::Pickle),
    (b"<?xml", Kind::Xml),
];

/// What a file may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may be an idx file.
    Idx,
    /// Nothing is in it.
    Empty,
    /// A page, mostly one that says that something is not to be had.
    WebPage,
    /// The answer of a store of files, mostly a refusal.
    Xml,
    /// An archive.
    Zip,
    /// Gzipped once more than is unpacked.
    Gzip,
    /// Packed in a way that is not unpacked here, and what that is called.
    Packed(&'static str),
    /// Another archive.
    Tar,
    /// What Keras and others keep arrays in.
    Hdf5,
    /// An array of NumPy.
    Numpy,
    /// An object of Python.
    Pickle,
    /// Arrays of MATLAB.
    Matlab,
    /// A table in columns.
    Parquet,
    /// A table in text.
    Csv,
    /// Other text.
    Text,
    /// What stands for a file in a repository.
    LfsPointer,
    /// A picture.
    Png,
    /// A picture.
    Jpeg,
    /// A picture.
    Gif,
    /// A document.
    Pdf,
    /// Nothing of these.
    Unknown,
}

impl Kind {
    /// What a file with these first bytes is: [`HEAD`] of them, or all there are.
    pub fn of(head: &[u8]) -> Self {
        // Whatever it holds, only an idx file begins so; a text never does.
        if head.starts_with(&[0, 0]) {
            return Self::Idx;
        }
        if head.is_empty() {
            return Self::Empty;
        }
        let known = BEGINNINGS
            .iter()
            .find(|(beginning, _)| head.starts_with(beginning));
        if let Some((_, kind)) = known {
            return *kind;
        }
        if head.get(TAR_NAME) == Some(b"ustar") {
            return Self::Tar;
        }
        of_text(head)
    }

    /// What may be done about it; begins with its colon where there is anything.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::WebPage | Self::Xml => {
                ": the download was probably refused; open its address in the browser and see"
            }
            Self::LfsPointer => ": download the file itself, with “git lfs pull” or as “raw”",
            Self::Empty => ": the download probably failed",
            Self::Gzip | Self::Packed(_) | Self::Tar | Self::Zip => {
                ": unpack it and choose the files in it"
            }
            _ => "",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Self::Idx => "an idx file",
            Self::Empty => "empty",
            Self::WebPage => "a web page",
            Self::Xml => "an XML document",
            Self::Zip => "a zip archive",
            Self::Gzip => "gzipped too many times over",
            Self::Packed(name) => name,
            Self::Tar => "a tar archive",
            Self::Hdf5 => "an HDF5 file",
            Self::Numpy => "a NumPy array",
            Self::Pickle => "a Python pickle",
            Self::Matlab => "a MATLAB file",
            Self::Parquet => "a Parquet file",
            Self::Csv => "a table in text (CSV)",
            Self::Text => "plain text",
            Self::LfsPointer => "a pointer of Git LFS",
            Self::Png => "a PNG picture",
            Self::Jpeg => "a JPEG picture",
            Self::Gif => "a GIF picture",
            Self::Pdf => "a PDF document",
            Self::Unknown => "of a kind that Kiln does not know",
        })
    }
}

/// What bytes are that begin as no other file does.
fn of_text(head: &[u8]) -> Kind {
    let is_letter = |byte: &u8| !byte.is_ascii_control() || byte.is_ascii_whitespace();
    if !head.iter().all(is_letter) {
        return Kind::Unknown;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = text.trim_ascii_start();
    let is_cut_letter = |error: std::str::Utf8Error| error.error_len().is_none();
    if std::str::from_utf8(text).is_err_and(|error| !is_cut_letter(error)) {
        return Kind::Unknown;
    }
    let begins = |with: &&[u8]| {
        text.get(..with.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    if WEB_PAGE.iter().any(begins) {
        return Kind::WebPage;
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
    let commas = line
        .iter()
        .filter(|byte| matches!(byte, b',' | b';' | b'\t'));
    let has_digit = line.iter().any(u8::is_ascii_digit);
    match commas.count() {
        // A sentence may have a comma; a row of a table of digits has hundreds.
        2.. if has_digit => Kind::Csv,
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_its_first_bytes() {
        let mut tar = vec![b'a'; HEAD];
        tar[100..257].fill(0);
        tar[TAR_NAME].copy_from_slice(b"ustar");
        let cases: [(&[u8], Kind); 20] = [
            (&[0, 0, 8, 3], Kind::Idx),
            (b"", Kind::Empty),
            (b"<!DOCTYPE html><html>", Kind::WebPage),
            (b"\xef\xbb\xbf \r\n<HTML lang=en>", Kind::WebPage),
            (b"<?xml version='1.0'?><Error>", Kind::Xml),
            (b"PK\x03\x04more", Kind::Zip),
            (b"\x89HDF\r\n\x1a\nmore", Kind::Hdf5),
            (b"\x93NUMPY\x01\0", Kind::Numpy),
            (b"\x89PNG\r\n\x1a\n\0\0", Kind::Png),
            (b"\xff\xd8\xff\xe0", Kind::Jpeg),
            (b"%PDF-1.7", Kind::Pdf),
            (b"MATLAB 5.0 MAT-file", Kind::Matlab),
            (b"PAR1\x15\x04", Kind::Parquet),
            (&tar, Kind::Tar),
            (b"label,pixel0,pixel1,pixel2\n5,0,0,0\n", Kind::Csv),
            (b"5;0;0;0", Kind::Csv),
            (b"no images, sorry", Kind::Text),
            ("кот".as_bytes(), Kind::Text),
            (b"\x80\x04\x95", Kind::Pickle),
            (b"\x08\x03\0\0", Kind::Unknown),
        ];
        for (head, kind) in cases {
            assert_eq!(Kind::of(head), kind, "{head:?}");
        }
        // A letter that the head cuts in two is no reason to doubt the text.
        assert_eq!(Kind::of(&"кот".as_bytes()[..5]), Kind::Text);
        assert_eq!(Kind::of(&[0xd0, b'a']), Kind::Unknown);
    }
}
