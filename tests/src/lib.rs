//! What no single crate can test alone.
