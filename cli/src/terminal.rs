//! What is said on a terminal. Whoever closes a pipe early has read enough, and stops nothing.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a result.
pub fn print(text: impl Display) {
    drop(writeln!(std::io::stdout(), "{text}"));
}

/// Says something to a person, beside what is printed.
pub fn tell(text: impl Display) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
