//! The bank simulator: a processor for demo, development and tests.
