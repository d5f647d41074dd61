//! What the pages are made of.

pub mod allowed;
pub mod badge;
pub mod dialog;
pub mod entry;
pub mod faces;
pub mod filters;
pub mod intl;
pub mod labels;
pub mod listing;
pub mod toast;
