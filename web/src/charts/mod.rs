//! Small charts. Each says what it shows in words too, and each has its table where the page does not show it anyway.
//!
//! Places are in percent of the width, so that text keeps its size at any width and nothing is measured.

pub mod coverage;
pub mod days;
pub mod equation;
pub mod plot;
pub mod rates;
pub mod share;
pub mod strip;
