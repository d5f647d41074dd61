//! What the pages are made of.

pub mod allowed;
pub mod badge;
pub mod dialog;
pub mod download;
pub mod entry;
pub mod faces;
pub mod filters;
pub mod intl;
pub mod labels;
pub mod listing;
pub mod live;
pub mod search;
pub mod secret;
pub mod shortcuts;
pub mod toast;
