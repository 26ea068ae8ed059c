//! Why a part of a file is not read.

/// Why something cannot be read: the end of a sentence that begins with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something would be behind the file's end.
    #[error("is not whole")]
    Short,
    /// It breaks the rules of the format.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// It follows them in a way of which nothing is known here.
    #[error("is {0}, which is not read here")]
    Unread(&'static str),
    /// More than any file of a small network has.
    #[error("has too many parts")]
    TooMuch,
    /// A loop, or something with two names.
    #[error("is what another name also leads to")]
    Twice,
}
