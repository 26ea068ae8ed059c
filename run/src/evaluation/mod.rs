//! What the page shows of a network's answers: worked out and put into words, natively tested.

pub mod curves;
pub mod matrix;
pub mod ranked;
pub mod shade;
pub mod thinning;
pub mod threshold;
