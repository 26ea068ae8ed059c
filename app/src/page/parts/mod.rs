//! Pieces that several screens share, and what holds for every control.

pub mod announcer;
pub mod digit;
pub mod double_press;
pub mod focus;
pub mod later;
pub mod notices;
pub mod theme;
