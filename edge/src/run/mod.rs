//! The daily run.
