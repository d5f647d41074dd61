//! What the pages are made of.

pub mod badge;
pub mod dialog;
pub mod faces;
pub mod filters;
pub mod intl;
pub mod labels;
pub mod listing;
