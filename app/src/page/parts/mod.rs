//! Pieces that several screens share, and what holds for every control.

pub mod announcer;
pub mod chart;
pub mod charts;
pub mod device;
pub mod digit;
pub mod double_press;
pub mod focus;
pub mod import;
pub mod keys;
pub mod last_saved;
pub mod later;
pub mod listing;
pub mod notices;
pub mod offline;
pub mod run_cells;
pub mod run_choice;
pub mod run_list;
pub mod settled;
pub mod share;
pub mod snippet;
pub mod theme;
pub mod view;

/// Why something cannot be changed now.
pub const FIXED: &str = "Fixed for this run. Stop to change.";
